"""Orders, always looked up together with who is asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from crm import customers
from crm.errors import OrderNotFound
from crm.models import Conversation, Customer, Disclosure, Identity, Order, VerificationAttempt
from crm.order_numbers import normal_number as normal_number  # part of this module for its callers
from crm.phones import same_email, same_phone

MAX_FAILURES_PER_CONVERSATION = 5
MAX_FAILURES_PER_ORDER = 20
MAX_FAILURES_PER_ADDRESS = 15
FAILURES_COUNT_FOR = timedelta(hours=24)
LEAST_COMPARED = 2
Contacts = tuple[str | None, str | None, str | None, str | None]
"""E-mail and phone of the order, then of its customer."""
_NOBODY: Contacts = ("nobody@invalid.example", "+10000000000", "nobody@invalid.example", "+10000000000")


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
    if _exhausted(session, conversation, number, now=now):
        return Proof(None, exhausted=True)
    matching = _with_contact(session, number, contact)
    attempt = VerificationAttempt(
        conversation_id=conversation.id,
        order_number=number,
        address=conversation.address,
        succeeded=matching is not None,
        attempted_at=now,
    )
    session.add(attempt)
    session.flush()
    if matching is None:
        return Proof(None, exhausted=_exhausted(session, conversation, number, now=now))
    identity = session.get_one(Identity, conversation.identity_id)
    if matching.customer_id is not None:
        customers.show_to_be(session, identity, matching.customer_id, conversation=conversation, now=now)
    return Proof(matching)


def _exhausted(session: Session, conversation: Conversation, number: str, *, now: datetime) -> bool:
    """Whether there were too many failures in this conversation, from its network address, or on this number."""
    failed = select(func.count()).where(
        ~VerificationAttempt.succeeded, VerificationAttempt.attempted_at > now - FAILURES_COUNT_FOR
    )
    limits = [
        (VerificationAttempt.conversation_id == conversation.id, MAX_FAILURES_PER_CONVERSATION),
        (VerificationAttempt.order_number == number, MAX_FAILURES_PER_ORDER),
    ]
    if conversation.address is not None:
        limits.append((VerificationAttempt.address == conversation.address, MAX_FAILURES_PER_ADDRESS))
    return any((session.scalar(failed.where(condition)) or 0) >= most for condition, most in limits)


def _with_contact(session: Session, number: str, contact: str) -> Order | None:
    """The order with that number and contact. A stranger's number and a wrong one take the same queries and time."""
    named = session.execute(
        select(Order.id, Order.email, Order.phone, Customer.email, Customer.phone)
        .outerjoin(Customer, Customer.id == Order.customer_id)
        .where(Order.number == number)
        .order_by(Order.placed_at.desc())
    ).all()
    known: list[tuple[int, Contacts]] = [(row[0], (row[1], row[2], row[3], row[4])) for row in named]
    # As much is compared when the number is nobody's as when it is somebody else's.
    padded = [*known, *[(0, _NOBODY)] * max(0, LEAST_COMPARED - len(known))]
    found = [order_id for order_id, contacts in padded if _is_one_of(contact, contacts) and order_id]
    return session.get(Order, found[0]) if found else None


def _is_one_of(contact: str, contacts: Contacts) -> bool:
    """Compares all of them, whichever fits."""
    same, candidates = (same_email, contacts[0::2]) if "@" in contact else (same_phone, contacts[1::2])
    return sum(same(candidate, contact) for candidate in candidates if candidate) > 0


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
