"""Where the schedule is kept: one small SQLite file, read without any library, so that waiting costs little memory."""

import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore, ConflictingIdError, JobLookupError

_TABLE = "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, next_run_at REAL, state BLOB NOT NULL)"


class FileJobStore(BaseJobStore):  # type: ignore[misc]
    """APScheduler's jobs in a file. What it holds of a job is this program's own and never comes from outside."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.execute(_TABLE)
        file.chmod(0o600)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._file, timeout=15)
        try:
            with database:
                yield database
        finally:
            database.close()

    def lookup_job(self, job_id: str) -> Job | None:
        with self._open() as database:
            row = database.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return self._job(row[0]) if row else None

    def get_due_jobs(self, now: datetime) -> list[Job]:
        return self._jobs("WHERE next_run_at <= ? ORDER BY next_run_at", now.timestamp())

    def get_next_run_time(self) -> datetime | None:
        with self._open() as database:
            moment = database.execute("SELECT MIN(next_run_at) FROM jobs").fetchone()[0]
        return datetime.fromtimestamp(moment, UTC) if moment is not None else None

    def get_all_jobs(self) -> list[Job]:
        return self._jobs("ORDER BY next_run_at IS NULL, next_run_at")

    def add_job(self, job: Job) -> None:
        try:
            with self._open() as database:
                database.execute("INSERT INTO jobs (next_run_at, state, id) VALUES (?, ?, ?)", _row(job))
        except sqlite3.IntegrityError:
            raise ConflictingIdError(job.id) from None

    def update_job(self, job: Job) -> None:
        self._change(job.id, "UPDATE jobs SET next_run_at = ?, state = ? WHERE id = ?", *_row(job))

    def remove_job(self, job_id: str) -> None:
        self._change(job_id, "DELETE FROM jobs WHERE id = ?", job_id)

    def remove_all_jobs(self) -> None:
        with self._open() as database:
            database.execute("DELETE FROM jobs")

    def _change(self, job_id: str, statement: str, *values: object) -> None:
        with self._open() as database:
            if database.execute(statement, values).rowcount == 0:
                raise JobLookupError(job_id)

    def _jobs(self, condition: str, *values: object) -> list[Job]:
        with self._open() as database:
            rows = database.execute(f"SELECT state FROM jobs {condition}", values).fetchall()  # noqa: S608
        return [self._job(state) for (state,) in rows]

    def _job(self, state: bytes) -> Job:
        fields: dict[str, Any] = pickle.loads(state)  # noqa: S301 - written by _row below, in a file of mode 600
        job = Job.__new__(Job)
        job.__setstate__({**fields, "jobstore": self})
        job._scheduler, job._jobstore_alias = self._scheduler, self._alias
        return job


def _row(job: Job) -> tuple[float | None, bytes, str]:
    due = job.next_run_time.timestamp() if job.next_run_time is not None else None
    return due, pickle.dumps(job.__getstate__(), pickle.HIGHEST_PROTOCOL), job.id
