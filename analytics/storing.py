"""Writing what an analysis found. Many small transactions, so that the chat never waits for one; all invisible until
the analysis is marked complete."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import pandas as pd
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

import crm
from analytics.forecast.outlooks import Outlooks
from analytics.frames import Frames
from analytics.recommendations.lists import Recommendations
from analytics.scoring import Scores
from analytics.segments.rules import movements
from crm import money, scores
from crm.models import (
    CustomerScore,
    Forecast,
    ModelName,
    ModelRun,
    Recommendation,
    SegmentMovement,
    StockOut,
)
from crm.models.base import Base
from crm.shop import Shop

ROWS_AT_ONCE = 2_000
_RESULTS: tuple[type[Base], ...] = (CustomerScore, SegmentMovement, Recommendation, Forecast, StockOut, ModelRun)


def undo(session: Session, analysis_id: int) -> None:
    """Takes away all that an analysis has written."""
    for result in _RESULTS:
        table: Table = result.__table__  # type: ignore[assignment]
        session.execute(delete(table).where(table.c.analysis_id == analysis_id))


def _insert(model: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
    waiting = iter(rows)
    while some := list(islice(waiting, ROWS_AT_ONCE)):
        with crm.session() as session:
            session.execute(insert(model), some)


def segments_before(as_of: datetime) -> pd.Series:
    """Each customer's segment in the newest complete analysis of an earlier moment; index customer_id."""
    with crm.reading() as session:
        newest = scores.latest(session, until=as_of)
        rows = (
            session.execute(
                select(CustomerScore.customer_id, CustomerScore.segment).where(CustomerScore.analysis_id == newest.id)
            ).all()
            if newest is not None
            else []
        )
    return pd.Series({customer: str(segment) for customer, segment in rows}, dtype=object, name="before")


def write_scores(analysis_id: int, shop: Shop, found: Scores | None, before: pd.Series) -> None:
    if found is None:
        return
    scale = 10 ** money.digits(shop.currency)
    _insert(CustomerScore, _score_rows(analysis_id, found.table, scale))
    if len(before):
        moved = movements(before, found.table["segment"])
        _insert(SegmentMovement, _movement_rows(analysis_id, moved))


def _movement_rows(analysis_id: int, moved: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in moved.itertuples(index=False):
        before = row.before if isinstance(row.before, str) else None
        yield {"analysis_id": analysis_id, "before": before, "after": row.after, "customers": int(row.customers)}


def _score_rows(analysis_id: int, table: pd.DataFrame, scale: int) -> Iterator[dict[str, Any]]:
    for row in table.itertuples():
        yield {
            "analysis_id": analysis_id,
            "customer_id": int(row.Index),
            "churn_risk": float(row.churn_risk),
            "segment": row.segment,
            "outlier": bool(row.outlier),
            "cluster": None if pd.isna(row.cluster) else int(row.cluster),
            "expected_orders_90d": float(row.expected_orders_90d),
            "expected_orders_365d": float(row.expected_orders_365d),
            "value_90d_minor": round(float(row.value_90d) * scale),
            "value_365d_minor": round(float(row.value_365d) * scale),
            "next_amount_minor": round(float(row.next_amount) * scale),
            "purchase_intent": float(row.purchase_intent),
            "reasons": row.reasons,
        }


def write_recommendations(analysis_id: int, found: Recommendations) -> None:
    _insert(
        Recommendation,
        (
            {
                "analysis_id": analysis_id,
                "customer_id": row.customer_id,
                "list": row.list,
                "rank": row.rank,
                "product_id": row.product_id,
                "score": row.score,
                "reason": row.reason.value,
                "because_of_id": row.because_of_id,
            }
            for row in found.rows
        ),
    )


def write_forecasts(analysis_id: int, shop: Shop, found: Outlooks) -> None:
    scale = 10 ** money.digits(shop.currency)
    _insert(
        Forecast,
        (
            {
                "analysis_id": analysis_id,
                "series": series.name,
                "day": day.date(),
                "amount_minor": round(float(series.middle[place]) * scale),
                "low_minor": round(float(series.low[place]) * scale),
                "high_minor": round(float(series.high[place]) * scale),
            }
            for series in found.series
            for place, day in enumerate(found.days)
        ),
    )
    _insert(StockOut, ({"analysis_id": analysis_id, **vars(one)} for one in found.runs_out))


def model_runs(
    analysis_id: int,
    frames: Frames,
    found: Scores | None,
    recommended: Recommendations,
    expected: Outlooks,
    versions: dict[str, str],
    now: datetime,
) -> list[ModelRun]:
    """One per model and method tried."""
    first = frames.orders["ordered_at"].min() if len(frames.orders) else None

    def run(model: ModelName, method: str, **more: Any) -> ModelRun:
        return ModelRun(
            analysis_id=analysis_id,
            model=model,
            method=method,
            data_from=first.to_pydatetime() if first is not None else None,
            data_until=frames.as_of,
            versions=versions,
            finished_at=now,
            **{"champion": True, "rows": len(frames.orders), "parameters": {}, "metrics": {}, **more},
        )

    runs = [*_score_runs(run, found)]
    weights = {"every": recommended.weights.every, "new": recommended.weights.new}
    runs.append(
        run(
            ModelName.RECOMMENDATIONS,
            "popularity" if recommended.weights.fallback else "blend",
            parameters=weights,
            metrics=recommended.weights.metrics,
            fallback=recommended.weights.fallback,
        )
    )
    total = expected.total
    tried = {total.method: total.errors.get(total.method)} | total.errors
    for method, error in tried.items():
        runs.append(
            run(
                ModelName.FORECAST,
                method,
                champion=method == total.method,
                fallback=total.fallback,
                parameters={"shopping_days": expected.effects} if method == total.method else {},
                metrics={} if error is None else {"mase": error},
            )
        )
    return runs


def _score_runs(run: Any, found: Scores | None) -> Iterator[ModelRun]:
    if found is None:
        return
    for trial in found.churn.trials:
        yield run(
            ModelName.CHURN,
            trial.name,
            champion=trial.champion,
            fallback=found.churn.fallback,
            metrics=trial.metrics,
            parameters=found.churn.parameters if trial.champion else {},
            rows=len(found.table),
        )
    yield run(ModelName.VALUE, found.expects_by, fallback=found.expects_by == "pulled_rate", rows=len(found.table))
    tried = {found.amounts.method: found.amounts.errors.get(found.amounts.method)} | found.amounts.errors
    for method, error in tried.items():
        yield run(
            ModelName.NEXT_AMOUNT,
            method,
            champion=method == found.amounts.method,
            fallback=found.amounts.fallback,
            metrics={} if error is None else {"mae": error},
        )
    grouped = found.clusters
    yield run(
        ModelName.SEGMENTS,
        "rules" if grouped is None else "rules_and_kmeans",
        rows=len(found.table),
        metrics={} if grouped is None else {"silhouette": grouped.silhouette, "stability": grouped.stability},
        parameters={}
        if grouped is None
        else {
            "centres": grouped.centres.ravel().tolist(),
            "middle": grouped.middle.tolist(),
            "spread": grouped.spread.tolist(),
        },
    )


def counts(frames: Frames, found: Scores | None, recommended: Recommendations) -> dict[str, Any]:
    """What the analysis rests on and what was left out, for the owner and for ``desk analyse --json``."""
    return {
        "customers": 0 if found is None else len(found.table),
        "orders": len(frames.orders),
        "order_lines": len(frames.lines),
        "messages": len(frames.messages),
        "recommendations": len(recommended.rows),
        "left_out": frames.left_out,
    }
