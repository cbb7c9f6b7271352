"""The owner's list of conversations: what waits for her first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from crm import orders, searching
from crm.briefing import Mood, about, mood, sentiment_of
from crm.models import (
    Author,
    Channel,
    Conversation,
    Customer,
    Handoff,
    HandoffReason,
    Identity,
    Message,
    VerificationAttempt,
)

PAGE = 40
LONGEST_SEARCH = 100


class Shelf(StrEnum):
    """A part of the inbox."""

    ALL = "all"
    WAITING = "waiting"
    MINE = "mine"
    BOT = "bot"


@dataclass(frozen=True)
class InboxRow:
    """One conversation. ``name`` is None for a nameless visitor; ``about`` is an intent's name."""

    id: int
    public_id: str
    identity_id: int
    name: str | None
    channel: Channel
    language: str
    shelf: Shelf
    reason: HandoffReason | None
    waiting_since: datetime | None
    at: datetime
    text: str
    author: Author | None
    about: str | None
    mood: Mood


@dataclass(frozen=True)
class InboxCounts:
    waiting: int
    mine: int


def _open_handoff(taken: bool | None = None) -> ColumnElement[bool]:
    wanted = [Handoff.conversation_id == Conversation.id, Handoff.returned_at.is_(None)]
    if taken is not None:
        wanted.append(Handoff.taken_at.is_not(None) if taken else Handoff.taken_at.is_(None))
    return exists().where(and_(*wanted))


def counts(session: Session) -> InboxCounts:
    waiting, mine = session.execute(
        select(
            func.coalesce(func.sum(case((Handoff.taken_at.is_(None), 1), else_=0)), 0),
            func.coalesce(func.sum(case((Handoff.taken_at.is_not(None), 1), else_=0)), 0),
        ).where(Handoff.returned_at.is_(None))
    ).one()
    return InboxCounts(waiting=int(waiting), mine=int(mine))


def version(session: Session) -> str:
    """Changes whenever the list may look different."""
    newest, messages, handoffs, taken, returned = session.execute(
        select(
            select(func.max(Conversation.last_message_at)).scalar_subquery(),
            select(func.max(Message.id)).scalar_subquery(),
            select(func.max(Handoff.id)).scalar_subquery(),
            select(func.max(Handoff.taken_at)).scalar_subquery(),
            select(func.max(Handoff.returned_at)).scalar_subquery(),
        )
    ).one()
    return f"{newest}|{messages}|{handoffs}|{taken}|{returned}"


def rows(
    session: Session,
    *,
    shelf: Shelf = Shelf.ALL,
    search: str = "",
    channel: Channel | None = None,
    before: datetime | None = None,
    ids: Sequence[int] | None = None,
) -> list[InboxRow]:
    """Up to 40 conversations: who waits stands first, longest wait on top; then the newest."""
    waiting = _open_handoff(False)
    wanted = select(Conversation).options(joinedload(Conversation.identity).joinedload(Identity.customer))
    wanted = wanted.where(Conversation.last_seq > 0)
    if shelf is Shelf.WAITING:
        wanted = wanted.where(waiting)
    elif shelf is Shelf.MINE:
        wanted = wanted.where(_open_handoff(True))
    elif shelf is Shelf.BOT:
        wanted = wanted.where(~_open_handoff())
    if channel is not None:
        wanted = wanted.where(Conversation.channel == channel)
    if before is not None:
        wanted = wanted.where(Conversation.last_message_at < before)
    if ids is not None:
        wanted = wanted.where(Conversation.id.in_(ids))
    if search.strip():
        wanted = wanted.where(_matches(session, search.strip()[:LONGEST_SEARCH]))
    found = session.scalars(wanted.order_by(Conversation.last_message_at.desc()).limit(PAGE)).unique().all()
    made = [_row(session, conversation) for conversation in found]
    if before is None:
        made.sort(key=lambda row: row.waiting_since.timestamp() if row.waiting_since else float("inf"))
    return made


def _matches(session: Session, search: str) -> ColumnElement[bool]:
    """By name, address, order number, or words that were said."""
    reached = exists().where(
        Identity.id == Conversation.identity_id,
        Customer.id == Identity.customer_id,
        or_(Customer.email == search.lower(), Customer.phone == search),
    )
    number = exists().where(
        VerificationAttempt.conversation_id == Conversation.id,
        VerificationAttempt.order_number == orders.normal_number(search),
    )
    named = Conversation.identity_id.in_(searching.accounts_named(session, search))
    return or_(named, reached, number, searching.said_in(session, search))


def _row(session: Session, conversation: Conversation) -> InboxRow:
    recent = session.scalars(
        select(Message).where(Message.conversation_id == conversation.id).order_by(Message.seq.desc()).limit(12)
    ).all()
    handoff = session.scalar(
        select(Handoff)
        .where(Handoff.conversation_id == conversation.id, Handoff.returned_at.is_(None))
        .order_by(Handoff.id.desc())
        .limit(1)
    )
    said = [message for message in reversed(recent) if message.author is Author.CUSTOMER]
    identity = conversation.identity
    customer = identity.customer
    shelf = Shelf.BOT
    if handoff is not None:
        shelf = Shelf.WAITING if handoff.taken_at is None else Shelf.MINE
    return InboxRow(
        id=conversation.id,
        public_id=conversation.public_id,
        identity_id=identity.id,
        name=(customer.name or customer.email if customer is not None else None) or identity.display_name,
        channel=conversation.channel,
        language=conversation.language,
        shelf=shelf,
        reason=handoff.reason if handoff is not None else None,
        waiting_since=handoff.opened_at if handoff is not None and handoff.taken_at is None else None,
        at=conversation.last_message_at,
        text=recent[0].text if recent else "",
        author=recent[0].author if recent else None,
        about=about(said),
        mood=mood(said, handoff, sentiment_of(session, said[-3:])),
    )
