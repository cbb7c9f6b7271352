"""Whose data is meant: by the store's own number, the shop's customer id, an e-mail address or an order number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.errors import CrmError
from crm.models import Conversation, Customer, Identity, Order, OrderState, ReturnRequest, ReturnStatus
from crm.order_numbers import normal_number
from crm.phones import normal_email

_UNFINISHED = (OrderState.AWAITING_PAYMENT, OrderState.PREPARING, OrderState.PARTLY_SHIPPED)


class SubjectNotFound(CrmError):
    def __init__(self, text: str) -> None:
        super().__init__(
            f"Nobody is known as {text!r}. Give a customer's id, the shop's own customer id, an e-mail address, an "
            "order number, or conversation:ID for a visitor who is no customer."
        )


class SubjectAmbiguous(CrmError):
    def __init__(self, text: str, meanings: Sequence[str]) -> None:
        super().__init__(f"{text!r} names more than one customer. Say which: {', '.join(meanings)}.")


@dataclass(frozen=True)
class Subject:
    """A person as the store knows them: their customer records (several if merged) and accounts on channels."""

    customers: tuple[int, ...]
    identities: tuple[int, ...]

    @property
    def customer(self) -> int | None:
        return self.customers[0] if self.customers else None


def of_customer(session: Session, customer_id: int) -> Subject:
    """The customer with everybody who was merged into them and every account linked to them."""
    kept = kept_of(session, customer_id)
    customers, into = [kept], [kept]
    while into := list(session.scalars(select(Customer.id).where(Customer.merged_into_id.in_(into)))):
        customers += sorted(into)
    identities = session.scalars(select(Identity.id).where(Identity.customer_id.in_(customers)).order_by(Identity.id))
    return Subject(tuple(customers), tuple(identities))


def of_conversation(session: Session, conversation: Conversation) -> Subject:
    """Whoever talks here: the customer if that was proven, else only this visitor's account."""
    identity = session.get_one(Identity, conversation.identity_id)
    if identity.customer_id is not None:
        return of_customer(session, identity.customer_id)
    return Subject((), (identity.id,))


def still_needed(session: Session, subject: Subject) -> bool:
    """Whether an order is on its way or money is owed, so that the shop has to know yet whom it deals with."""
    orders = session.scalars(select(Order).where(Order.customer_id.in_(subject.customers)))
    if any(order.state in _UNFINISHED for order in orders):
        return True
    returns = select(ReturnRequest.id).join(Order, Order.id == ReturnRequest.order_id)
    unfinished = ReturnRequest.status.not_in((ReturnStatus.REFUNDED, ReturnStatus.DECLINED))
    return session.scalar(returns.where(Order.customer_id.in_(subject.customers), unfinished)) is not None


def kept_of(session: Session, customer_id: int) -> int:
    """The customer that this one was merged into, or itself."""
    seen = {customer_id}
    while (into := session.scalar(select(Customer.merged_into_id).where(Customer.id == customer_id))) is not None:
        if into in seen:
            break
        seen.add(into)
        customer_id = into
    return customer_id


def find(session: Session, text: str, *, strict: bool = False) -> Subject:
    """The person meant. A prefix says how: ``id:7``, ``order:1001``, ``email:…``, ``shopify:7``, ``conversation:…``.

    Without one, the shop's own customer id counts before an order number, and both before the store's number; with
    ``strict`` more than one meaning is an error. Raises SubjectNotFound, SubjectAmbiguous.
    """
    text = text.strip()
    kind, colon, rest = text.partition(":")
    if colon and kind == "conversation":
        conversation = session.scalar(select(Conversation).where(Conversation.public_id == rest))
        if conversation is None:
            raise SubjectNotFound(text)
        return of_conversation(session, conversation)
    if colon and kind in _WAYS:
        return _only(session, text, [(kind, _WAYS[kind](session, rest))], strict=True)
    if colon and (named := _by_source(session, kind, rest)):
        return _only(session, text, [(kind, named)], strict=True)
    return _only(session, text, [(way, look(session, text)) for way, look in _WAYS.items()], strict=strict)


def _only(session: Session, text: str, found: Sequence[tuple[str, Sequence[Customer]]], *, strict: bool) -> Subject:
    meant: dict[int, str] = {}
    for way, customers in found:
        fresh = {kept_of(session, customer.id): customer for customer in customers}
        for kept, customer in fresh.items():
            name = f"{customer.source}:{customer.external_id}" if way == "customer" else f"{way}:{text}"
            meant.setdefault(kept, name if len(fresh) == 1 or way == "customer" else f"id:{kept}")
        if meant and not strict:
            break
    if not meant:
        raise SubjectNotFound(text)
    if len(meant) > 1:
        raise SubjectAmbiguous(text, list(dict.fromkeys(meant.values())))
    return of_customer(session, next(iter(meant)))


def _by_external_id(session: Session, text: str) -> Sequence[Customer]:
    return session.scalars(select(Customer).where(Customer.external_id == text)).all()


def _by_source(session: Session, source: str, text: str) -> Sequence[Customer]:
    return session.scalars(select(Customer).where(Customer.source == source, Customer.external_id == text)).all()


def _by_email(session: Session, text: str) -> Sequence[Customer]:
    email = normal_email(text) if "@" in text else None
    if email is None:
        return []
    ordered = select(Order.customer_id).where(Order.email == email, Order.customer_id.is_not(None))
    return session.scalars(select(Customer).where((Customer.email == email) | Customer.id.in_(ordered))).all()


def _by_order(session: Session, text: str) -> Sequence[Customer]:
    owners = select(Order.customer_id).where(Order.number == normal_number(text), Order.customer_id.is_not(None))
    return session.scalars(select(Customer).where(Customer.id.in_(owners))).all()


def _by_number(session: Session, text: str) -> Sequence[Customer]:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        return []
    found = session.get(Customer, int(text))
    return [found] if found is not None else []


_WAYS: dict[str, Callable[[Session, str], Sequence[Customer]]] = {
    "customer": _by_external_id,
    "email": _by_email,
    "order": _by_order,
    "id": _by_number,
}
