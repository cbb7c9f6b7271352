"""What a rule brings in, against the customers it was withheld from."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import effects
from crm.effects import Effect
from crm.models import FollowUp, FollowUpKind, FollowUpStatus, Order

BUYS_WITHIN = timedelta(days=30)


def effect(session: Session, kind: FollowUpKind, *, now: datetime, within: timedelta = BUYS_WITHIN) -> Effect:
    """Who bought within so many days of the draft: those it was meant for against those it was withheld from.

    Compares the groups as they were drawn, also those whose draft the owner dismissed; leaving them out would compare
    picked customers with unpicked ones.
    """
    next_order = (
        select(func.min(Order.placed_at))
        .where(
            Order.customer_id == FollowUp.customer_id,
            Order.placed_at > FollowUp.drafted_at,
            Order.cancelled_at.is_(None),
        )
        .correlate(FollowUp)
        .scalar_subquery()
    )
    counts = {True: [0, 0], False: [0, 0]}
    rows = session.execute(
        select(FollowUp.status, FollowUp.drafted_at, next_order).where(
            FollowUp.kind == kind, FollowUp.customer_id.is_not(None), FollowUp.drafted_at <= now - within
        )
    )
    for status, drafted_at, bought_at in rows:
        group = counts[status is not FollowUpStatus.WITHHELD]
        group[0] += 1
        group[1] += bought_at is not None and bought_at <= drafted_at + within
    return effects.compare(counts[True][0], counts[True][1], counts[False][0], counts[False][1])
