"""What personal recommendations bring in, against the customers who are shown what sells just now instead."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import effects
from crm.effects import Effect, MeanEffect
from crm.models import Order, ShownRecommendation

BUYS_WITHIN = timedelta(days=30)
LOOK_BACK = timedelta(days=365)


@dataclass(frozen=True)
class RecommendationEffect:
    """Customers of both groups within 30 days of their first recommendation of the last year.

    buyers      : shares that ordered
    orders      : orders per customer
    money_minor : spent per customer, in the smallest unit of the shop's currency
    """

    buyers: Effect
    orders: MeanEffect
    money_minor: MeanEffect

    @property
    def begun(self) -> bool:
        return bool(self.buyers.treated or self.buyers.control)


def recommendation_effect(session: Session, currency: str, *, now: datetime) -> RecommendationEffect:
    """Who asked and whose 30 days are over by ``now``, each in the group that was drawn, bought or not."""
    until = now - BUYS_WITHIN
    first = (
        select(
            ShownRecommendation.customer_id,
            ShownRecommendation.personal,
            func.min(ShownRecommendation.shown_at).label("shown_at"),
        )
        .where(
            ShownRecommendation.customer_id.is_not(None),
            ShownRecommendation.personal.is_not(None),
            ShownRecommendation.shown_at > now - LOOK_BACK,
            ShownRecommendation.shown_at <= until,
        )
        .group_by(ShownRecommendation.customer_id, ShownRecommendation.personal)
    )
    shown: dict[int, tuple[datetime, bool]] = {}
    for customer_id, personal, shown_at in session.execute(first.order_by(func.min(ShownRecommendation.shown_at))):
        if customer_id is not None and personal is not None:
            shown.setdefault(customer_id, (shown_at, personal))
    bought: dict[int, list[int]] = {customer_id: [] for customer_id in shown}
    asked = first.subquery()
    orders = session.execute(
        select(Order.customer_id, Order.placed_at, Order.total_minor - Order.refunded_minor).where(
            Order.customer_id.in_(select(asked.c.customer_id)),
            Order.cancelled_at.is_(None),
            Order.currency == currency,
            Order.placed_at > now - LOOK_BACK,
            Order.placed_at <= now,
        )
    )
    for buyer, placed_at, spent in orders:
        if buyer is not None and shown[buyer][0] < placed_at <= shown[buyer][0] + BUYS_WITHIN:
            bought[buyer].append(spent)
    groups = {
        wanted: [bought[customer_id] for customer_id, (_, personal) in shown.items() if personal is wanted]
        for wanted in (True, False)
    }
    treated, control = groups[True], groups[False]
    return RecommendationEffect(
        buyers=effects.compare(len(treated), sum(map(bool, treated)), len(control), sum(map(bool, control))),
        orders=effects.compare_means([len(one) for one in treated], [len(one) for one in control]),
        money_minor=effects.compare_means([sum(one) for one in treated], [sum(one) for one in control]),
    )
