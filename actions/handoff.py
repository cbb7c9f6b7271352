"""Getting the owner."""

from rasa_sdk.events import SlotSet

import crm
from actions import slots
from actions.base import DeskAction, leave_form
from actions.turn import Event, Turn
from crm import conversations, handoffs
from crm.models import Author, HandoffReason

LINES_IN_SUMMARY = 4


def hand_over(turn: Turn, reason: HandoffReason) -> bool:
    """Marks the conversation for the owner with its last lines. False when the owner already knows."""
    with crm.session() as session:
        conversation = turn.conversation(session)
        known = handoffs.open_handoff(session, conversation) is not None
        said = [m.text for m in conversations.history(session, conversation, limit=20) if m.author is Author.CUSTOMER]
        handoffs.hand_off(
            session, conversation, reason=reason, summary="\n".join(said[-LINES_IN_SUMMARY:]), now=turn.now
        )
    return not known


class HandOff(DeskAction):
    """The customer asked for a person."""

    def name(self) -> str:
        return "action_handoff"

    def act(self, turn: Turn) -> list[Event]:
        if hand_over(turn, HandoffReason.ASKED):
            hours = turn.shop.opening_hours
            shown = hours.in_language(turn.language) if hours else ""
            turn.say("utter_handoff", extra=turn.phrase("utter_handoff_hours", hours=shown) if shown else "")
        else:
            turn.say("utter_handoff_waiting")
        return [*leave_form(), SlotSet(slots.FAILURES, None)]
