"""The figures behind the owner's reports, week by week. Definitions: docs/metrics.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from crm import resolution, scores
from crm.figures import Figures, figures
from crm.models import (
    Analysis,
    Author,
    CustomerScore,
    Forecast,
    Message,
    MessageSentiment,
    ModelRun,
    Segment,
    SegmentMovement,
)
from crm.shop import Shop
from crm.weeks import Week

WEEKS = 12
RISKY = 0.5


@dataclass(frozen=True)
class WeekReport:
    """One week. ``sentiment`` are shares of negative, neutral, positive; ``bot_seconds`` the median answer."""

    week: Week
    figures: Figures
    resolution: resolution.Week
    bot_seconds: float | None
    sentiment: tuple[float, float, float] | None


@dataclass(frozen=True)
class Outlook:
    """What the newest analysis expects. ``churn`` counts customers by risk in fifths, from safe to lost."""

    analysis: Analysis
    segments: dict[Segment, int]
    movements: Sequence[SegmentMovement]
    churn: Sequence[int]
    risky: int
    forecast: Sequence[Forecast]
    runs: Sequence[ModelRun]


def weeks(session: Session, shop: Shop, *, now: datetime, count: int = WEEKS) -> list[WeekReport]:
    """The last ``count`` weeks, the present one last."""
    present = Week.containing(now, shop.zone)
    return [_week(session, shop, present.before(back), now) for back in range(count - 1, -1, -1)]


def _week(session: Session, shop: Shop, week: Week, now: datetime) -> WeekReport:
    since, until = week.starts_at, week.ends_at
    return WeekReport(
        week=week,
        figures=figures(session, since, until, currency=shop.currency),
        resolution=resolution.between(session, since, until, as_of=now),
        bot_seconds=_bot_seconds(session, since, until),
        sentiment=_sentiment(session, since, until),
    )


def _bot_seconds(session: Session, since: datetime, until: datetime) -> float | None:
    found = session.scalars(
        select(Message.answer_ms)
        .where(
            Message.author == Author.CUSTOMER,
            Message.created_at >= since,
            Message.created_at < until,
            Message.answer_ms.is_not(None),
        )
        .limit(5_000)
    ).all()
    return median(value for value in found if value is not None) / 1000 if found else None


def _sentiment(session: Session, since: datetime, until: datetime) -> tuple[float, float, float] | None:
    def counted(label: str) -> object:
        return func.coalesce(func.sum(case((MessageSentiment.label == label, 1), else_=0)), 0)

    negative, neutral, positive = session.execute(
        select(counted("negative"), counted("neutral"), counted("positive"))  # type: ignore[call-overload]
        .join(Message, Message.id == MessageSentiment.message_id)
        .where(Message.created_at >= since, Message.created_at < until)
    ).one()
    total = negative + neutral + positive
    return (negative / total, neutral / total, positive / total) if total else None


def outlook(session: Session) -> Outlook | None:
    """None before the first analysis."""
    analysis = scores.latest(session)
    if analysis is None:
        return None
    risks = session.scalars(select(CustomerScore.churn_risk).where(CustomerScore.analysis_id == analysis.id)).all()
    fifths = [0] * 5
    for risk in risks:
        fifths[min(4, int(risk * 5))] += 1
    return Outlook(
        analysis=analysis,
        segments=scores.segment_sizes(session, analysis),
        movements=scores.movements(session, analysis)[:8],
        churn=fifths,
        risky=sum(risk >= RISKY for risk in risks),
        forecast=scores.forecast(session, analysis),
        runs=[run for run in scores.model_runs(session, analysis) if run.champion],
    )
