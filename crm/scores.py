"""What the newest complete analysis says: scores, segments, recommendations, forecasts. Half-done ones are not seen."""

import tomllib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm.models import (
    Analysis,
    AnalysisStatus,
    CustomerScore,
    Forecast,
    ModelRun,
    Recommendation,
    RecommendationList,
    Segment,
    SegmentMovement,
    StockOut,
)

_REASONS = Path(__file__).with_name("score_reasons.toml")
_WHY = Path(__file__).with_name("recommendation_reasons.toml")


def latest(session: Session, *, until: datetime | None = None) -> Analysis | None:
    """The newest complete analysis, or the newest as of no later than ``until``."""
    found = select(Analysis).where(Analysis.status == AnalysisStatus.COMPLETE)
    if until is not None:
        found = found.where(Analysis.as_of <= until)
    return session.scalar(found.order_by(Analysis.as_of.desc(), Analysis.id.desc()).limit(1))


def last_run(session: Session) -> Analysis | None:
    """The complete analysis that was run last, whatever moment it looked at."""
    return session.scalar(
        select(Analysis).where(Analysis.status == AnalysisStatus.COMPLETE).order_by(Analysis.id.desc()).limit(1)
    )


def score_of(session: Session, customer_id: int) -> CustomerScore | None:
    """The customer's scores; None before the first analysis and for who has not bought."""
    analysis = latest(session)
    if analysis is None:
        return None
    return session.scalar(
        select(CustomerScore).where(CustomerScore.analysis_id == analysis.id, CustomerScore.customer_id == customer_id)
    )


def at_risk_and_valuable(session: Session, analysis: Analysis, *, limit: int) -> Sequence[CustomerScore]:
    """Where a message is worth most: those more likely lost than not, by what is at stake in the next 90 days."""
    stake = CustomerScore.churn_risk * CustomerScore.value_365d_minor
    return session.scalars(
        select(CustomerScore)
        .where(CustomerScore.analysis_id == analysis.id, CustomerScore.churn_risk >= 0.5)
        .where(CustomerScore.value_365d_minor > 0)
        .order_by(stake.desc(), CustomerScore.customer_id)
        .limit(limit)
    ).all()


def segment_sizes(session: Session, analysis: Analysis) -> dict[Segment, int]:
    rows = session.execute(
        select(CustomerScore.segment, func.count())
        .where(CustomerScore.analysis_id == analysis.id)
        .group_by(CustomerScore.segment)
    )
    return {row.segment: row[1] for row in rows}


def movements(session: Session, analysis: Analysis) -> Sequence[SegmentMovement]:
    """Who moved between segments, most first; those who stayed are not among them."""
    return session.scalars(
        select(SegmentMovement)
        .where(SegmentMovement.analysis_id == analysis.id, SegmentMovement.before != SegmentMovement.after)
        .order_by(SegmentMovement.customers.desc())
    ).all()


def recommended(
    session: Session, customer_id: int, *, which: RecommendationList | None = None
) -> Sequence[Recommendation]:
    """The customer's recommendations, best first; empty for who has none."""
    analysis = latest(session)
    if analysis is None:
        return []
    found = select(Recommendation).where(
        Recommendation.analysis_id == analysis.id, Recommendation.customer_id == customer_id
    )
    if which is not None:
        found = found.where(Recommendation.list == which)
    return session.scalars(found.order_by(Recommendation.list, Recommendation.rank)).all()


def forecast(session: Session, analysis: Analysis, series: str = "total") -> Sequence[Forecast]:
    return session.scalars(
        select(Forecast).where(Forecast.analysis_id == analysis.id, Forecast.series == series).order_by(Forecast.day)
    ).all()


def stock_outs(session: Session, analysis: Analysis, *, limit: int = 10) -> Sequence[StockOut]:
    return session.scalars(
        select(StockOut).where(StockOut.analysis_id == analysis.id).order_by(StockOut.expected_on).limit(limit)
    ).all()


def model_runs(session: Session, analysis: Analysis) -> Sequence[ModelRun]:
    """One per model and method tried, those that serve first."""
    return session.scalars(
        select(ModelRun)
        .where(ModelRun.analysis_id == analysis.id)
        .order_by(ModelRun.champion.desc(), ModelRun.model, ModelRun.method)
    ).all()


@cache
def _reasons() -> dict[str, dict[str, str]]:
    return tomllib.loads(_REASONS.read_text(encoding="utf-8"))


def reason_text(reason: dict[str, Any], language: str) -> str:
    """A reason in words; ``reason`` as stored: its code and the figures it names."""
    return _reasons()[reason["code"]][language].format(**reason)


@cache
def _why() -> dict[str, dict[str, str]]:
    return tomllib.loads(_WHY.read_text(encoding="utf-8"))


def recommended_because(reason: str, product: str | None, language: str) -> str:
    """A recommendation's reason as a sentence; ``product`` is what led to it, if something did."""
    code = "popular" if reason == "bought_together" and not product else reason
    return _why()[code][language].format(product=product)
