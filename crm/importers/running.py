"""What all imports have in common: time, progress, one transaction per batch, no row twice."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from crm.database import expect_many_rows
from crm.importers.reading import Table
from crm.importers.records import ROWS_PER_BATCH, Context
from crm.importers.report import BadValue, ImportReport
from crm.importers.resuming import Resuming

R = TypeVar("R")
NEW_OBJECTS_PER_COLLECTION = 50_000


@contextmanager
def reported(source: str, kind: str, path: Path) -> Iterator[ImportReport]:
    """A report that knows how long it took."""
    report = ImportReport(source, kind, path.name)
    started = time.perf_counter()
    with _rare_collections():
        yield report
    report.seconds = time.perf_counter() - started


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Records hold no cycles; looking for some after every few hundred of them took a sixth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS_PER_COLLECTION, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def store_in_batches(
    records: Iterable[tuple[int, R]],
    write: Callable[[Session, list[R]], None],
    table: Table,
    report: ImportReport,
    context: Context,
    *,
    stored: Callable[[Session, list[R], datetime], None] | None = None,
) -> None:
    """Writes records, each given with its number of rows, in transactions of about ``ROWS_PER_BATCH`` rows.

    What an interrupted import of the same file stored is not written again: it is only shown to ``stored``, with the
    time at which that import began.
    """
    resuming = Resuming(table.path, report, context)
    batch: list[R] = []
    size = done = 0

    def flush() -> None:
        nonlocal batch, size, done
        if batch:
            done += len(batch)
            with context.open_session() as session:
                expect_many_rows(session)
                if done > resuming.records:
                    write(session, batch)
                    resuming.reached(session, done)
                else:
                    report.unchanged += len(batch)
                    if stored is not None:
                        stored(session, batch, resuming.started_at)
        batch, size = [], 0
        context.progress(table.rows_read, table.bytes_done, table.bytes_in_all)

    for rows, record in records:
        batch.append(record)
        size += rows
        # An interrupted import's last batch ends where it ended then, whatever the size of batches is now.
        if size >= ROWS_PER_BATCH or done + len(batch) == resuming.records:
            flush()
    flush()
    with context.open_session() as session:
        resuming.finished(session)
        expect_many_rows(session, expected=False)
    if resuming.records:
        report.notes.append(f"went on after {resuming.records:,} that an interrupted import had stored")
    report.rows = table.rows_read
    report.refused.extend(sorted(table.refused, key=lambda refused: refused.line))


class Unique:
    """Refuses what a file names twice; only the first is taken, so a second run finds nothing to change."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._lines: dict[str, int] = {}

    def check(self, name: str, line: int) -> None:
        """Raises BadValue."""
        first = self._lines.setdefault(name, line)
        if first != line:
            raise BadValue(self._column, name, f"it is already on line {first}")
