"""``desk import``: progress while it runs, one summary per file, every refused row with its line and reason."""

import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from crm.errors import ConfigError
from crm.importers import KINDS, SOURCES, Context, ImportReport, Progress, Refusal, taobao
from crm.importers.knowledge import import_folder
from crm.settings import Settings
from crm.shop import load_shop
from crm.types import now
from desk.places import root, state_dir
from desk.store import open_store

SHOWN_REFUSALS = 20
SECONDS_BETWEEN_LINES = 5.0
ALL_TAKEN, SOME_REFUSED = 0, 1


def import_files(source: str, **files: Path | None) -> int:
    """Imports the given files, products first and orders last. Raises CrmError for a file that is no such table."""
    given = [(kind, path) for kind in KINDS if (path := files.get(kind)) is not None]
    known = SOURCES[source]
    if not given:
        raise ConfigError(f"Name at least one file: {', '.join(f'--{kind}' for kind in KINDS if kind in known)}.")
    settings = open_store()
    return _report(settings, [_run(settings, kind, path, known[kind]) for kind, path in given])


def import_taobao(orders: Path | None, lines: Path | None) -> int:
    """Imports Taobao's list of orders, with the list of their articles if there is one. Raises CrmError."""
    if orders is None:
        raise ConfigError("Name the list of orders: --orders.")
    settings = open_store()
    return _report(settings, [_run(settings, "orders", orders, partial(taobao.import_orders, lines=lines))])


def import_knowledge(folder: Path, *, prune: bool = False) -> int:
    """Takes in a folder of articles; ``prune`` removes those that it no longer holds. Raises CrmError."""
    settings = open_store()
    return _report(settings, [_run(settings, "articles", folder, partial(import_folder, prune=prune))])


def load_demo(settings: Settings) -> None:
    """The demo shop, into a store that is open already."""
    folder = root() / "demo"
    jobs = [(kind, folder / f"{kind}_export.csv", SOURCES["shopify"][kind]) for kind in KINDS]
    for kind, path, importer in [*jobs, ("articles", folder / "knowledge", import_folder)]:
        _summarise(_run(settings, kind, path, importer))


def _run(settings: Settings, kind: str, path: Path, importer: Callable[[Path, Context], ImportReport]) -> ImportReport:
    with _progress(kind) as progress:
        return importer(path, Context(load_shop(settings.shop_file), now(), progress))


# ---------------------------------------------------------------------------------------------------------- progress


@contextmanager
def _progress(kind: str) -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield _Lines(kind)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(f"{kind:<10}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]:,} rows"))
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(kind, total=None, rows=0)
        yield lambda rows, done, in_all: bar.update(task, rows=rows, completed=done, total=in_all)


class _Lines:
    """A line now and then, for logs and pipes; nothing at all for what is done at once."""

    def __init__(self, kind: str) -> None:
        self._kind, self._next = kind, time.monotonic() + SECONDS_BETWEEN_LINES

    def __call__(self, rows: int, done: int, in_all: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS_BETWEEN_LINES
            share = f", {done / in_all:.0%}" if in_all else ""
            print(f"{self._kind}: {rows:,} rows{share}", file=sys.stderr, flush=True)


# --------------------------------------------------------------------------------------------------------- reporting


def _report(settings: Settings, reports: Sequence[ImportReport]) -> int:
    for report in reports:
        _summarise(report)
    refused = [refusal for report in reports for refusal in report.refused]
    if not refused:
        return ALL_TAKEN
    for refusal in refused[:SHOWN_REFUSALS]:
        print(f"  refused: {refusal}", file=sys.stderr)
    listed = _write_refusals(state_dir(settings.database_url), refused)
    more = f" (and {len(refused) - SHOWN_REFUSALS:,} more)" if len(refused) > SHOWN_REFUSALS else ""
    print(f"{len(refused):,} rows were refused{more}; all of them are listed in {listed}", file=sys.stderr)
    return SOME_REFUSED


def _summarise(report: ImportReport) -> None:
    counts = [f"{report.added:,} added", f"{report.updated:,} updated", f"{report.unchanged:,} unchanged"]
    if report.removed:
        counts.append(f"{report.removed:,} removed")
    counts.append(f"{len(report.refused):,} rows refused")
    print(f"{report.kind:<10} {', '.join(counts)}  ({report.rows:,} rows, {report.seconds:.1f} s)", flush=True)
    for count, noun in ((report.customers_created, "customers"), (report.products_created, "products")):
        if count:
            print(f"{'':<10} {count:,} {noun} were made from what the orders say", flush=True)
    for note in report.notes:
        print(f"{'':<10} {note}", flush=True)


def _write_refusals(folder: Path, refused: Sequence[Refusal]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"import-refused-{datetime.now().astimezone():%Y%m%d-%H%M%S}.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("file", "line", "column", "value", "reason"))
        for row in refused:
            writer.writerow((row.file, row.line, row.column, row.value, row.reason))
    return file
