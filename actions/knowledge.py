"""The owner's articles, and what to do when nothing was understood: look up, ask back, get the owner."""

from rasa_sdk.events import FollowupAction, SlotSet

import crm
from actions import slots
from actions.base import DeskAction
from actions.handoff import hand_over
from actions.references import content_words
from actions.turn import Event, Turn
from crm import knowledge, products
from crm.knowledge import Passage
from crm.models import HandoffReason
from crm.text import HAN, LATIN

READINGS = 3
LIKELY_ENOUGH = 0.08
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


def passage_for(turn: Turn, *, at_least: float = knowledge.SURE) -> Passage | None:
    """The passage that answers the message, in the customer's language; None when none does."""
    if not turn.text.strip():
        return None
    with crm.reading() as session:
        found = knowledge.look_up(session, turn.text, turn.language, limit=1)
    return found[0] if found and found[0].score >= at_least else None


def tell(turn: Turn, passage: Passage) -> None:
    """The passage under its article's title, so that the customer sees where it comes from."""
    heading = f"{passage.title}\n" if passage.title and passage.title.lower() not in passage.text.lower() else ""
    turn.write(heading + passage.text, named="utter_article")


class AnswerQuestion(DeskAction):
    """A question outside the intents, or one that was not understood."""

    understood = False  # it counts its own failures

    def name(self) -> str:
        return "action_answer_question"

    def act(self, turn: Turn) -> list[Event]:
        passage = passage_for(turn)
        if passage is not None:
            tell(turn, passage)
            return [SlotSet(slots.FAILURES, None)]
        if self._names_a_product(turn):
            return [FollowupAction("action_product_info")]
        if not _speaks_our_languages(turn):
            turn.say("utter_other_language")
            return [SlotSet(slots.OFFER, "action_handoff")]
        return self._not_understood(turn)

    @staticmethod
    def _names_a_product(turn: Turn) -> bool:
        if turn.intent not in ("inform", "nlu_fallback", "affirm"):
            return False
        with crm.reading() as session:
            return bool(products.catalogue(session).mentions(turn.text))

    def _not_understood(self, turn: Turn) -> list[Event]:
        misses = int(turn.slot(slots.FAILURES) or 0) + 1
        if misses >= 2:
            hand_over(turn, HandoffReason.NOT_UNDERSTOOD)
            turn.say("utter_handoff_not_understood")
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
        if offered:
            return [FollowupAction(str(offered)), SlotSet(slots.OFFER, None)]
        turn.say("utter_affirm_nothing")
        return []


class Deny(DeskAction):
    """A "no" outside a form."""

    def name(self) -> str:
        return "action_deny"

    def act(self, turn: Turn) -> list[Event]:
        turn.say("utter_deny_nothing")
        return slots.reset(*slots.OF_A_JOB)


def _speaks_our_languages(turn: Turn) -> bool:
    """Whether the message has a word of Chinese or of Latin letters at all, and is not marked as another language."""
    if turn.metadata.get("other_language") or any(e.get("entity") == "other_language" for e in turn.entities):
        return False
    letters = [c for c in turn.text if c.isalpha()]
    known = sum(len(run) for run in HAN.findall(turn.text)) + sum(len(w) for w in LATIN.findall(turn.text.lower()))
    return not letters or known >= len(letters) * 0.5
