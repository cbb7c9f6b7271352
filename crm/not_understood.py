"""What was not understood in a stretch of time, questions about the same thing together, across both languages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import knowledge
from crm.knowledge import Passage
from crm.lessons import past
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
    return [_group(bundle) for bundle in alike(session, found)]


def alike(session: Session, messages: Iterable[Message]) -> list["Bundle"]:
    """Messages about one thing together: alike in wording, or closest to the same article, in whichever language.

    The largest bundle first, of equal ones that of the newest message; ``messages`` come newest first. What is shorter
    than three characters is left out, and what an article answered after all.
    """
    bundles: list[Bundle] = []
    long_enough = [message for message in messages if len(message.text.strip()) >= SHORTEST]
    told = past.told(session, {message.conversation_id for message in long_enough})
    for message in long_enough:
        nearest = _nearest(session, message)
        answers = told.get((message.conversation_id, message.turn), ())
        if nearest is None or not any(nearest.text in answer for answer in answers):
            _put(bundles, message, nearest)
    bundles.sort(key=lambda bundle: (-len(bundle.messages), -bundle.messages[0].id))
    return bundles


@dataclass
class Bundle:
    """``slug`` and ``title`` are the nearest article's, if one comes close."""

    messages: list[Message]
    said: str
    slug: str | None
    title: str | None


def _group(bundle: Bundle) -> Group:
    newest = bundle.messages[0]
    return Group(
        text=newest.text,
        language="zh" if newest.language == "zh" else "en",
        count=len(bundle.messages),
        texts=tuple(dict.fromkeys(message.text for message in bundle.messages))[:8],
        nearest_article=bundle.title,
        intents=_intents(bundle.messages),
    )


def _nearest(session: Session, message: Message) -> Passage | None:
    """The passage that comes closest; translations share the slug, which joins the languages."""
    language = "zh" if message.language == "zh" else "en"
    passages = knowledge.look_up(session, message.text, language, limit=1)
    return passages[0] if passages else None


def _put(bundles: list[Bundle], message: Message, nearest: Passage | None) -> None:
    said = normal(message.text)
    for bundle in bundles:
        same_article = nearest is not None and bundle.slug == nearest.slug
        if same_article or fuzz.token_set_ratio(said, bundle.said) >= ALIKE:
            bundle.messages.append(message)
            return
    slug, title = (nearest.slug, nearest.title) if nearest is not None else (None, None)
    bundles.append(Bundle([message], said, slug, title))


def _intents(messages: Sequence[Message]) -> tuple[str, ...]:
    """Summed confidence of what stood behind "not understood"."""
    weight: dict[str, float] = {}
    for message in messages:
        for guess in message.ranking or []:
            if guess["name"] not in NOT_UNDERSTOOD:
                weight[guess["name"]] = weight.get(guess["name"], 0.0) + float(guess["confidence"])
    return tuple(sorted(weight, key=lambda name: -weight[name])[:3])
