"""Messages that have to be carried to a channel, in order within a conversation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from crm.changing import Changing
from crm.models import Channel, Conversation, Delivery, Identity, Message, OwnerNotice

LATEST = 2_000
# How Telegram's messages are named here, in and out: chat and number.
_NUMBERED = re.compile(r"(?:out:)?-?\d+:(\d{1,10})")


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


def claim(session: Session, message_id: int, *, now: datetime, lease: timedelta, last_number: int) -> bool:
    """Whether the caller may send it now. Nobody else may until the lease ends; each claim counts as an attempt.

    ``last_number`` is the highest number that the channel is known to have given. It stays on the message as
    ``tried_after`` until the try's end is known, so that even after a crash one can ask whether the message arrived.
    """
    claimed = Changing(
        update(Message)
        .where(
            Message.id == message_id,
            Message.delivery == Delivery.PENDING,
            or_(Message.deliver_after.is_(None), Message.deliver_after <= now),
        )
        .values(
            deliver_after=now + lease,
            delivery_attempts=Message.delivery_attempts + 1,
            tried_after=func.coalesce(Message.tried_after, last_number),
        ),
        Message.id,
    ).first(session)
    return claimed is not None


def begin_piece(session: Session, message_id: int, *, arrived: int, last_number: int) -> None:
    """``arrived`` pieces are there, and the next one is sent now."""
    _settle(session, message_id, delivered_pieces=arrived, tried_after=last_number)


def sent(session: Session, message_id: int, *, external_id: str | None, now: datetime) -> None:
    """It arrived; ``external_id`` is the channel's own name for it."""
    _settle(
        session,
        message_id,
        delivery=Delivery.SENT,
        external_id=external_id,
        delivered_at=now,
        delivery_error=None,
        tried_after=None,
    )


def failed(session: Session, message_id: int, *, reason: str) -> None:
    """It will never arrive, and why."""
    _settle(session, message_id, delivery=Delivery.FAILED, delivery_error=reason, tried_after=None)


def again(session: Session, message_id: int, *, after: datetime, reason: str, arrived: int) -> None:
    """It did not arrive but for its first ``arrived`` pieces, and may be tried again, not before ``after``."""
    _settle(session, message_id, deliver_after=after, delivery_error=reason, delivered_pieces=arrived, tried_after=None)


def in_doubt(session: Session, message_id: int, *, after: datetime, reason: str) -> None:
    """Nobody knows whether it arrived; that is to be asked, not before ``after``."""
    _settle(session, message_id, deliver_after=after, delivery_error=reason)


def numbers(session: Session, channel: Channel) -> set[int]:
    """The numbers that the channel is known to have given to the latest messages of all conversations."""
    names = session.scalars(
        select(Message.external_id)
        .where(Message.channel == channel, Message.external_id.is_not(None))
        .order_by(Message.id.desc())
        .limit(LATEST)
    )
    found = (_NUMBERED.fullmatch(name or "") for name in names)
    return {int(match[1]) for match in found if match is not None}


def last_number(session: Session, channel: Channel) -> int:
    """The highest number that the channel is known to have given to a message; 0 if there is none."""
    shown_to_owner = session.scalar(select(func.max(OwnerNotice.telegram_id))) if channel is Channel.TELEGRAM else 0
    return max(numbers(session, channel) | {shown_to_owner or 0})


def _settle(session: Session, message_id: int, **values: object) -> None:
    session.execute(
        update(Message).where(Message.id == message_id).values(**values).execution_options(synchronize_session=False)
    )
