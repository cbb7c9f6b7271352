"""One turn of a conversation as an action sees it: what was said, in which language, and how to answer."""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from babel.dates import format_date
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions import slots, wording
from actions.wording import Button, Responses
from crm import conversations, money
from crm.models import Conversation
from crm.shop import Shop
from crm.types import now as present

Event = dict[str, Any]

SURE = 0.5  # how sure a further request must be to count as one
# Whoever says one of these has said the other with it.
_SAME_SUBJECT = (
    frozenset({"product_info", "product_availability"}),
    frozenset({"complaint", "return_or_refund", "refund_status", "talk_to_human"}),
    frozenset({"track_order", "complaint"}),
    frozenset({"give_feedback", "complaint"}),
)


class Card(TypedDict, total=False):
    title: str
    subtitle: str
    text: str
    price: str
    image: str
    url: str
    badge: str
    buttons: list[Button]


@dataclass(frozen=True)
class Clause:
    """One request of a message that makes several, as Rasa understood it by itself."""

    intent: str
    confidence: float
    text: str
    entities: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, raw: dict[str, Any]) -> "Clause":
        return cls(
            str(raw.get("intent") or ""),
            float(raw.get("confidence") or 0.0),
            str(raw.get("text") or ""),
            tuple(raw.get("entities") or ()),
        )

    def details(self, *entities: str) -> list[str]:
        """The values of these entities, in the order in which they were written."""
        return [str(e["value"]) for e in self.entities if e.get("entity") in entities and e.get("value") is not None]

    def is_apart_from(self, intent: str) -> bool:
        """Whether it asks, surely enough, for something that the message's main intent does not stand for already."""
        if intent == self.intent:
            return self.confidence >= SURE and bool(self.details("order_number"))
        return self.confidence >= SURE and not any({intent, self.intent} <= subject for subject in _SAME_SUBJECT)

    def as_dict(self) -> dict[str, Any]:
        """For a slot: what ``of`` reads."""
        return {
            "intent": self.intent,
            "confidence": self.confidence,
            "text": self.text,
            "entities": list(self.entities),
        }


