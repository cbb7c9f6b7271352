"""One analysis at a time: who runs one says so every few seconds, and who has fallen silent is taken for dead."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psutil
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import crm
from analytics import storing
from crm import revisions
from crm.errors import CrmError
from crm.models import Analysis, AnalysisStatus
from crm.types import now as clock

BEAT_SECONDS = 15.0
DEAD_AFTER = timedelta(seconds=120)
_LOCK = "analysis"


class AnalysisRuns(CrmError):
    """Another analysis is running."""

    def __init__(self, started_at: datetime) -> None:
        super().__init__(f"An analysis is running since {started_at:%Y-%m-%d %H:%M} UTC; wait until it is done.")


def begin(as_of: datetime, now: datetime) -> int:
    """Starts an analysis and gives its id; what a dead one left behind is undone. Raises AnalysisRuns."""
    with crm.session() as session:
        revisions.bump(session, _LOCK)  # holds the row until commit: two that begin at once come one after the other
        for left in session.scalars(select(Analysis).where(Analysis.status == AnalysisStatus.RUNNING)):
            if now - (left.alive_at or left.started_at) < DEAD_AFTER and not _has_ended(left.worker):
                raise AnalysisRuns(left.started_at)
            _fail(session, left, now, "killed")
        started = Analysis(as_of=as_of, started_at=now, alive_at=now, worker=_myself(), status=AnalysisStatus.RUNNING)
        session.add(started)
        session.flush()
        return started.id


def _myself() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _has_ended(worker: str | None) -> bool:
    """Whether it is a process of this machine that is no more; of other machines we cannot know."""
    machine, _, process = (worker or "").rpartition(":")
    return machine == socket.gethostname() and not psutil.pid_exists(int(process))


def give_up(analysis_id: int, now: datetime, why: str) -> None:
    """Undoes all that the analysis wrote."""
    with crm.session() as session:
        _fail(session, session.get_one(Analysis, analysis_id), now, why)


def _fail(session: Session, analysis: Analysis, now: datetime, why: str) -> None:
    analysis.status, analysis.finished_at, analysis.error = AnalysisStatus.FAILED, now, why
    storing.undo(session, analysis.id)


@contextmanager
def alive(analysis_id: int, *, every: float = BEAT_SECONDS) -> Iterator[None]:
    """While inside, says every few seconds that the analysis is being worked on."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(every):
            with crm.session() as session:
                session.execute(update(Analysis).where(Analysis.id == analysis_id).values(alive_at=clock()))

    beating = threading.Thread(target=beat, name="analysis-alive", daemon=True)
    beating.start()
    try:
        yield
    finally:
        stop.set()
        beating.join()
