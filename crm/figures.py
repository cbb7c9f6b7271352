"""The key figures of a stretch of time, each by one definition (docs/metrics.md), straight from the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from crm.models import Author, Feedback, FinancialStatus, Handoff, Message, Order, Ticket, TicketKind

NOT_UNDERSTOOD = ("out_of_scope", "nlu_fallback")


@dataclass(frozen=True)
class Figures:
    """What happened from ``since`` until just before ``until``.

    sales_minor       : totals of orders placed and not cancelled, in the shop's currency; refunds are not netted
    other_currencies  : orders in another currency, counted in ``orders`` but not in ``sales_minor``
    conversations     : those in which a customer wrote
    handovers         : conversations handed to the owner
    answered_by_owner : median minutes from handover to the owner's first words; None without any
    satisfaction      : mean CSAT, 1 to 5, of ``ratings`` scores; None without any
    """

    sales_minor: int = 0
    orders: int = 0
    other_currencies: int = 0
    buyers: int = 0
    new_buyers: int = 0
    conversations: int = 0
    customer_messages: int = 0
    not_understood: int = 0
    handovers: int = 0
    complaints: int = 0
    answered_by_owner: float | None = None
    satisfaction: float | None = None
    ratings: int = 0

    @property
    def average_order_minor(self) -> int | None:
        counted = self.orders - self.other_currencies
        return round(self.sales_minor / counted) if counted else None

    @property
    def empty(self) -> bool:
        """Neither an order nor a word from a customer."""
        return not self.orders and not self.customer_messages


def figures(session: Session, since: datetime, until: datetime, *, currency: str) -> Figures:
    """The key figures of ``since`` ≤ t < ``until``; ``currency`` is the shop's."""
    sales = _sales(session, since, until, currency)
    messages, conversations, not_understood = _messages(session, since, until)
    satisfaction, ratings = session.execute(
        select(func.avg(Feedback.score), func.count()).where(Feedback.given_at >= since, Feedback.given_at < until)
    ).one()
    return Figures(
        **sales,
        conversations=conversations,
        customer_messages=messages,
        not_understood=not_understood,
        handovers=session.scalar(
            select(func.count(distinct(Handoff.conversation_id))).where(
                Handoff.opened_at >= since, Handoff.opened_at < until
            )
        )
        or 0,
        complaints=session.scalar(
            select(func.count()).where(
                Ticket.kind == TicketKind.COMPLAINT, Ticket.opened_at >= since, Ticket.opened_at < until
            )
        )
        or 0,
        answered_by_owner=_minutes_to_answer(session, since, until),
        satisfaction=float(satisfaction) if satisfaction is not None else None,
        ratings=ratings,
    )


def _sales(session: Session, since: datetime, until: datetime, currency: str) -> dict[str, int]:
    placed = (
        Order.placed_at >= since,
        Order.placed_at < until,
        Order.cancelled_at.is_(None),
        Order.financial_status != FinancialStatus.VOIDED,
    )
    by_currency = {
        code: (number, int(total))  # PostgreSQL adds large integers up to a decimal
        for code, number, total in session.execute(
            select(Order.currency, func.count(), func.coalesce(func.sum(Order.total_minor), 0))
            .where(*placed)
            .group_by(Order.currency)
        )
    }
    own, sales = by_currency.get(currency, (0, 0))
    orders = sum(number for number, _ in by_currency.values())
    buyers = select(Order.customer_id).where(*placed, Order.customer_id.is_not(None)).distinct()
    known = (
        session.scalar(
            select(func.count(distinct(Order.customer_id))).where(
                Order.customer_id.in_(buyers), Order.placed_at < since, Order.cancelled_at.is_(None)
            )
        )
        or 0
    )
    all_buyers = session.scalar(select(func.count()).select_from(buyers.subquery())) or 0
    return {
        "sales_minor": int(sales),
        "orders": orders,
        "other_currencies": orders - own,
        "buyers": all_buyers,
        "new_buyers": all_buyers - known,
    }


def _messages(session: Session, since: datetime, until: datetime) -> tuple[int, int, int]:
    written = (Message.author == Author.CUSTOMER, Message.created_at >= since, Message.created_at < until)
    messages, conversations = session.execute(
        select(func.count(), func.count(distinct(Message.conversation_id))).where(*written)
    ).one()
    missed = session.scalar(select(func.count()).where(*written, Message.intent.in_(NOT_UNDERSTOOD)))
    return messages, conversations, missed or 0


def _minutes_to_answer(session: Session, since: datetime, until: datetime) -> float | None:
    first = (
        select(func.min(Message.created_at))
        .where(
            Message.conversation_id == Handoff.conversation_id,
            Message.author == Author.OWNER,
            Message.created_at >= Handoff.opened_at,
        )
        .correlate(Handoff)
        .scalar_subquery()
    )
    rows: Sequence[tuple[datetime, datetime | None]] = [
        (opened, answered)
        for opened, answered in session.execute(
            select(Handoff.opened_at, first).where(Handoff.opened_at >= since, Handoff.opened_at < until)
        )
    ]
    waits = [(answered - opened).total_seconds() / 60 for opened, answered in rows if answered is not None]
    return median(waits) if waits else None
