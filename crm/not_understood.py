"""What was not understood in a stretch of time, questions about the same thing together, across both languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import knowledge
from crm.models import Author, Message
from crm.resolution import NOT_UNDERSTOOD
from crm.text import normal

MOST_LINES = 2_000
ALIKE = 72
SHORTEST = 3


@dataclass(frozen=True)
class Group:
    """Messages about one thing, in either language. ``texts`` are different wordings, the newest first.

    nearest_article : the title of the article that comes closest to them, if any comes close
    intents         : what the bot took them for at second sight, likeliest first
    """

    text: str
    language: str
    count: int
    texts: tuple[str, ...]
    nearest_article: str | None
    intents: tuple[str, ...]


def groups(session: Session, *, since: datetime, until: datetime) -> list[Group]:
    """The groups of ``since`` ≤ t < ``until``, largest first. Reads at most 2,000 messages, the newest."""
    found = session.scalars(
        select(Message)
        .where(
            Message.author == Author.CUSTOMER,
            Message.intent.in_(NOT_UNDERSTOOD),
            Message.created_at >= since,
            Message.created_at < until,
            Message.payload.is_(None),
        )
        .order_by(Message.id.desc())
        .limit(MOST_LINES)
    ).all()
    bundles: list[_Bundle] = []
    for message in found:
        if len(message.text.strip()) < SHORTEST:
            continue
        _put(bundles, message, _nearest(session, message))
    bundles.sort(key=lambda bundle: -len(bundle.messages))
    return [bundle.group() for bundle in bundles]


@dataclass
class _Bundle:
    messages: list[Message]
    said: str
    slug: str | None
    title: str | None

    def group(self) -> Group:
        newest = self.messages[0]
        return Group(
            text=newest.text,
            language="zh" if newest.language == "zh" else "en",
            count=len(self.messages),
            texts=tuple(dict.fromkeys(message.text for message in self.messages))[:8],
            nearest_article=self.title,
            intents=_intents(self.messages),
        )


def _nearest(session: Session, message: Message) -> tuple[str, str] | None:
    """Slug and title of the article that comes closest; translations share the slug, which joins the languages."""
    language = "zh" if message.language == "zh" else "en"
    passages = knowledge.look_up(session, message.text, language, limit=1)
    return (passages[0].slug, passages[0].title) if passages else None


def _put(bundles: list[_Bundle], message: Message, nearest: tuple[str, str] | None) -> None:
    said = normal(message.text)
    for bundle in bundles:
        same_article = nearest is not None and bundle.slug == nearest[0]
        if same_article or fuzz.token_set_ratio(said, bundle.said) >= ALIKE:
            bundle.messages.append(message)
            return
    slug, title = nearest or (None, None)
    bundles.append(_Bundle([message], said, slug, title))


def _intents(messages: Sequence[Message]) -> tuple[str, ...]:
    """Summed confidence of what stood behind "not understood"."""
    weight: dict[str, float] = {}
    for message in messages:
        for guess in message.ranking or []:
            if guess["name"] not in NOT_UNDERSTOOD:
                weight[guess["name"]] = weight.get(guess["name"], 0.0) + float(guess["confidence"])
    return tuple(sorted(weight, key=lambda name: -weight[name])[:3])
