"""Customers: who is linked to a conversation, what is known about them, what they allow."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.errors import CustomerNotFound
from crm.models import (
    Author,
    Consent,
    ConsentKind,
    Conversation,
    Customer,
    Identity,
    Message,
    Order,
)


@dataclass(frozen=True)
class KnownAbout:
    """What the store holds about whoever is asking."""

    name: str | None
    email: str | None
    phone: str | None
    orders: int
    messages: int
    accepts_marketing: bool


def customer_of(session: Session, conversation: Conversation) -> Customer | None:
    """The customer this conversation's identity is linked to, or None for a stranger."""
    identity = session.get_one(Identity, conversation.identity_id)
    return session.get(Customer, identity.customer_id) if identity.customer_id is not None else None


def by_id(session: Session, customer_id: int) -> Customer:
    """Raises CustomerNotFound."""
    found = session.get(Customer, customer_id)
    if found is None:
        raise CustomerNotFound(customer_id)
    return found


def known_about(session: Session, conversation: Conversation) -> KnownAbout:
    """Counts and contact details for the one who asks; a stranger's record holds only the conversation."""
    customer = customer_of(session, conversation)
    messages = session.scalar(
        select(func.count())
        .select_from(Message)
        .join(Conversation)
        .where(Conversation.identity_id == conversation.identity_id, Message.author == Author.CUSTOMER)
    )
    orders = 0
    if customer is not None:
        orders = session.scalar(select(func.count()).select_from(Order).where(Order.customer_id == customer.id)) or 0
    return KnownAbout(
        name=customer.name if customer else None,
        email=customer.email if customer else None,
        phone=customer.phone if customer else None,
        orders=orders,
        messages=messages or 0,
        accepts_marketing=bool(customer and customer.accepts_marketing),
    )


def stop_marketing(session: Session, conversation: Conversation, *, wording: str, now: datetime) -> None:
    """No more marketing to this identity, nor to the customer it is linked to; the withdrawal is recorded."""
    identity = session.get_one(Identity, conversation.identity_id)
    identity.wants_marketing = False
    customer = customer_of(session, conversation)
    if customer is not None:
        customer.accepts_marketing = False
        customer.updated_at = now
    session.add(
        Consent(
            identity_id=identity.id,
            customer_id=identity.customer_id,
            kind=ConsentKind.MARKETING,
            granted=False,
            wording=wording,
            recorded_at=now,
        )
    )


def masked(value: str | None) -> str | None:
    """An address shown only as far as its owner recognises it: "m…n@example.com", "…1230"."""
    if not value:
        return None
    if "@" in value:
        name, _, host = value.partition("@")
        return f"{name[0]}…{name[-1]}@{host}" if len(name) > 2 else f"…@{host}"
    return f"…{value[-4:]}"
