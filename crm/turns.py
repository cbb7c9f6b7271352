"""Turns: one gateway takes what waits in a conversation, asks the bot, and closes it with the replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm import conversations, handoffs
from crm.conversations import Reply, Understanding
from crm.errors import CrmError
from crm.models import Author, Channel, Conversation, ConversationStatus, Handoff, HandoffReason, Identity, Message


class TurnTaken(CrmError):
    """Another gateway is answering this conversation just now."""

    def __init__(self, public_id: str) -> None:
        self.public_id = public_id
        super().__init__(f"conversation {public_id} is being answered elsewhere")


@dataclass(frozen=True)
class Turn:
    """The customer's lines that wait, oldest first, and what decides who answers them."""

    conversation_id: int
    public_id: str
    channel: Channel
    language: str
    address: str
    lines: Sequence[Message]
    handed_off: bool
    held_by_owner: bool

    @property
    def number(self) -> int:
        """The turn's number: the ``seq`` of its first line."""
        return self.lines[0].seq


@dataclass(frozen=True)
class Closed:
    """What closing a turn stored."""

    replies: Sequence[Message]
    handed_off: bool


def begin(session: Session, public_id: str, *, owner: str, now: datetime, lease: timedelta) -> Turn | None:
    """Takes the lease and everything that waits; None if nothing does. Raises TurnTaken."""
    if not conversations.take_turn(session, public_id, owner=owner, now=now, lease=lease):
        conversations.by_public_id(session, public_id)
        raise TurnTaken(public_id)
    rows = session.execute(
        select(Message, Conversation, Identity.external_id)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .join(Identity)
        .where(Conversation.public_id == public_id, Message.author == Author.CUSTOMER, Message.turn.is_(None))
        .order_by(Message.seq)
    ).all()
    if not rows:
        conversations.give_back_turn(session, public_id, owner=owner)
        return None
    _, conversation, address = rows[0]
    handoff = _open_handoff(session, conversation)
    return Turn(
        conversation_id=conversation.id,
        public_id=public_id,
        channel=conversation.channel,
        language=conversation.language,
        address=address,
        lines=[row[0] for row in rows],
        handed_off=handoff is not None,
        held_by_owner=handoff is not None and handoff.taken_at is not None,
    )


def close(
    session: Session,
    turn: Turn,
    lines: Sequence[Message],
    replies: Sequence[Reply],
    understanding: Understanding | None,
    *,
    owner: str,
    now: datetime,
    needs_owner: str | None = None,
) -> Closed | None:
    """Stores the answer to ``lines`` (some or all of the turn's) and gives the lease back, in one transaction.

    None, and nothing is stored, if somebody else has answered them meanwhile or the conversation is gone.
    ``needs_owner`` is the summary for the owner when the bot could not answer at all.
    """
    still_ours = session.scalar(
        update(Conversation)
        .where(Conversation.id == turn.conversation_id, Conversation.lease_owner == owner)
        .values(lease_owner=None, lease_until=None)
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    if still_ours is None:
        return None
    conversation = session.get_one(Conversation, turn.conversation_id)
    unanswered = session.scalars(
        select(Message).where(Message.id.in_([line.id for line in lines]), Message.turn.is_(None)).order_by(Message.seq)
    ).all()
    if len(unanswered) < len(lines):
        return None
    stored = conversations.answer(session, conversation, unanswered, replies, understanding, now=now)
    if needs_owner is not None:
        handoffs.hand_off(session, conversation, reason=HandoffReason.DESK_DOWN, summary=needs_owner, now=now)
    return Closed(replies=stored, handed_off=_open_handoff(session, conversation) is not None)


def _open_handoff(session: Session, conversation: Conversation) -> Handoff | None:
    # The status says the same without a look at another table, and most conversations are not handed off.
    if conversation.status is not ConversationStatus.HANDED_OFF:
        return None
    return handoffs.open_handoff(session, conversation)
