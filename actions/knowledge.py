"""The owner's articles, and what to do when nothing was understood: look up, ask back, get the owner."""

from collections.abc import Sequence
from dataclasses import replace

from rasa_sdk.events import FollowupAction, SlotSet

import crm
from actions import slots
from actions.anger import vents
from actions.base import DeskAction
from actions.handoff import back_at, hand_over
from actions.references import (
    another,
    asks_price_or_stock,
    content_words,
    lets_go,
    names_an_order,
    names_something,
    points_back,
    says_nothing,
    starts_over,
)
from actions.small_talk import answer_rudeness, answer_signs, is_rude
from actions.turn import Event, Turn
from crm import knowledge, products
from crm.knowledge import Passage
from crm.models import HandoffReason, KnowledgeArticle
from crm.passages import LONG_ANSWER, passages_of, width
from crm.text import normal

READINGS = 3
LIKELY_ENOUGH = 0.08
MOST_DIGITS = 12
NEVER_OFFERED = frozenset(
    {
        "out_of_scope",
        "nlu_fallback",
        "inform",
        "affirm",
        "deny",
        "greet",
        "goodbye",
        "thank",
        "smalltalk",
        "bot_challenge",
    }
)


def passage_for(turn: Turn, *, at_least: float = knowledge.SURE, beginning: bool = False) -> Passage | None:
    """The passage that answers the message, in the customer's language; None when none does.

    beginning : the first passage of the article, for a question that asks for nothing in particular
    """
    if not turn.text.strip():
        return None
    with crm.reading() as session:
        found = knowledge.look_up(session, turn.text, turn.language, limit=1)
        if not found or found[0].score < at_least:
            return None
        if beginning and (article := session.get(KnowledgeArticle, found[0].article_id)) is not None:
            opening = _opening(passages_of(article.body))
            return replace(found[0], text=opening) if opening else found[0]
    return found[0]


def _opening(passages: Sequence[str]) -> str:
    """The first passages of an article, as many as stay a short answer."""
    told = list(passages[:1])
    for passage in passages[1:]:
        if width("".join([*told, passage])) > LONG_ANSWER:
            break
        told.append(passage)
    return "\n\n".join(told)


def tell(turn: Turn, passage: Passage) -> None:
    """The passage under its article's title, so that the customer sees where it comes from."""
    heading = f"{passage.title}\n" if passage.title and passage.title.lower() not in passage.text.lower() else ""
    turn.write(heading + passage.text, named="article")


