"""A question in the middle of a form is answered by the action that would answer it elsewhere."""

from actions import answers
from actions.base import DeskAction
from actions.privacy import TellAccountData
from actions.products import Recommend, TellAvailability, TellProductInfo
from actions.returns import OfferReturn
from actions.shop_info import TellContact, TellDelivery, TellDiscounts, TellPayment, TellWarranty
from actions.turn import Event, Turn

CONFIDENT = 0.5
_ANSWERING: tuple[DeskAction, ...] = (
    TellDelivery(),
    TellPayment(),
    TellContact(),
    TellDiscounts(),
    TellWarranty(),
    TellProductInfo(),
    TellAvailability(),
    Recommend(),
    TellAccountData(),
    OfferReturn(),
)


def answer_in_between(turn: Turn) -> tuple[list[Event], bool]:
    """Answers through ``turn`` if it is a question or a pleasantry. Returns slot events, and whether it was."""
    if not turn.pressed and turn.confidence < CONFIDENT:
        return [], False
    if turn.intent in answers.PLEASANTRIES:
        turn.write(turn.phrase(f"utter_{turn.intent}"), named=f"utter_{turn.intent}")
        return [], True
    wanted = answers.QUESTIONS.get(turn.intent)
    if wanted is None:
        return [], False
    action = next(known for known in _ANSWERING if known.name() == wanted)
    events = [event for event in action.act(turn) if event["event"] == "slot"]
    return events, turn.said_something
