"""Several requests in one message: each is answered, questions at once, jobs one after the other.

The slot ``waiting`` holds ``{"turn", "now", "next"}``: the turn that last took requests out of a message, the one that
is being read in that turn (None for the main one), and the jobs that start when the present one is done.
"""

from typing import Any

from rasa_sdk.events import FollowupAction, SlotSet

from actions import answers, slots
from actions.references import content_words
from actions.turn import Clause, Event, Turn

_PRODUCTS = frozenset({"product_info", "product_availability"})
_JOBS = frozenset({*answers.FORMS, "return_or_refund", "talk_to_human", "delete_my_data", "stop_messages"})


def others(turn: Turn) -> list[Clause]:
    """The message's further requests that are still to be answered."""
    if turn.others_taken or turn.pressed:
        return []
    return [clause for clause in turn.also if _is_another(turn, clause)]


def _is_another(turn: Turn, clause: Clause) -> bool:
    if clause.intent == "inform":
        # "Where is 5102 (dan@…)" says little more than its details.
        return turn.intent in answers.QUESTIONS and bool(clause.details("order_number"))
    if clause.intent in _PRODUCTS and not content_words(clause.text):
        return False  # "…, and what does it cost?" is part of the main request
    if clause.intent not in _JOBS and clause.intent not in answers.QUESTIONS:
        return False
    own = [number for number in clause.details("order_number") if number != turn.detail("order_number")]
    if clause.intent == turn.intent:
        return bool(own)
    if clause.intent == "delivery_info" and turn.intent == "track_order":
        # "Where is it, and how long does it take?" The order's own arrival says both.
        return turn.shop.shipping.mentioned_in(clause.text) is not None
    return True


def is_question(clause: Clause) -> bool:
    """Whether it is answered on the spot, without asking for details."""
    return clause.intent in answers.QUESTIONS and clause.intent != "return_or_refund"


def taken(turn: Turn, later: list[Clause]) -> list[Event]:
    """The event that marks this turn's requests as seen to and keeps the jobs for later."""
    if not later and not turn.also and not turn.later and not turn.others_taken:
        return []
    kept = [clause.as_dict() for clause in later]
    now = (turn.slot(slots.WAITING) or {}).get("now") if turn.others_taken else None
    return [SlotSet(slots.WAITING, {"turn": turn.request_key, "now": now, "next": kept} if kept or turn.also else None)]


def start_next(turn: Turn, jobs: list[Clause]) -> list[Event]:
    """Events that start the first of the jobs, reading its own clause."""
    first, rest = jobs[0], [clause.as_dict() for clause in jobs[1:]]
    waiting: dict[str, Any] = {"turn": turn.request_key, "now": first.as_dict(), "next": rest}
    details = [SlotSet(slots.ORDER_NUMBER, number) for number in first.details("order_number")[-1:]]
    return [SlotSet(slots.WAITING, waiting), *details, FollowupAction(answers.action_for(first.intent))]
