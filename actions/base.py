"""What all actions share: running outside the event loop, and the last resort when something breaks."""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

import crm
from actions import desk, requests, slots
from actions.turn import Event, Turn
from crm import handoffs
from crm.models import HandoffReason

log = logging.getLogger(__name__)


class DeskAction(Action, ABC):  # type: ignore[misc]  # the SDK ships no types
    """An action that answers a turn. Its work runs in a thread, for the store is synchronous."""

    ends_turn = True
    understood = True  # false where the answer is that nothing was understood

    @abstractmethod
    def name(self) -> str:
        """The action's name in domain.yml."""

    @abstractmethod
    def act(self, turn: Turn) -> list[Event]:
        """Answers through ``turn`` and returns Rasa events."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        turn = Turn(dispatcher, tracker, desk.responses(), desk.shop())
        try:
            events = await asyncio.to_thread(self.act, turn)
        except Exception:
            # The one broad catch: without it the customer would hear nothing at all.
            log.exception("action failed name=%s conversation=%s", self.name(), tracker.sender_id)
            return await asyncio.to_thread(self._apologise, turn)
        return self._completed(turn, events)

    def _completed(self, turn: Turn, events: list[Event]) -> list[Event]:
        """An offer stands for one turn only, a count of failures until something is understood."""
        changed = {event.get("name") for event in events if event["event"] == "slot"}
        stale = [slots.OFFER] if turn.slot(slots.OFFER) and slots.OFFER not in changed else []
        if self.understood and turn.slot(slots.FAILURES) and slots.FAILURES not in changed:
            stale.append(slots.FAILURES)
        if not self.ends_turn or any(event["event"] == "followup" for event in events):
            return [*events, *slots.reset(*stale)]
        if turn.active_form is None:
            # Details outside a job are this message's own: a year in a question is no order number later on.
            stale += [name for name in slots.OF_A_JOB if turn.slot(name) is not None and name not in changed]
        events = [*events, *slots.reset(*stale)]
        if waiting := [*turn.later, *requests.others(turn)]:
            return [*events, *requests.start_next(turn, waiting)]
        return [*events, *requests.taken(turn, []), FollowupAction("action_listen")]

    def _apologise(self, turn: Turn) -> list[Event]:
        turn.unsay()
        turn.say("utter_desk_trouble")
        try:
            with crm.session() as session:
                handoffs.hand_off(
                    session,
                    turn.conversation(session),
                    reason=HandoffReason.DESK_DOWN,
                    summary=self.name(),
                    now=turn.now,
                )
        except Exception:
            # The gateway keeps the message and sees the apology; the store itself may be what is down.
            log.exception("handoff after a failed action was not stored")
        return [*leave_form(), FollowupAction("action_listen")]


def leave_form() -> list[Event]:
    """Events that end whatever form is active and forget what was asked in it."""
    return [{"event": "active_loop", "name": None}, *slots.reset(slots.REQUESTED_SLOT, slots.WAITING, *slots.OF_A_JOB)]
