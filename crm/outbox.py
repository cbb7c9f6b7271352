"""Messages that have to be carried to a channel, in order within a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from crm.models import Channel, Conversation, Delivery, Identity, Message


@dataclass(frozen=True)
class Outgoing:
    """The next message to carry and where to; before ``not_before`` nobody may send it."""

    message: Message
    address: str
    not_before: datetime | None


def conversations_with_mail(session: Session, channel: Channel, *, limit: int = 500) -> Sequence[int]:
    """Ids of the conversations in which something waits to be carried, oldest first."""
    return session.scalars(
        select(Message.conversation_id)
        .where(Message.delivery == Delivery.PENDING, Message.channel == channel)
        .group_by(Message.conversation_id)
        .order_by(Message.conversation_id)
        .limit(limit)
    ).all()


def next_in(session: Session, conversation_id: int) -> Outgoing | None:
    """The oldest message of the conversation that still waits; those after it wait for it."""
    row = session.execute(
        select(Message, Identity.external_id)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .join(Identity)
        .where(Message.conversation_id == conversation_id, Message.delivery == Delivery.PENDING)
        .order_by(Message.seq)
        .limit(1)
    ).first()
    if row is None:
        return None
    message, address = row
    return Outgoing(message=message, address=address, not_before=message.deliver_after)


def claim(session: Session, message_id: int, *, now: datetime, lease: timedelta) -> bool:
    """Whether the caller may send it now. Nobody else may until the lease ends; each claim counts as an attempt."""
    claimed = session.scalar(
        update(Message)
        .where(
            Message.id == message_id,
            Message.delivery == Delivery.PENDING,
            or_(Message.deliver_after.is_(None), Message.deliver_after <= now),
        )
        .values(deliver_after=now + lease, delivery_attempts=Message.delivery_attempts + 1)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return claimed is not None


def sent(session: Session, message_id: int, *, external_id: str | None, now: datetime) -> None:
    """It arrived; ``external_id`` is the channel's own name for it."""
    _settle(session, message_id, delivery=Delivery.SENT, external_id=external_id, delivered_at=now, delivery_error=None)


def failed(session: Session, message_id: int, *, reason: str) -> None:
    """It will never arrive, and why."""
    _settle(session, message_id, delivery=Delivery.FAILED, delivery_error=reason)


def again(session: Session, message_id: int, *, after: datetime, reason: str) -> None:
    """It may be tried again, not before ``after``."""
    _settle(session, message_id, deliver_after=after, delivery_error=reason)


def _settle(session: Session, message_id: int, **values: object) -> None:
    session.execute(
        update(Message).where(Message.id == message_id).values(**values).execution_options(synchronize_session=False)
    )
