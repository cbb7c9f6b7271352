"""How many different people did something in a week: what a sharing report counts, before noise.

A person counts once in each figure, however often they wrote or bought, and under all their accounts together.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, case, cast, func, literal, select
from sqlalchemy.orm import Session

from crm.models import Author, Conversation, Feedback, Handoff, Identity, Message, Order, SharingReport
from crm.weeks import Week

SATISFIED = 4


@dataclass(frozen=True)
class WeeklyPeople:
    """``satisfied`` are those of the ``rating`` whose best score of the week was 4 or 5."""

    writing: int
    handed_off: int
    buying: int
    rating: int
    satisfied: int


def weekly_people(session: Session, week: Week) -> WeeklyPeople:
    """The true numbers; they do not leave the shop."""
    person = case(
        (Identity.customer_id.is_not(None), literal("c") + cast(Identity.customer_id, String)),
        else_=literal("i") + cast(Identity.id, String),
    )
    people = select(func.count(person.distinct())).select_from(Conversation).join(Identity)
    written = people.join(Message, Message.conversation_id == Conversation.id).where(Message.author == Author.CUSTOMER)
    handed = people.join(Handoff, Handoff.conversation_id == Conversation.id)
    rated = people.join(Feedback, Feedback.conversation_id == Conversation.id)
    bought = select(func.count(Order.customer_id.distinct())).where(Order.cancelled_at.is_(None))
    return WeeklyPeople(
        writing=_counted(session, written, Message.created_at, week),
        handed_off=_counted(session, handed, Handoff.opened_at, week),
        buying=_counted(session, bought, Order.placed_at, week),
        rating=_counted(session, rated, Feedback.given_at, week),
        satisfied=_counted(session, rated.where(Feedback.score >= SATISFIED), Feedback.given_at, week),
    )


def _counted(session: Session, statement: Select[int], when: Any, week: Week) -> int:
    return session.scalar(statement.where(when >= week.starts_at, when < week.ends_at)) or 0


def spent(session: Session, since: datetime) -> float:
    """The sum of the epsilons of all reports made since then."""
    return session.scalar(select(func.sum(SharingReport.epsilon)).where(SharingReport.made_at >= since)) or 0.0


def report_of(session: Session, week: Week) -> SharingReport | None:
    return session.scalar(select(SharingReport).where(SharingReport.week == week.label))
