"""Putting a backup back into a store: all of it or nothing."""

import json
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, inspect, select, text

from crm import migrate
from crm.backup.archive import BadBackup, Manifest, TableEntry, lines_of, open_archive, read_manifest
from crm.backup.values import from_json
from crm.sealing import belonging

ROWS_AT_ONCE = 1_000
Progress = Callable[[str, int], None]


def restore(engine: Engine, path: Path, *, progress: Progress = lambda table, rows: None) -> Manifest:
    """Fills an empty database from a backup of this or an earlier version, and brings it up to date.

    Raises BadBackup, also when the database is not empty, and WrongDataKey; nothing is changed then, because
    everything happens in one transaction.
    """
    manifest = read_manifest(path)
    with engine.begin() as connection:
        if inspect(connection).get_table_names():
            raise BadBackup("The database is not empty; a backup is put into an empty one.")
        _check_known(manifest)
        command.upgrade(migrate.config(connection), manifest.schema)
        tables = MetaData()
        tables.reflect(connection)
        with open_archive(path) as archive:
            for entry in manifest.tables:
                if entry.name not in tables.tables:
                    raise BadBackup(f"The backup holds a table {entry.name} that its schema does not have.")
                _fill(connection, tables.tables[entry.name], archive, entry, progress)
        _set_sequences(connection, tables)
        command.upgrade(migrate.config(connection), "head")
        belonging.check(connection)
    return manifest


def _check_known(manifest: Manifest) -> None:
    if manifest.schema not in migrate.revisions():
        raise BadBackup(
            f"The backup was made by a newer version (schema {manifest.schema}); bring this desk up to date first."
        )


def _fill(
    connection: Connection, table: Table, archive: zipfile.ZipFile, entry: TableEntry, progress: Progress
) -> None:
    naive = connection.dialect.name != "postgresql"
    lines = lines_of(archive, entry)
    try:
        columns = [table.columns[name] for name in json.loads(next(lines))]
    except (StopIteration, KeyError, ValueError) as error:
        raise BadBackup(
            f"Table {entry.name} of the backup has columns that its schema does not have: {error}"
        ) from None
    # Rows that a migration puts in by itself are in the backup too.
    connection.execute(table.delete())
    done = 0
    while some := list(islice(lines, ROWS_AT_ONCE)):
        rows = [
            {
                column.name: from_json(value, column, naive=naive)
                for column, value in zip(columns, json.loads(line), strict=True)
            }
            for line in some
        ]
        connection.execute(insert(table), rows)
        done += len(rows)
        progress(table.name, done)


def _set_sequences(connection: Connection, tables: MetaData) -> None:
    """PostgreSQL counts ids apart from the rows; it has to go on after the highest."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.sorted_tables:
        keys = list(table.primary_key.columns)
        if len(keys) != 1:
            continue
        name = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": keys[0].name}
        )
        if name is not None:
            highest = connection.scalar(select(func.max(keys[0])))
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :value, :called)"),
                {"name": name, "value": highest or 1, "called": highest is not None},
            )
