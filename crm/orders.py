"""Orders, always looked up together with who is asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from crm.errors import OrderNotFound
from crm.models import Conversation, Disclosure, Identity, Order, VerificationAttempt
from crm.phones import same_email, same_phone

MAX_FAILURES_PER_CONVERSATION = 5
MAX_FAILURES_PER_ORDER = 20
FAILURES_COUNT_FOR = timedelta(hours=24)


def normal_number(number: str) -> str:
    """An order number as it is stored: no "#", no spaces, upper case."""
    return "".join(number.split()).lstrip("#＃").upper()


def _named(session: Session, number: str) -> Sequence[Order]:
    return session.scalars(
        select(Order)
        .where(Order.number == normal_number(number))
        .options(selectinload(Order.lines), selectinload(Order.shipments))
        .order_by(Order.placed_at.desc())
    ).all()


def order_of(session: Session, conversation: Conversation, number: str) -> Order:
    """The order, if this conversation has shown that it may know it. Raises OrderNotFound.

    That is: the identity is linked to the customer who placed it, or the contact on it was given here before.
    """
    identity = session.get_one(Identity, conversation.identity_id)
    proven = None
    for order in _named(session, number):
        if order.customer_id is not None and order.customer_id == identity.customer_id:
            return order
        if proven is None:
            proven = session.scalar(
                select(VerificationAttempt.id).where(
                    VerificationAttempt.conversation_id == conversation.id,
                    VerificationAttempt.order_number == order.number,
                    VerificationAttempt.succeeded,
                )
            )
        if proven is not None:
            return order
    raise OrderNotFound(number)


@dataclass(frozen=True)
class Proof:
    """The outcome of an attempt. Without ``order`` it failed; ``exhausted`` says that a person has to look now."""

    order: Order | None
    exhausted: bool = False


def prove(session: Session, conversation: Conversation, number: str, contact: str, *, now: datetime) -> Proof:
    """Tries whether ``contact`` (an e-mail or phone) is the one on the order; if so links the identity to the customer.

    A wrong number and a stranger's order fail alike. Every attempt is counted, which is why failing is a result here
    and not an error: an error would roll the count back.
    """
    number = normal_number(number)
    failed = select(func.count()).where(
        ~VerificationAttempt.succeeded, VerificationAttempt.attempted_at > now - FAILURES_COUNT_FOR
    )
    here = session.scalar(failed.where(VerificationAttempt.conversation_id == conversation.id)) or 0
    anywhere = session.scalar(failed.where(VerificationAttempt.order_number == number)) or 0
    if here >= MAX_FAILURES_PER_CONVERSATION or anywhere >= MAX_FAILURES_PER_ORDER:
        return Proof(None, exhausted=True)
    matching = next((order for order in _named(session, number) if _is_contact_of(order, contact)), None)
    session.add(
        VerificationAttempt(
            conversation_id=conversation.id, order_number=number, succeeded=matching is not None, attempted_at=now
        )
    )
    session.flush()
    if matching is None:
        return Proof(None, exhausted=here + 1 >= MAX_FAILURES_PER_CONVERSATION)
    identity = session.get_one(Identity, conversation.identity_id)
    if identity.customer_id is None and matching.customer_id is not None:
        identity.customer_id, identity.linked_at, identity.linked_by = matching.customer_id, now, "order_and_contact"
    return Proof(matching)


def _is_contact_of(order: Order, contact: str) -> bool:
    emails = {order.email, order.customer.email if order.customer else None}
    phones = {order.phone, order.customer.phone if order.customer else None}
    if "@" in contact:
        return any(email and same_email(email, contact) for email in emails)
    return any(phone and same_phone(phone, contact) for phone in phones)


def recent_orders(session: Session, conversation: Conversation, *, limit: int = 5) -> Sequence[Order]:
    """The newest orders of the customer to whom this conversation is linked; empty for a stranger."""
    identity = session.get_one(Identity, conversation.identity_id)
    if identity.customer_id is None:
        return []
    return session.scalars(
        select(Order)
        .where(Order.customer_id == identity.customer_id)
        .options(selectinload(Order.lines), selectinload(Order.shipments))
        .order_by(Order.placed_at.desc())
        .limit(limit)
    ).all()


def note_disclosure(session: Session, conversation: Conversation, order: Order, what: str, *, now: datetime) -> None:
    """Writes into the audit log that something about the order was told."""
    session.add(
        Disclosure(
            conversation_id=conversation.id, customer_id=order.customer_id, order_id=order.id, what=what, told_at=now
        )
    )