class Turn:
    """Wraps the tracker and the dispatcher of one action call.

    A message may make several requests. Its main one stands in ``intent``, ``text`` and ``entities``; the others come
    from Rasa's channel in the metadata field ``also``, and ``actions.requests`` sees to them one after the other.
    """

    def __init__(self, dispatcher: CollectingDispatcher, tracker: Tracker, responses: Responses, shop: Shop) -> None:
        self._dispatcher, self._tracker, self._responses = dispatcher, tracker, responses
        self.shop = shop
        self.now: datetime = present()
        latest = tracker.latest_message or {}
        self.intent: str = (latest.get("intent") or {}).get("name") or ""
        self.confidence = float((latest.get("intent") or {}).get("confidence") or 0.0)
        self.ranking: list[dict[str, Any]] = list(latest.get("intent_ranking") or [])
        self.entities: list[dict[str, Any]] = list(latest.get("entities") or [])
        raw = str(latest.get("text") or "")
        self.pressed = raw.startswith("/")  # a button's payload, not something typed
        self.whole = "" if self.pressed else raw  # with all its requests
        self.text = self.whole
        self.metadata: dict[str, Any] = dict(latest.get("metadata") or {})
        self.foreign = latest.get("language_seen") == "other"  # written in a language the shop does not speak
        self.also = [
            clause for raw in self.metadata.get("also") or [] if (clause := Clause.of(raw)).is_apart_from(self.intent)
        ]
        self._leave_out_others()
        waiting = self.slot(slots.WAITING) or {}
        self.others_taken = waiting.get("turn") == self.request_key
        self.later = [Clause.of(raw) for raw in waiting.get("next") or []]
        if self.others_taken and waiting.get("now"):
            self._read(Clause.of(waiting["now"]))

    def _leave_out_others(self) -> None:
        """Takes from the main request what belongs to the others; who is asking belongs to all."""
        main, spans = self.text, []
        for clause in self.also:
            start = main.find(clause.text) if clause.text else -1
            if start >= 0:
                end = start + len(clause.text)
                main = main[:start] + " " * (end - start) + main[end:]
                spans.append((start, end))
        if not main.strip():
            return
        self.text = main.strip()
        self.entities = [
            e
            for e in self.entities
            if e.get("entity") in ("email", "phone", "language")
            or not any(start <= int(e.get("start") or 0) < end for start, end in spans)
        ]

    def _read(self, clause: Clause) -> None:
        shared = [e for e in self.entities if e.get("entity") in ("email", "phone", "language")]
        self.intent, self.confidence, self.text = clause.intent, clause.confidence, clause.text
        self.ranking, self.entities = [], [*shared, *clause.entities]

    def reading(self, clause: Clause) -> "Turn":
        """The same turn seen from another of the message's requests; what is said goes to the same customer."""
        other = copy.copy(self)
        other._read(clause)
        return other

    # ------------------------------------------------------------------------------------------ what is known

    @property
    def language(self) -> str:
        known = self._tracker.get_slot(slots.LANGUAGE) or self.metadata.get("language")
        return str(known) if known in ("zh", "en") else self.shop.default_language

    @property
    def request_key(self) -> str:
        """The same for a repeated turn, so that what an action writes is written once."""
        turn = self.metadata.get("turn_id") or f"{self._tracker.sender_id}:{len(self._tracker.events)}"
        return str(turn)

    @property
    def active_form(self) -> str | None:
        name = (self._tracker.active_loop or {}).get("name")
        return str(name) if name else None

    def slot(self, name: str) -> Any:
        return self._tracker.get_slot(name)

    def detail(self, *entities: str) -> str | None:
        """The last value of one of these entities in this very message."""
        found = [e["value"] for e in self.entities if e.get("entity") in entities and e.get("value") is not None]
        return str(found[-1]) if found else None

    def conversation(self, session: Session) -> Conversation:
        return conversations.by_public_id(session, self._tracker.sender_id)

    # ----------------------------------------------------------------------------------------------- answering

    def phrase(self, response: str, **values: object) -> str:
        """A response's text in the customer's language."""
        return wording.text_of(self._responses, response, self.language, values)

    def say(
        self,
        *responses: str,
        buttons: Sequence[Button] = (),
        cards: Sequence[Card] = (),
        extra: str = "",
        **values: object,
    ) -> None:
        """One message made of the responses' texts, with their own buttons and the given ones."""
        texts = [self.phrase(response, **values) for response in responses]
        own = [
            b for response in responses for b in wording.buttons_of(self._responses, response, self.language, values)
        ]
        self.write(self.joined([*texts, extra]), buttons=[*own, *buttons], cards=cards, named=responses[0])

    def write(self, text: str, *, buttons: Sequence[Button] = (), cards: Sequence[Card] = (), named: str = "") -> None:
        """One message of text that comes from the store or was put together from responses."""
        self._dispatcher.utter_message(
            text=text,
            buttons=[dict(button) for button in buttons],
            json_message={"cards": list(cards)} if cards else {},
            utter_action=named,
        )

    def unsay(self) -> None:
        """Takes back what this action said so far."""
        self._dispatcher.messages.clear()

    @property
    def said_something(self) -> bool:
        return bool(self._dispatcher.messages)

    def joined(self, sentences: Sequence[str]) -> str:
        """Sentences side by side as the language sets them: Chinese without spaces between."""
        parts = [sentence.strip() for sentence in sentences if sentence and sentence.strip()]
        return ("" if self.language == "zh" else " ").join(parts)

    def listed(self, items: Sequence[str], *, most: int = 4) -> str:
        """A short enumeration: "a, b and 3 more"."""
        shown = list(items[:most])
        comma = "、" if self.language == "zh" else ", "
        if len(items) > most:
            more = self.phrase("utter_word_more", count=len(items) - most)
            return comma.join(shown) + (more if self.language == "zh" else f" {more}")
        return comma.join(shown)

    def buttons(self, response: str, **values: object) -> list[Button]:
        """A response's own buttons, for a message that is put together by hand."""
        return wording.buttons_of(self._responses, response, self.language, values)

    def button(self, response: str, intent: str, **details: object) -> Button:
        """A button titled by a response that starts an intent, with details for it."""
        return Button(title=self.phrase(response), payload=payload(intent, **details))

    def titled(self, title: str, intent: str, **details: object) -> Button:
        """The same with a title from the store, such as a product's name."""
        return Button(title=title, payload=payload(intent, **details))

    # --------------------------------------------------------------------------------------- numbers and dates

    def amount(self, minor: int, currency: str) -> str:
        return money.show(minor, currency, self.language)

    def day(self, moment: datetime | date) -> str:
        """A day as the language writes it, in the shop's time zone."""
        if isinstance(moment, datetime):
            moment = moment.astimezone(ZoneInfo(self.shop.timezone)).date()
        pattern = "M月d日" if self.language == "zh" else "d MMM"
        if moment.year != self.now.year:
            pattern = "y年M月d日" if self.language == "zh" else "d MMM y"
        return format_date(moment, pattern, locale="zh_Hans" if self.language == "zh" else "en")

    def counted(self, noun: str, count: int) -> str:
        """ "1 order", "3 orders", "3 个订单": ``noun`` names the pair utter_<noun>_one and utter_<noun>_many."""
        return self.phrase(f"utter_{noun}_{'one' if count == 1 else 'many'}", count=count)


def payload(intent: str, **details: object) -> str:
    """What a button sends: ``/intent`` with details as JSON."""
    return f"/{intent}{json.dumps(details, ensure_ascii=False)}" if details else f"/{intent}"
