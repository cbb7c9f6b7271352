"""What was recommended to whom, what they looked at, and which group of the trial they belong to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import effects
from crm.models import Conversation, Order, OrderLine, ShownRecommendation

if TYPE_CHECKING:
    from crm.recommendations import Recommendation

TRIAL = "recommendations"
CONTROL_SHARE = 0.2
CLICK_WITHIN = timedelta(days=7)
TIRED_WITHIN = timedelta(days=90)
TIRED_AFTER = 3


def is_personal(customer_id: int) -> bool:
    """Whether the customer gets personal picks; the held-out fifth gets what sells just now, always the same people."""
    return not effects.in_control_group(TRIAL, f"customer:{customer_id}", CONTROL_SHARE)


def note_shown(
    session: Session,
    conversation: Conversation,
    shown: Sequence["Recommendation"],
    *,
    customer_id: int | None,
    now: datetime,
    personal: bool | None = None,
) -> None:
    """Remembers what was recommended to whom, so that its effect can be measured.

    personal : the customer's group where the groups are answered differently; None does not count in the trial
    """
    session.add_all(
        ShownRecommendation(
            conversation_id=conversation.id,
            customer_id=customer_id,
            product_id=item.product.id,
            rank=rank,
            reason=item.reason.value,
            shown_at=now,
            personal=personal,
        )
        for rank, item in enumerate(shown, start=1)
    )


def note_clicked(session: Session, conversation: Conversation, product_id: int, *, now: datetime) -> None:
    """The product's details were asked for; counted where it was recommended here within a week."""
    found = session.scalar(
        select(ShownRecommendation)
        .where(
            ShownRecommendation.conversation_id == conversation.id,
            ShownRecommendation.product_id == product_id,
            ShownRecommendation.shown_at >= now - CLICK_WITHIN,
        )
        .order_by(ShownRecommendation.id.desc())
        .limit(1)
    )
    if found is not None and found.clicked_at is None:
        found.clicked_at = now


def tired_of(session: Session, customer_id: int, *, now: datetime) -> set[int]:
    """Products shown to the customer at three moments within 90 days and never looked at nor bought since."""
    bought_since = (
        select(OrderLine.id)
        .join(Order)
        .where(
            Order.customer_id == customer_id,
            Order.cancelled_at.is_(None),
            OrderLine.product_id == ShownRecommendation.product_id,
            Order.placed_at >= now - TIRED_WITHIN,
        )
        .correlate(ShownRecommendation)
        .exists()
    )
    moments = func.count(func.distinct(ShownRecommendation.shown_at))
    found = session.scalars(
        select(ShownRecommendation.product_id)
        .where(
            ShownRecommendation.customer_id == customer_id,
            ShownRecommendation.shown_at >= now - TIRED_WITHIN,
            ~bought_since,
        )
        .group_by(ShownRecommendation.product_id)
        .having(moments >= TIRED_AFTER, func.count(ShownRecommendation.clicked_at) == 0)
    )
    return set(found)
