"""Customers: who is linked to a conversation, what is known about them, what they allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import merging
from crm.errors import CustomerNotFound
from crm.models import (
    AccountLink,
    Author,
    Consent,
    ConsentKind,
    Conversation,
    Customer,
    Disclosure,
    Identity,
    MergeProof,
    Message,
    Order,
)
from crm.privacy.subjects import kept_of

MOST_NAMESAKES = 20


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


def show_to_be(
    session: Session,
    identity: Identity,
    customer_id: int,
    *,
    now: datetime,
    conversation: Conversation | None = None,
    proof: MergeProof = MergeProof.ORDER_AND_CONTACT,
) -> None:
    """Links an account to a customer, after it was proven that it is theirs.

    An account that already belongs to another customer keeps them; the two become one customer only if they also share
    an e-mail or phone: a couple can know each other's order numbers and is two people all the same.
    """
    customer_id = kept_of(session, customer_id)
    if identity.customer_id is None:
        for account in (identity, *_linked_accounts(session, identity)):
            if account.customer_id is None:
                account.customer_id, account.linked_at, account.linked_by = customer_id, now, str(proof)
        return
    known = kept_of(session, identity.customer_id)
    if known != customer_id and merging.share_a_contact(session, known, customer_id):
        merging.merge(session, known, customer_id, proof=proof, now=now, conversation=conversation)


def _linked_accounts(session: Session, identity: Identity) -> Sequence[Identity]:
    """The same person's accounts on other channels, by links that they followed."""
    forth = select(AccountLink.to_identity_id).where(AccountLink.from_identity_id == identity.id)
    back = select(AccountLink.from_identity_id).where(AccountLink.to_identity_id == identity.id)
    standing = AccountLink.undone_at.is_(None)
    either = Identity.id.in_(forth.where(standing)) | Identity.id.in_(back.where(standing))
    return session.scalars(select(Identity).where(either)).all()


def link_vouched(
    session: Session, identity: Identity, *, customer_id: str | None, email: str | None, now: datetime
) -> bool:
    """Links the account to the customer whom the shop's site names, by the shop's own number or by e-mail.

    False if the records know none of that name, or several.
    """
    named = select(Customer.id).where(Customer.erased_at.is_(None))
    named = named.where(Customer.external_id == customer_id) if customer_id else named.where(Customer.email == email)
    found = {kept_of(session, one) for one in session.scalars(named.limit(MOST_NAMESAKES))}
    if len(found) != 1:
        return False
    show_to_be(session, identity, found.pop(), now=now, proof=MergeProof.SIGNED_IDENTITY)
    return True


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


def note_disclosure(
    session: Session, conversation: Conversation, customer_id: int | None, what: str, *, now: datetime
) -> None:
    """Writes into the audit log that something about the customer was told."""
    session.add(Disclosure(conversation_id=conversation.id, customer_id=customer_id, what=what, told_at=now))


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
