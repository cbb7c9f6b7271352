"""What customers asked and the bot did not understand, alike questions together, for the owner to answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import not_understood
from crm.lessons import replies
from crm.models import Author, Message, Preference
from crm.not_understood import Bundle
from crm.resolution import NOT_UNDERSTOOD

LOOKS_BACK = timedelta(days=60)
MOST_LINES = 600
DISMISSED = "answered_questions"


@dataclass(frozen=True)
class OpenQuestion:
    """Alike lines; ``text`` is the newest. ``ids`` are the messages', ``conversations`` where they were written.

    reply   : what the owner answered to one of them in the conversation, the newest
    article : slug and title of the article that comes closest
    """

    text: str
    language: str
    last_at: datetime
    texts: Sequence[str]
    ids: Sequence[int]
    conversations: Sequence[int]
    reply: str | None = None
    article: tuple[str, str] | None = None

    @property
    def count(self) -> int:
        return len(self.ids)


def grouped(session: Session, *, now: datetime, limit: int = 40) -> list[OpenQuestion]:
    """The groups asked most first; those the owner has answered or put aside are left out."""
    done = _answered(session)
    found = session.scalars(
        select(Message)
        .where(
            Message.author == Author.CUSTOMER,
            Message.intent.in_(NOT_UNDERSTOOD),
            Message.created_at > now - LOOKS_BACK,
            Message.payload.is_(None),
        )
        .order_by(Message.id.desc())
        .limit(MOST_LINES)
    ).all()
    bundles = not_understood.alike(session, [message for message in found if message.id not in done])
    shown = bundles[:limit]
    lines = [message for bundle in shown for message in bundle.messages]
    answers = replies.replies(session, {line.conversation_id for line in lines}, {line.id for line in lines})
    return [_question(bundle, answers) for bundle in shown]


def _question(bundle: Bundle, answers: Mapping[int, str]) -> OpenQuestion:
    group = bundle.messages
    return OpenQuestion(
        text=group[0].text,
        language="zh" if group[0].language == "zh" else "en",
        last_at=group[0].created_at,
        texts=tuple(dict.fromkeys(message.text for message in group))[:6],
        ids=tuple(message.id for message in group),
        conversations=tuple(dict.fromkeys(message.conversation_id for message in group))[:6],
        reply=next((answers[message.id] for message in group if message.id in answers), None),
        article=(bundle.slug, bundle.title) if bundle.slug and bundle.title else None,
    )


def put_aside(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """They are answered by an article now, or need no answer."""
    _keep(session, _answered(session) | set(ids), now)


def take_up(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """They are open again."""
    _keep(session, _answered(session) - set(ids), now)


def _keep(session: Session, ids: set[int], now: datetime) -> None:
    kept = sorted(ids)[-5_000:]
    row = session.get(Preference, DISMISSED)
    if row is None:
        session.add(Preference(name=DISMISSED, value={"messages": kept}, updated_at=now))
    else:
        row.value, row.updated_at = {"messages": kept}, now
    session.flush()


def _answered(session: Session) -> set[int]:
    row = session.get(Preference, DISMISSED)
    return set(row.value.get("messages", [])) if row is not None else set()
