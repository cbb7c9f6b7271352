"""A digest before it is HTML, text or a chat message: sentences already in the owner's language."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from analytics.digest.links import Links
from analytics.digest.words import Words
from crm.shop import Shop
from crm.weeks import Week


class Tone(StrEnum):
    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class Action:
    label: str
    url: str
    primary: bool = False


@dataclass(frozen=True)
class Entry:
    """One thing: what it is, what is known about it, the words to send or that were said, and what to do."""

    title: str
    detail: str = ""
    quote: str = ""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class Section:
    """``picture`` names one of the digest's pictures; ``caption`` says in words what it shows."""

    key: str
    title: str
    lead: str = ""
    entries: tuple[Entry, ...] = ()
    actions: tuple[Action, ...] = ()
    picture: str | None = None
    caption: str = ""


@dataclass(frozen=True)
class Tile:
    """A key figure. ``note`` compares it; ``tone`` says whether it is out of the ordinary, and which way."""

    name: str
    label: str
    value: str
    note: str
    tone: Tone


@dataclass(frozen=True)
class Page:
    subject: str
    shop: str
    title: str
    period: str
    headline: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...]
    language: str
    archive: Action
    more: str = ""


@dataclass(frozen=True)
class Context:
    """What every section is written from. Nothing after ``week.ends_at`` is counted as part of the week."""

    session: Session
    week: Week
    shop: Shop
    words: Words
    links: Links
    now: datetime
    pictures: dict[str, bytes] = field(default_factory=dict)
