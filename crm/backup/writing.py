"""Writing a backup while the desk goes on serving."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, Table, select

from crm.backup.archive import FORMAT, MANIFEST, BadBackup, Manifest, TableEntry, entry_name, verify
from crm.backup.values import to_json

VERSION_TABLE = "alembic_version"
ROWS_AT_ONCE = 2_000
Progress = Callable[[str, int], None]


def write(engine: Engine, path: Path, *, now: datetime, progress: Progress = lambda table, rows: None) -> Manifest:
    """Writes all tables as they stood at one moment, checks what was written, and only then puts it in place.

    Raises BadBackup if the store has no schema, OSError if there is no room; an earlier file of that name then stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 600 from the start
    os.close(number)
    temporary = Path(name)
    try:
        with _snapshot(engine) as connection:
            _write(connection, temporary, now, progress)
        manifest = verify(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return manifest


def _snapshot(engine: Engine) -> Connection:
    """A connection whose one transaction sees the store as it is now, whatever is written meanwhile."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(desk_reading=True).connect()
    return engine.connect().execution_options(isolation_level="REPEATABLE READ")


def _write(connection: Connection, path: Path, now: datetime, progress: Progress) -> None:
    schema = MigrationContext.configure(connection).get_current_revision()
    if schema is None:
        raise BadBackup("There is no store to back up: the database has no schema.")
    tables = MetaData()
    tables.reflect(connection)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        entries = [
            _write_table(connection, table, archive, progress)
            for table in tables.sorted_tables
            if table.name != VERSION_TABLE
        ]
        manifest = Manifest(FORMAT, now.isoformat(), schema, connection.dialect.name, entries)
        archive.writestr(MANIFEST, manifest.to_json())


def _write_table(connection: Connection, table: Table, archive: zipfile.ZipFile, progress: Progress) -> TableEntry:
    columns = list(table.columns)
    rows, digest = 0, hashlib.sha256()
    with archive.open(entry_name(table.name), "w", force_zip64=True) as file:

        def put(values: list[object]) -> None:
            line = json.dumps(values, ensure_ascii=False).encode() + b"\n"
            digest.update(line)
            file.write(line)

        put([column.name for column in columns])
        with closing(connection.execute(select(table).execution_options(yield_per=ROWS_AT_ONCE))) as found:
            for some in found.partitions():
                for row in some:
                    put([to_json(value, column) for value, column in zip(row, columns, strict=True)])
                rows += len(some)
                progress(table.name, rows)
    return TableEntry(table.name, rows, digest.hexdigest())
