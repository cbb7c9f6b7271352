"""Returns: asked for by customers, decided once by the shop, and told in the chat in which they were asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session, joinedload

from crm import conversations
from crm.changing import Changing
from crm.conversations import Reply
from crm.errors import CrmError
from crm.models import Author, Conversation, Identity, Message, Order, ReturnRequest, ReturnStatus
from crm.privacy.marks import PREFIX

LONGEST_NOTE = 500
SHOWN = 200
UNPAID = (ReturnStatus.APPROVED, ReturnStatus.RECEIVED)
# What a customer is told, in their language.
Telling = Callable[[ReturnRequest, str], str]


class ReturnNotFound(CrmError):
    def __init__(self, number: int) -> None:
        super().__init__(f"no return request {number}")


class ReturnDecided(CrmError):
    """Somebody decided on it before, or its refund was noted before."""

    def __init__(self, status: ReturnStatus) -> None:
        self.status = status
        super().__init__(f"This return is already {status}.")


@dataclass(frozen=True)
class Decided:
    """``message`` is None where there is no chat any more to tell it in."""

    request: ReturnRequest
    message: Message | None
    public_id: str | None


def ask(
    session: Session, conversation: Conversation, order: Order, *, request_key: str, reason: str, now: datetime
) -> ReturnRequest:
    """A return request, made once per ``request_key``."""
    found = session.scalar(select(ReturnRequest).where(ReturnRequest.request_key == request_key))
    if found is not None:
        return found
    request = ReturnRequest(
        request_key=request_key, order_id=order.id, conversation_id=conversation.id, reason=reason, requested_at=now
    )
    session.add(request)
    session.flush()
    return request


def latest(session: Session, order: Order) -> ReturnRequest | None:
    return session.scalar(_all().where(ReturnRequest.order_id == order.id).order_by(ReturnRequest.id.desc()).limit(1))


def open_requests(session: Session, *, conversation_id: int | None = None) -> Sequence[ReturnRequest]:
    """What waits for a decision, the longest wait first."""
    wanted = _all().where(ReturnRequest.status == ReturnStatus.REQUESTED).order_by(ReturnRequest.id).limit(SHOWN)
    if conversation_id is not None:
        wanted = wanted.where(ReturnRequest.conversation_id == conversation_id)
    return session.scalars(wanted).unique().all()


def unannounced(session: Session, *, limit: int = 50) -> Sequence[ReturnRequest]:
    """Asked for in a chat, and the owner's phone was not told of them yet."""
    wanted = _all().where(
        ReturnRequest.status == ReturnStatus.REQUESTED,
        ReturnRequest.owner_told_at.is_(None),
        ReturnRequest.conversation_id.is_not(None),
    )
    return session.scalars(wanted.order_by(ReturnRequest.id).limit(limit)).unique().all()


def claim(session: Session, request: ReturnRequest, *, now: datetime) -> bool:
    """Whether the caller is the one to announce it; another gateway may be at it too."""
    claimed = Changing(
        update(ReturnRequest)
        .where(ReturnRequest.id == request.id, ReturnRequest.owner_told_at.is_(None))
        .values(owner_told_at=now),
        ReturnRequest.id,
    ).first(session)
    return claimed is not None


def to_refund(session: Session) -> Sequence[ReturnRequest]:
    """Approved ones whose money is not noted as paid back, the oldest first."""
    wanted = _all().where(ReturnRequest.status.in_(UNPAID)).order_by(ReturnRequest.id).limit(SHOWN)
    return session.scalars(wanted).unique().all()


def decided(session: Session, *, limit: int = 30) -> Sequence[ReturnRequest]:
    """Those with nothing left to do, the newest first."""
    done = (ReturnStatus.DECLINED, ReturnStatus.REFUNDED)
    wanted = _all().where(ReturnRequest.status.in_(done)).order_by(ReturnRequest.id.desc()).limit(limit)
    return session.scalars(wanted).unique().all()


def of_customer(session: Session, customer_id: int, conversation_ids: Sequence[int]) -> Sequence[ReturnRequest]:
    """Of the customer's orders, or asked for in one of these conversations; the newest first."""
    theirs = or_(Order.customer_id == customer_id, ReturnRequest.conversation_id.in_(conversation_ids))
    wanted = _all().join(Order, Order.id == ReturnRequest.order_id).where(theirs).order_by(ReturnRequest.id.desc())
    return session.scalars(wanted.limit(SHOWN)).unique().all()


def decide(
    session: Session, number: int, *, approve: bool, by: str, note: str, telling: Telling, now: datetime
) -> Decided:
    """Approves or declines, once, and tells the customer. Raises ReturnNotFound, ReturnDecided."""
    values = {"decided_at": now, "decided_by": by, "decision_note": note.strip()[:LONGEST_NOTE]}
    status = ReturnStatus.APPROVED if approve else ReturnStatus.DECLINED
    return _settle(session, number, (ReturnStatus.REQUESTED,), status, values, telling, now)


def note_refund(session: Session, number: int, *, telling: Telling, now: datetime) -> Decided:
    """The money of an approved one is paid back, and the customer hears so. Raises ReturnNotFound, ReturnDecided."""
    return _settle(session, number, UNPAID, ReturnStatus.REFUNDED, {"refunded_at": now}, telling, now)


def _all() -> Select[ReturnRequest]:
    return select(ReturnRequest).options(joinedload(ReturnRequest.order).selectinload(Order.lines))


def _settle(
    session: Session,
    number: int,
    before: Sequence[ReturnStatus],
    after: ReturnStatus,
    values: dict[str, Any],
    telling: Telling,
    now: datetime,
) -> Decided:
    # Two people, or one who taps twice: only one of them finds the state that it was in before.
    taken = Changing(
        update(ReturnRequest)
        .where(ReturnRequest.id == number, ReturnRequest.status.in_(before))
        .values(status=after, **values),
        ReturnRequest.id,
    ).first(session)
    request = session.get(ReturnRequest, number, populate_existing=True)
    if request is None:
        raise ReturnNotFound(number)
    if taken is None:
        raise ReturnDecided(request.status)
    return _tell(session, request, telling, now)


def _tell(session: Session, request: ReturnRequest, telling: Telling, now: datetime) -> Decided:
    conversation = _chat_of(session, request)
    if conversation is None:
        return Decided(request, None, None)
    reply = Reply(telling(request, conversation.language), language=conversation.language)
    message = conversations.add_message(session, conversation, reply, author=Author.BOT, now=now)
    request.told_at = now
    session.flush()
    return Decided(request, message, conversation.public_id)


def _chat_of(session: Session, request: ReturnRequest) -> Conversation | None:
    """None for requests from elsewhere, and for people who were forgotten."""
    if request.conversation_id is None:
        return None
    conversation = session.get_one(Conversation, request.conversation_id)
    account = session.get_one(Identity, conversation.identity_id)
    return None if account.external_id.startswith(PREFIX) else conversation