class AnswerQuestion(DeskAction):
    """A question outside the intents, or one that was not understood."""

    understood = False  # it counts its own failures

    def name(self) -> str:
        return "action_answer_question"

    def act(self, turn: Turn) -> list[Event]:
        if turn.foreign:
            turn.say("utter_other_language")
            return [SlotSet(slots.OFFER, "action_handoff")]
        if says_nothing(turn.text) and not turn.pressed:
            return answer_signs(turn)
        if is_rude(turn.text):
            return answer_rudeness(turn)
        if vents(turn.text) and not turn.pressed:
            hand_over(turn, HandoffReason.ANGRY)
            turn.say("utter_handoff_angry", extra=back_at(turn))
            return [SlotSet(slots.FAILURES, None)]
        if lets_go(turn.text):
            return [FollowupAction("action_deny")]
        details = turn.detail("email", "phone") or (turn.detail("order_number") and not names_something(turn.text))
        if details and turn.intent != "inform":
            return [FollowupAction("action_inform")]
        if (number := _bare_number(turn.text)) is not None:
            return self._take_number(turn, number)
        if (meant := self._goes_on(turn)) is not None:
            return [FollowupAction(meant)]
        if self._names_a_product(turn):
            return [FollowupAction("action_product_info")]
        passage = passage_for(turn)
        if passage is not None:
            tell(turn, passage)
            return [SlotSet(slots.FAILURES, None)]
        return self._not_understood(turn)

    @staticmethod
    def _goes_on(turn: Turn) -> str | None:
        """The action that answered before, when a message only makes sense as more of the same."""
        subject = turn.slot(slots.SUBJECT)
        if subject == "action_delivery_info" and turn.shop.shipping.mentioned_in(turn.text) is not None:
            return str(subject)
        if turn.slot(slots.LAST_ORDER) and another(turn.text) and names_an_order(turn.text):
            return "order_tracking_form"
        return None

    @staticmethod
    def _take_number(turn: Turn, number: str) -> list[Event]:
        if turn.slot(slots.SUBJECT) == "feedback_form" and number in tuple("12345"):
            return [SlotSet(slots.RATING, int(number)), FollowupAction("action_save_feedback")]
        buttons = [turn.titled(turn.phrase("utter_label_order_number", number=number), "inform", order_number=number)]
        if number in tuple("12345"):
            buttons.append(turn.titled(turn.phrase("utter_label_rating", number=number), "inform", rating=int(number)))
        turn.say("utter_which_number", buttons=buttons, number=number)
        return []

    @staticmethod
    def _names_a_product(turn: Turn) -> bool:
        strange = turn.intent == "out_of_scope" and not asks_price_or_stock(turn.text)
        with crm.reading() as session:
            catalogue = products.catalogue(session)
            named = catalogue.mentions(turn.text)
            if not named and asks_price_or_stock(turn.text) and catalogue.in_category(turn.text):
                return True
        if named:
            # One word of a title in a question from elsewhere ("will it rain?") names no product.
            return not strange or named[0].coverage >= products.STRONG_COVERAGE
        known = turn.slot(slots.PRODUCT_ID)
        if known is None:
            return False
        with crm.reading() as session:
            before = products.by_ids(session, [int(known)])
            if before and products.variants_named(before[0], turn.text):
                return True
        return turn.intent != "out_of_scope" and points_back(turn.text)

    def _not_understood(self, turn: Turn) -> list[Event]:
        misses = int(turn.slot(slots.FAILURES) or 0) + 1
        if misses >= 2:
            hand_over(turn, HandoffReason.NOT_UNDERSTOOD)
            turn.say("utter_handoff_not_understood", extra=back_at(turn))
            return [SlotSet(slots.FAILURES, None)]
        readings = self._readings(turn)
        if turn.intent == "out_of_scope" and content_words(turn.text):
            turn.say("utter_not_known")
        elif readings:
            buttons = [turn.button(f"utter_label_{intent}", intent) for intent in readings]
            buttons.append(turn.button("utter_label_something_else", "talk_to_human"))
            turn.say("utter_clarify", buttons=buttons)
        else:
            turn.say("utter_rephrase")
        return [SlotSet(slots.FAILURES, misses), SlotSet(slots.OFFER, "action_handoff")]

    @staticmethod
    def _readings(turn: Turn) -> list[str]:
        likely = [
            reading["name"]
            for reading in turn.ranking
            if reading["name"] not in NEVER_OFFERED and float(reading.get("confidence", 0)) >= LIKELY_ENOUGH
        ]
        return likely[:READINGS]


class DefaultFallback(AnswerQuestion):
    """Rasa predicts this when no rule fits; the customer gets the same care."""

    def name(self) -> str:
        return "action_default_fallback"


class Clarify(AnswerQuestion):
    """The intent was too uncertain to act on."""

    def name(self) -> str:
        return "action_clarify"


class Affirm(DeskAction):
    """A "yes" outside a form: does what was offered."""

    def name(self) -> str:
        return "action_affirm"

    def act(self, turn: Turn) -> list[Event]:
        offered = turn.slot(slots.OFFER)
        if turn.detail("order_number", "email", "phone", "rating"):
            return [FollowupAction(str(offered or "action_inform")), SlotSet(slots.OFFER, None)]
        if offered:
            return [FollowupAction(str(offered)), SlotSet(slots.OFFER, None)]
        turn.say("utter_affirm_nothing")
        return []


class Deny(DeskAction):
    """A "no" outside a form."""

    def name(self) -> str:
        return "action_deny"

    def act(self, turn: Turn) -> list[Event]:
        if turn.detail("order_number", "email", "phone"):
            return [FollowupAction("action_inform")]  # "no, I meant 1384"
        if starts_over(turn.text):
            turn.say("utter_start_over")
            return slots.reset(*slots.OF_A_JOB, slots.LAST_ORDER, slots.PRODUCT_ID, slots.SUBJECT)
        turn.say("utter_deny_nothing")
        return []


def _bare_number(text: str) -> str | None:
    """The number when the message is nothing else."""
    plain = normal(text).strip(" .!#")
    return plain if plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS else None
