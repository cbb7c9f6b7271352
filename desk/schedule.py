"""The scheduler's process: waits, and starts ``desk`` commands when their time has come, one at a time.

Loads nothing that learns: the work is done by a process of its own that ends. A job's next time is moved on only when
it has ended, so one that was missed while the desk was off, or cut off in the middle, is made up at the next start.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from desk.console import tell
from desk.job_store import FileJobStore
from desk.jobs import Job, from_json

NICENESS = 10
RUN_DESK = "from desk.cli import main; main()"


class Worker:
    """The one command that runs, if any."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None
        self._busy = self._stopping = False

    def run(self, name: str, command: Sequence[str]) -> None:
        """Runs a ``desk`` command to its end; what it prints goes where ours goes."""
        self._busy = True
        tell("schedule", f"{name} begins")
        # In our own process group: who ends us ends it too.
        arguments = [sys.executable, "-c", RUN_DESK, *command]
        self._running = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, preexec_fn=_be_nice)
        if self._stopping:
            self._running.terminate()
        status = self._running.wait()
        if self._stopping:
            tell("schedule", f"{name} was cut off; it is made up at the next start")
            os._exit(0)  # returning would move its next time on
        self._running, self._busy = None, False
        tell("schedule", f"{name} ended" if status == 0 else f"{name} failed with status {status}")

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """At once while nothing runs; else as soon as what runs has been ended."""
        self._stopping = True
        if not self._busy:
            os._exit(0)
        if self._running is not None:
            self._running.terminate()


def _be_nice() -> None:
    os.nice(NICENESS)


_worker = Worker()


def run(name: str, command: Sequence[str]) -> None:
    """What the kept jobs name as their function."""
    _worker.run(name, command)


def make(file: Path, zone: str, jobs: Sequence[Job]) -> BlockingScheduler:
    """A scheduler that knows exactly these jobs; not running yet. Due times of unchanged jobs are kept from before."""
    store = FileJobStore(file)
    scheduler = BlockingScheduler(
        jobstores={"default": store},
        # In the scheduler's own thread: jobs come one after the other, and each is done before its time is moved on.
        executors={"default": DebugExecutor()},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=ZoneInfo(zone),
    )
    _bring_up_to_date(scheduler, store, zone, jobs)
    return scheduler


def _bring_up_to_date(scheduler: BlockingScheduler, store: FileJobStore, zone: str, jobs: Sequence[Job]) -> None:
    """Adding a job anew would forget that it is overdue, so only what changed is touched."""
    store.start(scheduler, "default")
    known = {job.id: job for job in store.get_all_jobs()}
    for job in jobs:
        trigger = CronTrigger(day_of_week=job.day_of_week, hour=job.hour, minute=job.minute, timezone=ZoneInfo(zone))
        before = known.pop(job.name, None)
        args = (job.name, list(job.command))
        if before is not None and str(before.trigger) == str(trigger) and tuple(before.args) == args:
            continue
        if before is not None:
            store.remove_job(job.name)
        scheduler.add_job("desk.schedule:run", trigger, args=args, id=job.name, name=job.name)
    for dropped in known:
        store.remove_job(dropped)


def main() -> int:
    """Arguments: the file that keeps the schedule, the shop's time zone, the jobs as JSON."""
    file, zone, jobs = sys.argv[1:4]
    scheduler = make(Path(file), zone, from_json(jobs))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _worker.stop)
    scheduler.start()
    return 0


if __name__ == "__main__":
    # The jobs name ``desk.schedule:run``: that module, not this ``__main__``, has to hold the worker.
    from desk import schedule

    sys.exit(schedule.main())
