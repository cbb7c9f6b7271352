"""The rules behind follow-ups: whom each one finds, and how it is set until the owner sets it otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from crm import scores
from crm.models import (
    Conversation,
    FollowUpKind,
    FulfillmentStatus,
    Order,
    OrderLine,
    Product,
    Quote,
    ReturnRequest,
    ReturnStatus,
    Shipment,
    StockWait,
    Variant,
)

DELIVERED_WITHIN = timedelta(days=7)
QUOTE_RESTS = timedelta(days=2)
BOUGHT_AGAIN_AT_LEAST = 3
DUE_BEFORE, DUE_AFTER = timedelta(days=3), timedelta(days=10)
WAITS_AT_MOST = timedelta(days=120)
TRUST_SCORES_FOR = timedelta(days=14)
MOST_AT_RISK = 10


@dataclass(frozen=True)
class Candidate:
    """Somebody a rule wants to write to. ``subject_key`` makes the same occasion the same follow-up."""

    subject_key: str
    customer_id: int | None = None
    conversation_id: int | None = None
    order_number: str | None = None
    product_id: int | None = None
    days: int | None = None
    quote_id: str | None = None
    until: datetime | None = None
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """``marketing`` ones go only to those who agreed to be written to; the others answer something they started."""

    find: Callable[[Session, datetime], Iterator[Candidate]]
    marketing: bool
    enabled: bool = True
    automatic: bool = False
    control_share: float = 0.0
    keeps: timedelta = timedelta(days=7)


def _delivered(session: Session, now: datetime) -> Iterator[Candidate]:
    arrived = func.coalesce(func.max(Shipment.delivered_at), Order.fulfilled_at)
    rows = session.execute(
        # MariaDB judges groups by nothing that is not selected.
        select(Order.id, Order.number, Order.customer_id, Order.fulfilled_at)
        .outerjoin(Shipment)
        .where(
            Order.fulfillment_status == FulfillmentStatus.DELIVERED,
            Order.customer_id.is_not(None),
            Order.cancelled_at.is_(None),
        )
        .group_by(Order.id)
        .having(and_(arrived > now - DELIVERED_WITHIN, arrived <= now - timedelta(days=1)))
    )
    for order_id, number, customer_id, _ in rows:
        yield Candidate(f"order:{order_id}", customer_id, order_number=number)


def _return_approved(session: Session, now: datetime) -> Iterator[Candidate]:
    """Those whom the decision itself could not tell, because they asked elsewhere than in a chat."""
    approved_at = func.coalesce(ReturnRequest.decided_at, ReturnRequest.requested_at)
    rows = session.execute(
        select(ReturnRequest.id, ReturnRequest.conversation_id, Order.number, Order.customer_id)
        .join(Order)
        .where(
            ReturnRequest.status == ReturnStatus.APPROVED,
            ReturnRequest.told_at.is_(None),
            approved_at > now - timedelta(days=60),
        )
    )
    for request_id, conversation_id, number, customer_id in rows:
        yield Candidate(f"return:{request_id}", customer_id, conversation_id, order_number=number)


def _quote_unanswered(session: Session, now: datetime) -> Iterator[Candidate]:
    rows = session.scalars(
        select(Quote).where(
            Quote.sent_at <= now - QUOTE_RESTS,
            Quote.accepted_at.is_(None),
            Quote.declined_at.is_(None),
            Quote.valid_until > now,
            Quote.conversation_id.is_not(None),
        )
    )
    for quote in rows:
        yield Candidate(
            f"quote:{quote.id}", None, quote.conversation_id, quote_id=quote.public_id, until=quote.valid_until
        )


def _replenishment(session: Session, now: datetime) -> Iterator[Candidate]:
    """Bought three times or more, and the usual gap is over just now."""
    often = (
        select(Order.customer_id, OrderLine.product_id)
        .join(OrderLine)
        .where(
            Order.customer_id.is_not(None),
            OrderLine.product_id.is_not(None),
            OrderLine.quantity > 0,
            Order.cancelled_at.is_(None),
            Order.placed_at <= now,
        )
        .group_by(Order.customer_id, OrderLine.product_id)
        .having(func.count(func.distinct(Order.id)) >= BOUGHT_AGAIN_AT_LEAST)
        .subquery()
    )
    rows = session.execute(
        select(Order.customer_id, OrderLine.product_id, Order.placed_at)
        .join(OrderLine)
        .join(often, and_(often.c.customer_id == Order.customer_id, often.c.product_id == OrderLine.product_id))
        .where(Order.cancelled_at.is_(None), Order.placed_at <= now)
        .order_by(Order.customer_id, OrderLine.product_id, Order.placed_at)
    )
    bought: dict[tuple[int, int], list[datetime]] = {}
    for customer_id, product_id, placed_at in rows:
        if customer_id is not None and product_id is not None:
            bought.setdefault((customer_id, product_id), []).append(placed_at)
    for (customer_id, product_id), times in bought.items():
        gap = timedelta(seconds=median((later - earlier).total_seconds() for earlier, later in pairwise(times)))
        due = times[-1] + gap
        if gap >= timedelta(days=7) and due - DUE_BEFORE <= now <= due + DUE_AFTER:
            yield Candidate(
                f"customer:{customer_id}:product:{product_id}:{times[-1].date()}",
                customer_id,
                product_id=product_id,
                days=gap.days,
            )


def _back_in_stock(session: Session, now: datetime) -> Iterator[Candidate]:
    sellable = select(Variant.product_id).where(
        or_(Variant.inventory.is_(None), Variant.inventory > 0, Variant.sells_when_empty)
    )
    rows = session.execute(
        select(StockWait.id, StockWait.asked_at, StockWait.conversation_id, StockWait.product_id)
        .join(Conversation)
        .join(Product)
        .where(StockWait.asked_at > now - WAITS_AT_MOST, StockWait.product_id.in_(sellable))
    )
    for wait_id, asked_at, conversation_id, product_id in rows:
        yield Candidate(f"wait:{wait_id}:{asked_at:%Y-%m-%d}", None, conversation_id, product_id=product_id)


def _at_risk(session: Session, now: datetime) -> Iterator[Candidate]:
    """The customers at whom most is at stake, at most once in a quarter each."""
    analysis = scores.latest(session, until=now)
    if analysis is None or analysis.as_of < now - TRUST_SCORES_FOR:
        return
    quarter = f"{now.year}-Q{(now.month + 2) // 3}"
    for score in scores.at_risk_and_valuable(session, analysis, limit=MOST_AT_RISK):
        yield Candidate(
            f"customer:{score.customer_id}:{quarter}",
            score.customer_id,
            data={"risk": score.churn_risk, "value_minor": score.value_365d_minor, "reasons": score.reasons},
        )


RULES: dict[FollowUpKind, Rule] = {
    FollowUpKind.AT_RISK: Rule(_at_risk, marketing=True, control_share=0.2, keeps=timedelta(days=10)),
    FollowUpKind.DELIVERED: Rule(_delivered, marketing=True),
    FollowUpKind.RETURN_APPROVED: Rule(_return_approved, marketing=False),
    FollowUpKind.QUOTE_UNANSWERED: Rule(_quote_unanswered, marketing=False),
    FollowUpKind.REPLENISHMENT: Rule(_replenishment, marketing=True, control_share=0.2, keeps=timedelta(days=10)),
    FollowUpKind.BACK_IN_STOCK: Rule(_back_in_stock, marketing=False, keeps=timedelta(days=14)),
}
