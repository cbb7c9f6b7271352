"""The scheduler's process: waits, and starts ``desk`` commands when their time has come, one at a time.

Loads nothing that learns: the work is done by a process of its own that ends. A run that was missed while the desk was
off is made up once at the next start; one that was cut off is started again. Two never run at the same time.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from desk.console import tell
from desk.job_store import FileJobStore
from desk.jobs import Job, from_json

NICENESS = 10
RUN_DESK = "from desk.cli import main; main()"
_store: FileJobStore | None = None
_running: subprocess.Popen[bytes] | None = None


def run(name: str, command: Sequence[str]) -> None:
    """Runs one ``desk`` command to its end and notes how it ended. What it prints goes where ours goes."""
    global _running
    assert _store is not None
    number = _store.started(name, datetime.now(UTC))
    tell("schedule", f"{name} begins")
    # In our own process group: who ends us ends it too.
    arguments = [sys.executable, "-c", RUN_DESK, *command]
    _running = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, preexec_fn=_be_nice)
    status = _running.wait()
    _running = None
    if status < 0:
        # Killed from outside, most likely together with us: it counts as cut off and is made up at the next start.
        tell("schedule", f"{name} was ended by signal {-status}")
        return
    _store.finished(number, datetime.now(UTC), status)
    tell("schedule", f"{name} ended" if status == 0 else f"{name} failed with status {status}")


def _be_nice() -> None:
    os.nice(NICENESS)


def make(file: Path, zone: str, jobs: Sequence[Job]) -> BackgroundScheduler:
    """A scheduler that knows exactly these jobs; not running yet. Due times of unchanged jobs are kept from before."""
    global _store
    _store = FileJobStore(file)
    scheduler = BackgroundScheduler(
        jobstores={"default": _store},
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=ZoneInfo(zone),
    )
    scheduler.start(paused=True)
    _bring_up_to_date(scheduler, zone, jobs)
    for name in _store.interrupted():
        if scheduler.get_job(name) is not None:
            tell("schedule", f"{name} was cut off; starting it again")
            scheduler.modify_job(name, next_run_time=datetime.now(UTC))
    return scheduler


def _bring_up_to_date(scheduler: BackgroundScheduler, zone: str, jobs: Sequence[Job]) -> None:
    """Adding a job anew would forget that it is overdue, so only what changed is touched."""
    wanted = {job.name: job for job in jobs}
    for old in scheduler.get_jobs():
        if old.id not in wanted:
            old.remove()
    for job in jobs:
        trigger = CronTrigger(day_of_week=job.day_of_week, hour=job.hour, minute=job.minute, timezone=ZoneInfo(zone))
        args = (job.name, list(job.command))
        known = scheduler.get_job(job.name)
        if known is None:
            scheduler.add_job("desk.schedule:run", trigger, args=args, id=job.name, name=job.name)
        elif str(known.trigger) != str(trigger) or tuple(known.args) != args:
            known.modify(args=args)
            known.reschedule(trigger)


def main() -> int:
    """Arguments: the file that keeps the schedule, the shop's time zone, the jobs as JSON."""
    file, zone, jobs = sys.argv[1:4]
    scheduler = make(Path(file), zone, from_json(jobs))
    stop = [False]

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop[0] = True
        if _running is not None:
            _running.terminate()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    scheduler.resume()
    while not stop[0]:
        signal.pause()
    scheduler.shutdown(wait=True)
    return 0


if __name__ == "__main__":
    # The jobs name ``desk.schedule:run``: that module, not this ``__main__``, has to hold the store.
    from desk import schedule

    sys.exit(schedule.main())
