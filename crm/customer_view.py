"""Everything the shop knows about one customer, on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, selectinload

from crm import customers, products, returns, scores, searching
from crm.models import (
    Consent,
    Conversation,
    Customer,
    CustomerScore,
    Feedback,
    Handoff,
    Identity,
    Message,
    MessageSentiment,
    Order,
    Product,
    Recommendation,
    ReturnRequest,
    Ticket,
)

PAGE = 50


@dataclass(frozen=True)
class CustomerRow:
    """One line of the list. ``spent_minor`` are totals not cancelled, in the shop's currency."""

    customer: Customer
    orders: int
    last_order_at: datetime | None
    score: CustomerScore | None


@dataclass(frozen=True)
class Recommended:
    product: Product
    recommendation: Recommendation


@dataclass(frozen=True)
class CustomerView:
    """``spent`` is by currency, in its smallest unit, refunds taken off."""

    customer: Customer
    identities: Sequence[Identity]
    orders: Sequence[Order]
    spent: dict[str, int]
    conversations: Sequence[Conversation]
    handoffs: int
    tickets: Sequence[Ticket]
    returns: Sequence[ReturnRequest]
    consents: Sequence[Consent]
    scores_given: Sequence[Feedback]
    sentiment: float | None
    score: CustomerScore | None
    recommended: Sequence[Recommended]

    @property
    def known_since(self) -> datetime:
        """The first order, or the record where there is none earlier."""
        return min([self.customer.created_at, *(order.placed_at for order in self.orders)])


def find(session: Session, search: str = "", *, page: int = 0) -> list[CustomerRow]:
    """Customers by name, address, phone or order number; without a search those who bought last."""
    last = func.max(Order.placed_at)
    wanted = (
        select(Customer, func.count(Order.id), last)
        .outerjoin(Order, (Order.customer_id == Customer.id) & Order.cancelled_at.is_(None))
        .where(Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
        .group_by(Customer.id)
        .order_by(last.desc().nulls_last(), Customer.id)
        .offset(page * PAGE)
        .limit(PAGE)
    )
    if search.strip():
        wanted = wanted.where(_matches(session, search.strip()))
    found = session.execute(wanted).all()
    known = _scores(session, [customer.id for customer, _, _ in found])
    return [CustomerRow(customer, number, at, known.get(customer.id)) for customer, number, at in found]


def _matches(session: Session, search: str) -> ColumnElement[bool]:
    ordered = select(Order.customer_id).where(Order.number == search.lstrip("#").upper())
    return or_(
        Customer.id.in_(searching.customers_named(session, search)),
        Customer.email == search.lower(),
        Customer.phone == search,
        Customer.id.in_(ordered),
    )


def _scores(session: Session, ids: Sequence[int]) -> dict[int, CustomerScore]:
    analysis = scores.latest(session)
    if analysis is None or not ids:
        return {}
    found = session.scalars(
        select(CustomerScore).where(CustomerScore.analysis_id == analysis.id, CustomerScore.customer_id.in_(ids))
    )
    return {score.customer_id: score for score in found}


def view(session: Session, customer_id: int) -> CustomerView:
    """Raises CustomerNotFound."""
    customer = customers.by_id(session, customer_id)
    identities = session.scalars(select(Identity).where(Identity.customer_id == customer_id)).all()
    of_theirs = [identity.id for identity in identities]
    orders = session.scalars(
        select(Order)
        .where(Order.customer_id == customer_id)
        .options(selectinload(Order.lines), selectinload(Order.shipments))
        .order_by(Order.placed_at.desc())
    ).all()
    conversations = session.scalars(
        select(Conversation)
        .where(Conversation.identity_id.in_(of_theirs))
        .order_by(Conversation.last_message_at.desc())
    ).all()
    talks = [conversation.id for conversation in conversations]
    return CustomerView(
        customer=customer,
        identities=identities,
        orders=orders,
        spent=_spent(orders),
        conversations=conversations,
        handoffs=session.scalar(select(func.count()).where(Handoff.conversation_id.in_(talks))) or 0,
        tickets=session.scalars(
            select(Ticket)
            .where(or_(Ticket.customer_id == customer_id, Ticket.conversation_id.in_(talks)))
            .order_by(Ticket.id.desc())
        ).all(),
        returns=returns.of_customer(session, customer_id, talks),
        consents=session.scalars(
            select(Consent)
            .where(or_(Consent.customer_id == customer_id, Consent.identity_id.in_(of_theirs)))
            .order_by(Consent.id.desc())
        ).all(),
        scores_given=session.scalars(
            select(Feedback).where(Feedback.conversation_id.in_(talks)).order_by(Feedback.id.desc())
        ).all(),
        sentiment=session.scalar(
            select(func.avg(MessageSentiment.score))
            .join(Message, Message.id == MessageSentiment.message_id)
            .where(Message.conversation_id.in_(talks))
        ),
        score=scores.score_of(session, customer_id),
        recommended=_recommended(session, customer_id),
    )


def _spent(orders: Sequence[Order]) -> dict[str, int]:
    spent: dict[str, int] = {}
    for order in orders:
        if order.cancelled_at is None:
            spent[order.currency] = spent.get(order.currency, 0) + order.total_minor - order.refunded_minor
    return spent


def _recommended(session: Session, customer_id: int) -> list[Recommended]:
    found = scores.recommended(session, customer_id)[:8]
    by_id = {product.id: product for product in products.by_ids(session, [one.product_id for one in found])}
    return [Recommended(by_id[one.product_id], one) for one in found if one.product_id in by_id]
