"""``desk analyse``: reruns every model, with progress, and says what came of it."""

import json
import sys
from datetime import UTC, datetime, time, timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session

import crm
from analytics.run import Step, analyse
from crm import scores
from crm.errors import ConfigError
from crm.models import Analysis, ModelRun
from crm.shop import Shop, load_shop
from crm.types import now
from desk.console import tell
from desk.store import open_store


def run(*, as_of: str | None, as_json: bool, daily: bool = False) -> int:
    """The exit status. Raises ConfigError for a date that is none, AnalysisRuns when one is running."""
    settings = open_store()
    shop = load_shop(settings.shop_file)
    moment = moment_of(as_of, shop, now())
    with _progress(quiet=as_json) as bar:
        task = bar.add_task("", total=None)

        def show(step: Step) -> None:
            bar.update(task, description=step.name, completed=step.number - 1, total=step.of)

        analysis_id = analyse(
            shop, as_of=moment, now=now(), daily=daily, scheduler=settings.dask_scheduler, progress=show
        )
        bar.update(task, completed=1, total=1)
    with crm.reading() as session:
        found = summary(session, session.get_one(Analysis, analysis_id))
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _tell(found)
    return 0


def moment_of(as_of: str | None, shop: Shop, present: datetime) -> datetime:
    """The end of the given day in the shop's zone; a moment with a zone as it is; without either, the present."""
    if as_of is None:
        return present
    try:
        given = datetime.fromisoformat(as_of.strip())
    except ValueError:
        raise ConfigError(f"{as_of!r} is no date; write it as 2026-11-22.") from None
    if given.tzinfo is not None:
        return given.astimezone(UTC)
    if given.time() == time(0):
        given += timedelta(days=1) - timedelta(microseconds=1)
    return given.replace(tzinfo=shop.zone).astimezone(UTC)


def _progress(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description:16}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=sys.stderr), disable=quiet or not sys.stderr.isatty())


def summary(session: Session, analysis: Analysis) -> dict[str, Any]:
    """What an analysis rests on and how good each model was, ready for JSON."""
    return {
        "analysis": analysis.id,
        "as_of": analysis.as_of.isoformat(),
        "started_at": analysis.started_at.isoformat(),
        "finished_at": analysis.finished_at.isoformat() if analysis.finished_at else None,
        "counts": analysis.counts,
        "segments": {str(name): number for name, number in scores.segment_sizes(session, analysis).items()},
        "models": [_model(run) for run in scores.model_runs(session, analysis)],
    }


def _model(run: ModelRun) -> dict[str, Any]:
    return {
        "model": str(run.model),
        "method": run.method,
        "serves": run.champion,
        "fallback": run.fallback,
        "drifted": run.drifted,
        "data_from": run.data_from.isoformat() if run.data_from else None,
        "data_until": run.data_until.isoformat(),
        "rows": run.rows,
        "metrics": run.metrics,
        "parameters": run.parameters,
        "versions": run.versions,
    }


def _tell(found: dict[str, Any]) -> None:
    counts = found["counts"]
    tell("analyse", f"as of {found['as_of']}: {counts['customers']} customers, {counts['orders']} orders")
    for reason, number in counts["left_out"].items():
        tell("analyse", f"left out: {number} × {reason}")
    for model in found["models"]:
        if model["serves"]:
            figures = ", ".join(f"{name} {value:.3g}" for name, value in model["metrics"].items())
            simple = " (too little data: a simple rule)" if model["fallback"] else ""
            drifted = " — clearly worse than in the analysis before" if model["drifted"] else ""
            tell("analyse", f"{model['model']}: {model['method']}{simple} {figures}{drifted}")
