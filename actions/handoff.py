"""Getting the owner."""

from datetime import datetime

from rasa_sdk.events import SlotSet

import crm
from actions import slots
from actions.base import DeskAction, leave_form
from actions.turn import Event, Turn
from crm import availability, conversations, handoffs
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
            turn.say("utter_handoff", extra=_waiting(turn))
        else:
            turn.say("utter_handoff_waiting")
        return [*leave_form(), SlotSet(slots.FAILURES, None)]


def _waiting(turn: Turn) -> str:
    """The shop's hours, and how long it will take as far as that can be said honestly."""
    said = []
    if turn.shop.opening_hours is not None:
        said.append(turn.phrase("utter_handoff_hours", hours=turn.shop.opening_hours.in_language(turn.language)))
    expected = _expected(turn)
    if expected.back_at is not None:
        said.append(_told(turn, expected.back_at))
    elif expected.usual_minutes is not None:
        said.append(turn.phrase("utter_handoff_usually", minutes=expected.usual_minutes))
    return turn.joined(said)


def back_at(turn: Turn) -> str:
    """When somebody is there again; empty while somebody is."""
    expected = _expected(turn)
    return _told(turn, expected.back_at) if expected.back_at is not None else ""


def _expected(turn: Turn) -> availability.Waiting:
    with crm.reading() as session:
        return availability.waiting(session, turn.shop, now=turn.now)


def _told(turn: Turn, moment: datetime) -> str:
    local = moment.astimezone(turn.shop.zone)
    return turn.phrase("utter_handoff_back_at", day=turn.day(moment), time=f"{local:%H:%M}")
