"""The details a customer gives: order numbers, e-mails, phones, quantities, budgets and ratings.

Everything is read from `aligned` text, so that full-width and traditional spellings need no patterns of their own and
positions are those of the raw text. Claims are made in order: what an e-mail or a date has taken is no order number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.training_data.message import Message

from bot import patterns
from bot.normalise import aligned
from bot.numerals import number

# Longer messages are read up to here: a detail is never that far down, and patterns stay fast on any input.
READ_AT_MOST = 2000
REQUESTED_SLOT = "requested_slot"  # in the message's metadata, set by bot/processor.py

Value = str | int | float


@dataclass(frozen=True)
class Detail:
    entity: str
    value: Value
    start: int
    end: int


@dataclass(frozen=True)
class _Rule:
    """`entity` None only claims the text, so that later rules leave it alone."""

    entity: str | None
    pattern: re.Pattern[str]
    value: Callable[[re.Match[str]], Value | None] = lambda match: ""


def _written(match: re.Match[str], name: str) -> str:
    """The group `name`, or its `name2`, `name3` in the other branches of the pattern."""
    groups = match.groupdict()
    return next((value for key in (name, f"{name}2", f"{name}3") if (value := groups.get(key)) is not None), "")


def _place(match: re.Match[str]) -> tuple[int, int]:
    groups = match.groupdict()
    return next((match.span(key) for key in ("whole", "id", "id2", "n") if groups.get(key) is not None), match.span())


def _order_number(match: re.Match[str]) -> str:
    return re.sub(r"\s", "", _written(match, "id")).strip("-#").upper()


def _email(match: re.Match[str]) -> str:
    return re.sub(r"\s", "", _written(match, "id")).replace("。", ".").lower()


def _spoken_email(match: re.Match[str]) -> str:
    domain = re.sub(r"\s*(?:\(dot\)|\[dot\]|\bdot\b|[.。])\s*", ".", match["domain"], flags=re.IGNORECASE)
    name = re.sub(
        r"\s+dot\s+", ".", re.sub(r"\s+underscore\s+", "_", match["name"], flags=re.IGNORECASE), flags=re.IGNORECASE
    )
    return f"{name}@{domain}".lower().replace(" ", "")


def _phone(match: re.Match[str]) -> str | None:
    raw = _written(match, "id")
    digits = re.sub(r"\D", "", raw)
    if not 7 <= len(digits) <= 15:
        return None
    return ("+" if raw.lstrip("( ").startswith("+") else "") + digits


def _rating(match: re.Match[str]) -> int | None:
    value = number(_written(match, "n"))
    return int(value + 0.5) if value is not None and 1 <= value <= 5 else None


def _stars(match: re.Match[str]) -> int | None:
    count = sum(match.group().count(star) for star in "★⭐🌟")
    return count if 1 <= count <= 5 else None


def _quantity(match: re.Match[str]) -> int | None:
    value = number(_written(match, "n"))
    if value is None or value != int(value) or not 1 <= value <= 100_000:
        return None
    # Spelt out, one is an article: "is this one in stock", "给我一个".
    return None if value == 1 and not _written(match, "n").isdigit() else int(value)


def _dozens(match: re.Match[str]) -> int | None:
    value = 0.5 if _written(match, "n") == "半" else number(_written(match, "n"))
    return int(value * 12) if value is not None and 0 < value <= 1000 else None


def _of_a_puzzle(match: re.Match[str]) -> str | None:
    return "" if patterns.PUZZLE.search(match.string) else None


def _answered_quantity(match: re.Match[str]) -> int | None:
    value = number(_written(match, "n"))
    return int(value) if value is not None and value == int(value) and 1 <= value <= 100_000 else None


def _spent(match: re.Match[str]) -> float | int | None:
    return _budget(match) if _is_about_spending(match.string) else None


@lru_cache(maxsize=4)
def _is_about_spending(text: str) -> bool:
    return patterns.SPENDING.search(text) is not None


def _budget(match: re.Match[str]) -> float | int | None:
    value = number(_written(match, "n"))
    if value is None or not math.isfinite(value) or not 0 < value < 10_000_000:
        return None
    return int(value) if value == int(value) else value


_RULES: tuple[_Rule, ...] = (
    _Rule("email", patterns.EMAIL, _email),
    _Rule("email", patterns.SPOKEN_EMAIL, _spoken_email),
    _Rule(None, patterns.URL),
    _Rule(None, patterns.LAST_DIGITS),
    _Rule("phone", patterns.NAMED_PHONE, _phone),
    _Rule("rating", patterns.OUT_OF_FIVE, _rating),
    _Rule(None, patterns.DATE),
    _Rule("order_number", patterns.NAMED_ORDER, _order_number),
    _Rule("order_number", patterns.THIS_ORDER, _order_number),
    _Rule("phone", patterns.PHONE, _phone),
    _Rule("rating", patterns.RATING, _rating),
    _Rule("rating", patterns.STARS, _stars),
    _Rule("quantity", patterns.QUANTITY_BLOCKS, _quantity),
    _Rule("budget", patterns.BUDGET_RANGE, _budget),
    _Rule("budget", patterns.BUDGET_BEFORE, _budget),
    _Rule("budget", patterns.BUDGET_AFTER, _budget),
    _Rule("budget", patterns.BUDGET_BETWEEN, _budget),
    _Rule("budget", patterns.BUDGET_AMOUNT, _spent),
    _Rule(None, patterns.PRICE),
    _Rule(None, patterns.SHARDS),
    _Rule(None, patterns.PIECES_OF_A_SET),
    _Rule(None, patterns.PUZZLE_PIECES, _of_a_puzzle),
    _Rule(None, patterns.WEIGHT),
    _Rule("quantity", patterns.QUANTITY_DOZENS, _dozens),
    _Rule("quantity", patterns.QUANTITY_EACH, _quantity),
    _Rule("quantity", patterns.QUANTITY, _quantity),
    _Rule("quantity", patterns.QUANTITY_IN_DOZENS, _quantity),
    _Rule("quantity", patterns.QUANTITY_IN_ONE_WORD, _quantity),
    _Rule("quantity", patterns.QUANTITY_ROUGHLY, _quantity),
    _Rule("quantity", patterns.QUANTITY_HURT, _quantity),
    _Rule("quantity", patterns.QUANTITY_NAMED, _quantity),
    _Rule("quantity", patterns.QUANTITY_TIMES, _quantity),
    _Rule("quantity", patterns.QUANTITY_ALONE, _quantity),
    _Rule(None, patterns.MEASURE),
    _Rule("order_number", patterns.ORDER_CODE, _order_number),
    _Rule("order_number", patterns.BARE_NUMBER, _order_number),
    _Rule("quantity", patterns.QUANTITY_PLURAL, _quantity),
    _Rule("quantity", patterns.QUANTITY_WANTED, _quantity),
)

# What a bare answer means while a form asks for exactly this.
_ANSWERS: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], Value | None]]] = {
    "order_number": (patterns.BARE_ORDER_ANSWER, _order_number),
    "phone": (patterns.BARE_PHONE_ANSWER, _phone),
    "quantity": (patterns.BARE_NUMBER_ANSWER, _answered_quantity),
    "budget": (patterns.BARE_NUMBER_ANSWER, _budget),
    "rating": (patterns.BARE_NUMBER_ANSWER, _rating),
}


def _asked_for(requested_slot: str | None) -> str | None:
    """The entity a slot takes: slots are named after their entity, forms may put a word in front or behind."""
    for entity in _ANSWERS:
        if requested_slot is not None and (requested_slot == entity or requested_slot.endswith(f"_{entity}")):
            return entity
    return None


def details_of(text: str, requested_slot: str | None = None) -> list[Detail]:
    """All details in `text`, in the order they stand there."""
    plain = aligned(text[:READ_AT_MOST])
    plain = patterns.ENDLESS_FIGURES.sub(lambda match: " " * len(match.group()), plain)
    if (entity := _asked_for(requested_slot)) is not None:
        pattern, value_of = _ANSWERS[entity]
        if (match := pattern.fullmatch(plain)) is not None and (value := value_of(match)) is not None:
            return [Detail(entity, value, *_place(match))]
    return sorted(_claims(plain), key=lambda detail: detail.start)


def _claims(plain: str) -> Iterator[Detail]:
    taken = bytearray(len(plain))
    for rule in _RULES:
        for match in rule.pattern.finditer(plain):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            value = rule.value(match)
            if value is None:
                continue
            taken[start:end] = b"\1" * (end - start)
            if rule.entity is not None:
                yield Detail(rule.entity, value, *_place(match))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class DetailExtractor(GraphComponent, EntityExtractorMixin):
    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> DetailExtractor:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            requested = (message.get("metadata") or {}).get(REQUESTED_SLOT)
            found = [
                {"entity": d.entity, "value": d.value, "start": d.start, "end": d.end, "extractor": self.name}
                for d in details_of(message.get("text") or "", requested)
            ]
            message.set("entities", [*(message.get("entities") or []), *found], add_to_output=True)
        return messages
