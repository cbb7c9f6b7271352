"""The scheduler's own process and the file it keeps: what is due is done, once, also after a pause or a crash."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desk import schedule
from desk.job_store import FileJobStore
from desk.jobs import JOBS, Job, from_json, to_json
from tests.support.product import ROOT

OFTEN = Job("often", ("version",), minute="*")
RARELY = Job("rarely", ("version",), hour="3", minute="30")


class Shop:
    """A schedule in a file; each ``opens`` is a new start of the desk."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "schedule.db"

    def opens(self, *jobs: Job) -> None:
        scheduler = schedule.make(self.file, "Asia/Shanghai", jobs)
        scheduler.start_nothing = True
        # Without running: what waits for a scheduler's start is written into the file.
        for waiting, _, _ in scheduler._pending_jobs:
            waiting._modify(
                next_run_time=waiting.trigger.get_next_fire_time(None, datetime.now(UTC)), executor="default"
            )
            waiting._modify(misfire_grace_time=None, coalesce=True, max_instances=1)
            self.store.add_job(waiting)

    @property
    def store(self) -> FileJobStore:
        store = FileJobStore(self.file)
        store._scheduler, store._alias = schedule.BlockingScheduler(), "default"
        return store

    def due(self, name: str) -> datetime:
        job = self.store.lookup_job(name)
        assert job is not None
        return job.next_run_time.astimezone(UTC)

    def is_overdue(self, name: str) -> datetime:
        """Makes a run of three days ago be missed."""
        job = self.store.lookup_job(name)
        assert job is not None
        job.next_run_time = datetime.now(UTC) - timedelta(days=3)
        self.store.update_job(job)
        return job.next_run_time

    @contextmanager
    def running(self, *jobs: Job, **env: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "desk.schedule", str(self.file), "Asia/Shanghai", to_json(jobs)], cwd=ROOT,
            stdout=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, **env},
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=20)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_times_are_those_of_the_shop(shop: Shop) -> None:
    shop.opens(RARELY)
    due = shop.due("rarely")
    assert (due.hour, due.minute) == (19, 30)  # half past three in Shanghai


def test_a_missed_run_stays_due_over_a_restart(shop: Shop) -> None:
    shop.opens(RARELY)
    missed = shop.is_overdue("rarely")
    shop.opens(RARELY)
    assert shop.due("rarely") == missed


def test_a_changed_time_counts_from_now_and_a_dropped_job_is_gone(shop: Shop) -> None:
    shop.opens(RARELY, OFTEN)
    shop.is_overdue("rarely")
    shop.opens(Job("rarely", ("version",), hour="4"))
    assert shop.due("rarely") > datetime.now(UTC)
    assert [job.id for job in shop.store.get_all_jobs()] == ["rarely"]


def test_the_table_of_jobs_survives_its_way_to_the_process() -> None:
    assert from_json(to_json(JOBS)) == list(JOBS)
    assert len({job.name for job in JOBS}) == len(JOBS)


def test_the_process_makes_up_a_missed_run_once_and_ends_when_asked(shop: Shop) -> None:
    shop.opens(RARELY)
    shop.is_overdue("rarely")
    with shop.running(RARELY) as process:
        _wait(lambda: shop.due("rarely") > datetime.now(UTC))
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.count("rarely begins") == 1
    assert "solodesk" in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_cut_off_stays_due(shop: Shop, how: signal.Signals, tmp_path: Path) -> None:
    reading = tmp_path / "never-written"
    os.mkfifo(reading)
    waits = Job("waits", ("import", "csv", "--orders", str(reading)), hour="3")
    shop.opens(waits)
    missed = shop.is_overdue("waits")
    with shop.running(waits, DESK_DATABASE_URL=f"sqlite:///{tmp_path}/desk.db") as process:
        assert process.stdout is not None
        assert "waits begins" in process.stdout.readline()
        if how is signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        process.wait(20)
    assert shop.due("waits") == missed


def test_nothing_that_learns_is_loaded_while_waiting() -> None:
    code = (
        "import sys, desk.schedule; "
        "print({'pandas', 'numpy', 'sklearn', 'scipy', 'sqlalchemy', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def _wait(true: Callable[[], bool], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)
