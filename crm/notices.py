"""Messages to the owner's own Telegram chats: an outbox of their own, so that they never stand before a customer's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from crm import owners
from crm.changing import Changing
from crm.models import Conversation, Delivery, Handoff, OwnerNotice, OwnerNoticeKind, ReturnRequest, ReturnStatus

LEASE = timedelta(seconds=60)
KEPT = timedelta(days=14)


def unannounced(session: Session, *, limit: int = 50) -> Sequence[Handoff]:
    """Handoffs that the owner has not been told of, oldest first."""
    return session.scalars(
        select(Handoff)
        .where(Handoff.notified_at.is_(None), Handoff.returned_at.is_(None))
        .order_by(Handoff.id)
        .limit(limit)
    ).all()


def claim_handoff(session: Session, handoff: Handoff, *, now: datetime) -> bool:
    """Whether the caller is the one to announce it; another gateway may be at it too."""
    claimed = Changing(
        update(Handoff).where(Handoff.id == handoff.id, Handoff.notified_at.is_(None)).values(notified_at=now),
        Handoff.id,
    ).first(session)
    return claimed is not None


def announce_again(session: Session) -> None:
    """For a chat that was just paired: what waits for the owner is announced once more."""
    session.execute(
        update(Handoff)
        .where(Handoff.returned_at.is_(None), Handoff.taken_at.is_(None))
        .values(notified_at=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(ReturnRequest)
        .where(ReturnRequest.status == ReturnStatus.REQUESTED)
        .values(owner_told_at=None)
        .execution_options(synchronize_session=False)
    )


def write(
    session: Session,
    kind: OwnerNoticeKind,
    text: str,
    *,
    now: datetime,
    conversation: Conversation | None = None,
    buttons: list[dict[str, Any]] | None = None,
    not_before: datetime | None = None,
    chat_id: str | None = None,
) -> int:
    """One notice for each of the owner's chats, or for ``chat_id`` only; how many."""
    chats = [chat_id] if chat_id is not None else owners.telegram_chats(session)
    for chat in chats:
        session.add(
            OwnerNotice(
                chat_id=chat,
                kind=kind,
                conversation_id=conversation.id if conversation is not None else None,
                text=text,
                buttons=buttons,
                made_at=now,
                deliver_after=not_before,
            )
        )
    session.flush()
    return len(chats)


def pass_on(
    session: Session, conversation: Conversation, who: str, text: str, *, now: datetime, not_before: datetime | None
) -> None:
    """What a customer said to the owner; it joins a notice of theirs that has not left yet, so that a burst is one."""
    waiting = session.scalars(
        select(OwnerNotice).where(
            OwnerNotice.conversation_id == conversation.id,
            OwnerNotice.kind == OwnerNoticeKind.LINE,
            OwnerNotice.delivery == Delivery.PENDING,
            OwnerNotice.delivery_attempts == 0,
        )
    ).all()
    for notice in waiting:
        notice.text += f"\n{text}"
    if not waiting:
        write(
            session,
            OwnerNoticeKind.LINE,
            f"{who}\n{text}",
            now=now,
            conversation=conversation,
            not_before=not_before,
        )
    session.flush()


def next_for_each_chat(session: Session, *, now: datetime) -> Sequence[OwnerNotice]:
    """What may be sent now, the oldest of each chat.

    One that has to be tried again holds up those after it; one that waits for the end of quiet hours does not.
    """
    found: dict[str, OwnerNotice | None] = {}
    for notice in session.scalars(
        select(OwnerNotice).where(OwnerNotice.delivery == Delivery.PENDING).order_by(OwnerNotice.id).limit(500)
    ):
        due = notice.deliver_after is None or notice.deliver_after <= now
        if notice.chat_id not in found and (due or notice.delivery_attempts):
            found[notice.chat_id] = notice if due else None
    return [notice for notice in found.values() if notice is not None]


def claim(session: Session, notice_id: int, *, now: datetime, last_number: int) -> OwnerNotice | None:
    """The notice as it is now if the caller may send it; nobody else may for a minute.

    ``last_number`` is the highest number that Telegram is known to have given, kept until the try's end is known.
    """
    claimed = Changing(
        update(OwnerNotice)
        .where(
            OwnerNotice.id == notice_id,
            OwnerNotice.delivery == Delivery.PENDING,
            or_(OwnerNotice.deliver_after.is_(None), OwnerNotice.deliver_after <= now),
        )
        .values(
            deliver_after=now + LEASE,
            delivery_attempts=OwnerNotice.delivery_attempts + 1,
            tried_after=func.coalesce(OwnerNotice.tried_after, last_number),
        ),
        OwnerNotice.id,
    ).first(session)
    return session.get(OwnerNotice, claimed) if claimed is not None else None


def begin(session: Session, notice_id: int, *, last_number: int) -> None:
    """An earlier try is known to have failed, and another one begins."""
    _settle(session, notice_id, tried_after=last_number)


def sent(session: Session, notice_id: int, *, telegram_id: int, now: datetime) -> None:
    _settle(session, notice_id, delivery=Delivery.SENT, telegram_id=telegram_id, delivered_at=now, tried_after=None)


def failed(session: Session, notice_id: int) -> None:
    _settle(session, notice_id, delivery=Delivery.FAILED, tried_after=None)


def again(session: Session, notice_id: int, *, after: datetime, in_doubt: bool) -> None:
    """It may be tried again; ``in_doubt`` when it may have arrived, which is asked first then."""
    _settle(session, notice_id, deliver_after=after, **({} if in_doubt else {"tried_after": None}))


def forget_old(session: Session, *, now: datetime) -> None:
    """Notices repeat what customers wrote: those that were read long ago are not kept."""
    session.execute(
        delete(OwnerNotice).where(OwnerNotice.made_at < now - KEPT, OwnerNotice.delivery != Delivery.PENDING)
    )


def _settle(session: Session, notice_id: int, **values: object) -> None:
    session.execute(
        update(OwnerNotice)
        .where(OwnerNotice.id == notice_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def conversation_of_reply(session: Session, chat_id: str, telegram_id: int) -> Conversation | None:
    """The conversation that the notice with this Telegram id is about."""
    return session.scalar(
        select(Conversation)
        .join(OwnerNotice, OwnerNotice.conversation_id == Conversation.id)
        .where(OwnerNotice.chat_id == chat_id, OwnerNotice.telegram_id == telegram_id)
    )


def conversation_in_hand(session: Session, chat_id: str, *, since: datetime) -> Conversation | None:
    """The conversation that a message without reply is meant for: the only one held, else the only one waiting."""
    for taken in (Handoff.taken_at.is_not(None), Handoff.taken_at.is_(None)):
        found = session.scalars(
            select(Conversation)
            .join(Handoff)
            .where(Handoff.returned_at.is_(None), taken, Handoff.opened_at >= since)
            .limit(2)
        ).all()
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None
