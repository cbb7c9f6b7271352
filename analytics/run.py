"""One analysis from beginning to end: nobody sees it before it is whole, and what was left half done is undone."""

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import crm
from analytics import lease, storing
from analytics.cluster import computing
from analytics.forecast.outlooks import Outlooks, outlooks
from analytics.frames import Frames, read_frames
from analytics.recommendations.blending import Weights
from analytics.recommendations.lists import Recommendations, recommendations
from analytics.scoring import Scores, score
from analytics.steps import BEFORE
from crm import scores as scores_store
from crm.models import Alert, AlertKind, Analysis, AnalysisStatus, ModelName, ModelRun
from crm.shop import Shop
from crm.types import now as crm_now

KEEP_ANALYSES = 8
KEEP_WEEKS = 60
DRIFT_FACTOR = 1.25
_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "statsmodels")


@dataclass(frozen=True)
class Step:
    """Told before each part of the work: its name, its number and how many there are."""

    name: str
    number: int
    of: int


Progress = Callable[[Step], None]
STEPS = ("reading", "scores", "recommendations", "forecast", "writing")


def analyse(
    shop: Shop,
    *,
    as_of: datetime,
    now: datetime,
    daily: bool = False,
    scheduler: str | None = None,
    progress: Progress = lambda step: None,
) -> int:
    """Runs every model over the store as it stood at ``as_of`` and writes what they find; the analysis's id.

    daily     : what serves goes on serving and is only brought up to date; without it, challengers are tried
    scheduler : the address of a Dask cluster that computes features and scores; without it they are computed here

    Raises AnalysisRuns when one is running. Whatever else goes wrong, the results of earlier analyses stay in force.
    """
    analysis_id = lease.begin(as_of, now)
    try:
        with lease.alive(analysis_id):
            counted = _before(shop, as_of, now, progress)
            _tell(progress, "reading")
            with crm.reading() as session:
                frames = read_frames(session, shop, as_of)
                serving = serving_before(session, as_of)
            _tell(progress, "scores")
            with computing(scheduler) as on:
                found = score(frames, in_use=serving.churn, frozen=serving.clusters, challenge=not daily, on=on)
            _tell(progress, "recommendations")
            recommended = recommendations(frames, weights=serving.weights if daily else None)
            _tell(progress, "forecast")
            expected = outlooks(frames, in_use=serving.forecast)
            _tell(progress, "writing")
            _write(analysis_id, shop, frames, found, recommended, expected, serving, now, counted)
    except BaseException as error:
        lease.give_up(analysis_id, crm_now(), type(error).__name__)
        raise
    return analysis_id


def _before(shop: Shop, as_of: datetime, now: datetime, progress: Progress) -> dict[str, int]:
    counted: dict[str, int] = {}
    for name, step in BEFORE.items():
        _tell(progress, name)
        counted.update(step(shop, as_of=as_of, now=now))
    return counted


def _tell(progress: Progress, name: str) -> None:
    steps = (*BEFORE, *STEPS)
    progress(Step(name, steps.index(name) + 1, len(steps)))


@dataclass(frozen=True)
class Serving:
    """What serves so far, model by model; empty before the first analysis."""

    churn: str | None = None
    forecast: str | None = None
    clusters: dict[str, Any] | None = None
    weights: Weights | None = None
    metrics: dict[ModelName, dict[str, float]] | None = None


def serving_before(session: Session, as_of: datetime) -> Serving:
    """From the champions of the newest complete analysis of no later moment than ``as_of``."""
    newest = scores_store.latest(session, until=as_of)
    if newest is None:
        return Serving()
    runs = {
        run.model: run
        for run in session.scalars(
            select(ModelRun).where(ModelRun.analysis_id == newest.id, ModelRun.champion.is_(True))
        )
    }
    churn, forecast, segments = (runs.get(name) for name in (ModelName.CHURN, ModelName.FORECAST, ModelName.SEGMENTS))
    return Serving(
        churn=churn.method if churn and not churn.fallback else None,
        forecast=forecast.method if forecast and not forecast.fallback else None,
        clusters=segments.parameters if segments and "centres" in segments.parameters else None,
        weights=_weights(runs.get(ModelName.RECOMMENDATIONS)),
        metrics={name: run.metrics for name, run in runs.items()},
    )


def _weights(run: ModelRun | None) -> Weights | None:
    if run is None or run.fallback:
        return None
    return Weights(run.parameters["every"], run.parameters["new"], run.metrics, fallback=False)


def _write(
    analysis_id: int,
    shop: Shop,
    frames: Frames,
    scores: Scores | None,
    recommended: Recommendations,
    expected: Outlooks,
    serving: Serving,
    now: datetime,
    counted: dict[str, int],
) -> None:
    previous = storing.segments_before(frames.as_of)
    storing.write_scores(analysis_id, shop, scores, previous)
    storing.write_recommendations(analysis_id, recommended)
    storing.write_forecasts(analysis_id, shop, expected)
    with crm.session() as session:
        runs = storing.model_runs(analysis_id, frames, scores, recommended, expected, versions(), now)
        for run in runs:
            run.drifted = has_drifted(run, (serving.metrics or {}).get(run.model, {}))
        session.add_all(runs)
        session.add_all(_warnings(session, runs, frames.as_of, now))
        analysis = session.get_one(Analysis, analysis_id)
        analysis.counts = storing.counts(frames, scores, recommended) | counted
        analysis.status, analysis.finished_at = AnalysisStatus.COMPLETE, crm_now()
        prune(session, now)


def has_drifted(run: ModelRun, before: dict[str, float]) -> bool:
    """Whether a model that serves does a quarter worse than it did in the analysis before."""
    if not run.champion:
        return False
    worse_when_higher = ("brier", "mase", "mae")
    return any(
        before.get(name, 0) > 0 and run.metrics.get(name, 0) > before[name] * DRIFT_FACTOR for name in worse_when_higher
    )


def _warnings(session: Session, runs: Sequence[ModelRun], as_of: datetime, now: datetime) -> Iterator[Alert]:
    """One alert per model and day that does clearly worse than before."""
    for run in runs:
        key = f"model_drift:{run.model}:{as_of:%Y-%m-%d}"
        if run.drifted and session.scalar(select(Alert.id).where(Alert.key == key)) is None:
            yield Alert(key=key, kind=AlertKind.MODEL_DRIFT, data={"model": str(run.model)}, opened_at=now)


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _LIBRARIES}}


def prune(session: Session, now: datetime) -> None:
    """Keeps the 8 newest analyses, and for 60 weeks the last one of each week."""
    kept: set[int] = set()
    weeks: set[tuple[int, int]] = set()
    complete = session.scalars(
        select(Analysis)
        .where(Analysis.status == AnalysisStatus.COMPLETE)
        .order_by(Analysis.as_of.desc(), Analysis.id.desc())
    ).all()
    for number, analysis in enumerate(complete):
        year, week, _ = analysis.as_of.isocalendar()
        last_of_its_week = (year, week) not in weeks and analysis.as_of > now - timedelta(weeks=KEEP_WEEKS)
        weeks.add((year, week))
        if number < KEEP_ANALYSES or last_of_its_week:
            kept.add(analysis.id)
    for analysis in complete:
        if analysis.id not in kept:
            storing.undo(session, analysis.id)
            session.execute(delete(Analysis).where(Analysis.id == analysis.id))
