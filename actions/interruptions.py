"""A question in the middle of a form is answered by the action that would answer it elsewhere."""

from actions import answers
from actions.base import DeskAction
from actions.knowledge import passage_for, tell
from actions.privacy import TellAccountData
from actions.products import Recommend, TellAvailability, TellProductInfo
from actions.references import asks
from actions.returns import OfferReturn
from actions.shop_info import TellContact, TellDelivery, TellDiscounts, TellPayment, TellWarranty
from actions.small_talk import is_rude
from actions.turn import Event, Turn

CONFIDENT = 0.5
# These end in a question elsewhere; here the form's own question follows.
_IN_BETWEEN = {"greet": "utter_greet_again", "thank": "utter_thank_again", "smalltalk": "utter_smalltalk_again"}
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
    sure = turn.pressed or turn.confidence >= CONFIDENT
    if sure and turn.intent in answers.PLEASANTRIES:
        response = "utter_rude" if is_rude(turn.text) else _IN_BETWEEN.get(turn.intent, f"utter_{turn.intent}")
        turn.write(turn.phrase(response), named=response)
        return [], True
    wanted = answers.QUESTIONS.get(turn.intent)
    if wanted is None or not sure:
        passage = passage_for(turn) if asks(turn.text) else None
        if passage is not None:
            tell(turn, passage)
        return [], passage is not None
    action = next(known for known in _ANSWERING if known.name() == wanted)
    events = [event for event in action.act(turn) if event["event"] == "slot"]
    return events, turn.said_something
