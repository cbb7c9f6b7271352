"""One analysis from beginning to end: nobody sees it before it is whole, and what was left half done is undone."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import crm
from analytics import storing
from analytics.forecast.outlooks import Outlooks, outlooks
from analytics.frames import Frames, read_frames
from analytics.recommendations.lists import Recommendations, recommendations
from analytics.scoring import Scores, score
from crm import revisions
from crm import scores as scores_store
from crm.errors import CrmError
from crm.models import Analysis, AnalysisStatus, ModelName, ModelRun
from crm.shop import Shop
from crm.types import now as crm_now

# A run that has not finished by then was killed.
LONGEST_RUN = timedelta(hours=2)
KEEP_ANALYSES = 8
KEEP_WEEKS = 60
DRIFT_FACTOR = 1.25
_LOCK = "analysis"
_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "statsmodels")


class AnalysisRuns(CrmError):
    """Another analysis is running."""

    def __init__(self, started_at: datetime) -> None:
        super().__init__(f"An analysis is running since {started_at:%Y-%m-%d %H:%M} UTC; wait until it is done.")


@dataclass(frozen=True)
class Step:
    """Told before each part of the work: its name, its number and how many there are."""

    name: str
    number: int
    of: int


Progress = Callable[[Step], None]
STEPS = ("reading", "scores", "recommendations", "forecast", "writing")


def analyse(shop: Shop, *, as_of: datetime, now: datetime, progress: Progress = lambda step: None) -> int:
    """Runs every model over the store as it stood at ``as_of`` and writes what they find; the analysis's id.

    Raises AnalysisRuns when one is running. Whatever else goes wrong, the results of earlier analyses stay in force.
    """
    analysis_id = _begin(as_of, now)
    try:
        _tell(progress, "reading")
        with crm.reading() as session:
            frames = read_frames(session, shop, as_of)
            serving = serving_before(session)
        _tell(progress, "scores")
        scores = score(frames, in_use=serving.churn, frozen=serving.clusters)
        _tell(progress, "recommendations")
        recommended = recommendations(frames)
        _tell(progress, "forecast")
        expected = outlooks(frames, in_use=serving.forecast)
        _tell(progress, "writing")
        _write(analysis_id, shop, frames, scores, recommended, expected, serving, now)
    except BaseException as error:
        _give_up(analysis_id, now, type(error).__name__)
        raise
    return analysis_id


def _tell(progress: Progress, name: str) -> None:
    progress(Step(name, STEPS.index(name) + 1, len(STEPS)))


def _begin(as_of: datetime, now: datetime) -> int:
    with crm.session() as session:
        revisions.bump(session, _LOCK)  # holds the row until commit: two that begin at once come one after the other
        for left in session.scalars(select(Analysis).where(Analysis.status == AnalysisStatus.RUNNING)):
            if now - left.started_at < LONGEST_RUN:
                raise AnalysisRuns(left.started_at)
            left.status, left.finished_at, left.error = AnalysisStatus.FAILED, now, "killed"
            storing.undo(session, left.id)
        started = Analysis(as_of=as_of, started_at=now, status=AnalysisStatus.RUNNING)
        session.add(started)
        session.flush()
        return started.id


def _give_up(analysis_id: int, now: datetime, why: str) -> None:
    with crm.session() as session:
        analysis = session.get_one(Analysis, analysis_id)
        analysis.status, analysis.finished_at, analysis.error = AnalysisStatus.FAILED, now, why
        storing.undo(session, analysis_id)


@dataclass(frozen=True)
class Serving:
    """What serves so far, model by model; empty before the first analysis."""

    churn: str | None = None
    forecast: str | None = None
    clusters: dict[str, Any] | None = None
    metrics: dict[ModelName, dict[str, float]] | None = None


def serving_before(session: Session) -> Serving:
    """From the champions of the newest complete analysis."""
    newest = scores_store.latest(session)
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
        metrics={name: run.metrics for name, run in runs.items()},
    )


def _write(
    analysis_id: int,
    shop: Shop,
    frames: Frames,
    scores: Scores | None,
    recommended: Recommendations,
    expected: Outlooks,
    serving: Serving,
    now: datetime,
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
        analysis = session.get_one(Analysis, analysis_id)
        analysis.counts = storing.counts(frames, scores, recommended)
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
