"""What to recommend: learnt for this customer, else bought together and bought often, from the shop's own order lines.

Never what is out of stock, nor what this customer bought lately. Each suggestion carries its reason.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm import products, scores, shown_recommendations
from crm.models import (
    FinancialStatus,
    Order,
    OrderLine,
    Product,
    ProductStatus,
    RecommendationList,
    ReturnRequest,
    ReturnStatus,
    Variant,
)

POPULAR_WITHIN = timedelta(days=90)
BOUGHT_LATELY = timedelta(days=120)
TOGETHER_AT_LEAST = 2


class Reason(StrEnum):
    """Why something is suggested; the wording of each is in the domain."""

    BOUGHT_TOGETHER = "bought_together"
    POPULAR = "popular"
    NEW = "new"


@dataclass(frozen=True)
class Recommendation:
    """``because_of`` is the product that led to it, for ``BOUGHT_TOGETHER``."""

    product: Product
    reason: Reason
    because_of: Product | None = None


def recommend(
    session: Session,
    *,
    now: datetime,
    customer_id: int | None = None,
    seeds: Sequence[int] = (),
    within: Collection[int] | None = None,
    budget_minor: int | None = None,
    exclude: Collection[int] = (),
    limit: int = 3,
    personal: bool = True,
) -> list[Recommendation]:
    """Up to ``limit`` suggestions, best first.

    seeds        : products the customer is looking at; without them what the newest analysis learnt for the customer
                   comes first, then what goes with what was bought last
    within       : only these products (a category the customer named)
    budget_minor : nothing whose cheapest variant costs more
    exclude      : not these, for instance what was just shown
    personal     : without, what sells just now, whoever asks; what was bought or sent back is left out all the same

    What was shown often and never taken comes only when nothing else is left.
    """
    bought = _bought(session, customer_id, since=now - BOUGHT_LATELY)
    leads = list(seeds) or (bought[:3] if personal else [])
    never = {*bought, *leads, *exclude, *_sent_back(session, customer_id)}
    tired = shown_recommendations.tired_of(session, customer_id, now=now) if customer_id is not None else set()
    unwanted = never | tired
    picked: list[Recommendation] = []
    chosen: set[int] = set()

    def take(ids: Sequence[tuple[int, int | None]], reason: Reason) -> None:
        wanted = [pair for pair in ids if pair[0] not in unwanted | chosen and (within is None or pair[0] in within)]
        # A few at a time: most often the first ones will do.
        for few in _in_batches(wanted, limit + 2):
            known = {p.id: p for p in products.by_ids(session, {i for pair in few for i in pair if i is not None})}
            for product_id, lead in few:
                product = known.get(product_id)
                if len(picked) >= limit or product is None or not _affordable(product, budget_minor):
                    continue
                picked.append(Recommendation(product, reason, known.get(lead) if lead is not None else None))
                chosen.add(product_id)
            if len(picked) >= limit:
                return

    if customer_id is not None and personal and not seeds:
        for product_id, because_of in _learnt(session, customer_id):
            take([(product_id, because_of)], Reason.POPULAR if because_of is None else Reason.BOUGHT_TOGETHER)
    if leads and len(picked) < limit:
        take(_bought_together(session, leads, limit=limit * 8 + len(unwanted)), Reason.BOUGHT_TOGETHER)
    if len(picked) < limit:
        take(_popular(session, limit=limit * 8 + len(unwanted) if within is None else 500), Reason.POPULAR)
    if len(picked) < limit:
        take(_newest(session, limit=500 if within is not None else limit * 8 + len(unwanted)), Reason.NEW)
    if len(picked) < limit and tired:
        unwanted = never
        take(_popular(session, limit=500), Reason.POPULAR)
    return picked


def _in_batches(pairs: Sequence[tuple[int, int | None]], size: int) -> Iterator[Sequence[tuple[int, int | None]]]:
    for start in range(0, len(pairs), size):
        yield pairs[start : start + size]


def _affordable(product: Product, budget_minor: int | None) -> bool:
    prices = [variant.price_minor for variant in product.variants if variant.in_stock]
    return bool(prices) and (budget_minor is None or min(prices) <= budget_minor)


def _bought(session: Session, customer_id: int | None, *, since: datetime) -> list[int]:
    if customer_id is None:
        return []
    rows = session.execute(
        select(OrderLine.product_id)
        .join(Order)
        .where(
            Order.customer_id == customer_id,
            Order.placed_at >= since,
            Order.cancelled_at.is_(None),
            OrderLine.product_id.is_not(None),
        )
        .order_by(Order.placed_at.desc(), OrderLine.position)
        .limit(200)
    )
    return list(dict.fromkeys(product_id for (product_id,) in rows if product_id is not None))


def _sent_back(session: Session, customer_id: int | None) -> set[int]:
    """Products of orders the customer wanted to return or got all money back for, whenever that was."""
    if customer_id is None:
        return set()
    returning = select(ReturnRequest.order_id).where(ReturnRequest.status != ReturnStatus.DECLINED)
    found = session.scalars(
        select(OrderLine.product_id)
        .join(Order)
        .where(
            Order.customer_id == customer_id,
            OrderLine.product_id.is_not(None),
            or_(
                OrderLine.quantity < 0,
                Order.financial_status == FinancialStatus.REFUNDED,
                Order.id.in_(returning),
            ),
        )
    )
    return {product_id for product_id in found if product_id is not None}


def _learnt(session: Session, customer_id: int) -> list[tuple[int, int | None]]:
    """What the newest complete analysis found new for this customer, best first, each with what led to it."""
    found = scores.recommended(session, customer_id, which=RecommendationList.NEW_FOR_YOU)
    return [(one.product_id, one.because_of_id) for one in found]


def _bought_together(session: Session, leads: Sequence[int], *, limit: int) -> list[tuple[int, int | None]]:
    """Products in the same orders as the leads, each with the lead it goes with most often."""
    seed = aliased(OrderLine)
    orders = func.count(func.distinct(OrderLine.order_id))
    rows = session.execute(
        select(OrderLine.product_id, seed.product_id, orders)
        .join(seed, and_(seed.order_id == OrderLine.order_id, seed.product_id != OrderLine.product_id))
        .where(seed.product_id.in_(leads), OrderLine.product_id.is_not(None), OrderLine.quantity > 0)
        .group_by(OrderLine.product_id, seed.product_id)
        .having(orders >= TOGETHER_AT_LEAST)
        .order_by(orders.desc(), OrderLine.product_id)
        .limit(limit * len(leads))
    ).all()
    first: dict[int, int | None] = {}
    for product_id, lead, _ in rows:
        if product_id is not None:
            first.setdefault(product_id, lead)
    return list(first.items())[:limit]


def _popular(session: Session, *, limit: int) -> list[tuple[int, int | None]]:
    """What most orders held lately; "lately" ends with the newest order, so that an old import still has an answer."""
    newest = session.scalar(select(func.max(Order.placed_at)))
    if newest is None:
        return []
    sellable = select(Variant.product_id).where(
        or_(Variant.inventory.is_(None), Variant.inventory > 0, Variant.sells_when_empty)
    )
    rows = session.scalars(
        select(OrderLine.product_id)
        .join(Order)
        .where(
            Order.placed_at >= newest - POPULAR_WITHIN,
            Order.cancelled_at.is_(None),
            OrderLine.product_id.in_(sellable),
            OrderLine.quantity > 0,
        )
        .group_by(OrderLine.product_id)
        .order_by(func.count(func.distinct(OrderLine.order_id)).desc(), OrderLine.product_id)
        .limit(limit)
    )
    return [(product_id, None) for product_id in rows if product_id is not None]


def _newest(session: Session, *, limit: int) -> list[tuple[int, int | None]]:
    rows = session.scalars(
        select(Product.id)
        .where(Product.status == ProductStatus.ACTIVE)
        .order_by(Product.created_at.desc(), Product.id.desc())
        .limit(limit)
    )
    return [(product_id, None) for product_id in rows]
