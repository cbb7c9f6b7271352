"""Going through what lies in the store, value by value: to encrypt it, with another key, or not at all."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from crm.sealing.keyring import PREFIX, Keyring
from crm.sealing.types import Sealed, SealedJson, stays_plain

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class SealedColumn:
    """Where a field lies. ``as_json``: its plain value is JSON; ``messages``: encrypted only if that is asked for."""

    table: str
    column: str
    field: str
    lookup: bool = False
    as_json: bool = False
    messages: bool = False


def sealed_columns(metadata: sa.MetaData) -> list[SealedColumn]:
    """All of the models', by their types."""
    return [
        SealedColumn(
            table.name,
            column.name,
            column.type.field,
            lookup=isinstance(column.type, Sealed) and column.type.lookup,
            as_json=isinstance(column.type, SealedJson),
            messages=column.type.messages,
        )
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed | SealedJson)
    ]


def seal(connection: Connection, columns: Iterable[SealedColumn], ring: Keyring) -> int:
    """Encrypts with the ring's active key what is not yet, and anew what is under another; returns how many values.

    Raises WrongDataKey, ValueError for a value that none of the ring's keys opens; undo the transaction then.
    """

    def changed(column: SealedColumn, value: Any) -> Any:
        lies_sealed = isinstance(value, str) and value.startswith(PREFIX)
        if lies_sealed and value.startswith(f"{PREFIX}{ring.active}:"):
            return value
        if lies_sealed:
            plain = ring.open(column.field, value, lookup=column.lookup)
        elif not value or (column.messages and not ring.messages) or (isinstance(value, str) and stays_plain(value)):
            return value
        else:
            plain = json.dumps(value, ensure_ascii=False) if column.as_json else value
        return ring.seal(column.field, plain, lookup=column.lookup)

    return _rewrite(connection, columns, changed)


def unseal(connection: Connection, columns: Iterable[SealedColumn], ring: Keyring) -> int:
    """Puts the plain values back."""

    def changed(column: SealedColumn, value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith(PREFIX):
            return value
        plain = ring.open(column.field, value, lookup=column.lookup)
        return json.loads(plain) if column.as_json else plain

    return _rewrite(connection, columns, changed)


def _rewrite(
    connection: Connection, columns: Iterable[SealedColumn], changed: Callable[[SealedColumn, Any], Any]
) -> int:
    by_table: dict[str, list[SealedColumn]] = defaultdict(list)
    for column in columns:
        by_table[column.table].append(column)
    return sum(_rewrite_table(connection, name, some, changed) for name, some in by_table.items())


def _rewrite_table(
    connection: Connection, name: str, columns: Sequence[SealedColumn], changed: Callable[[SealedColumn, Any], Any]
) -> int:
    table = sa.table(
        name,
        sa.column("id", sa.Integer),
        *(sa.column(one.column, sa.JSON(none_as_null=True) if one.as_json else sa.String) for one in columns),
    )
    new = {one.column: sa.bindparam(f"new_{one.column}", type_=table.c[one.column].type) for one in columns}
    statement = sa.update(table).where(table.c.id == sa.bindparam("row")).values(new)
    count, last = 0, 0
    while rows := connection.execute(
        sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(ROWS_AT_ONCE)
    ).all():
        last = rows[-1].id
        writing = []
        for row in rows:
            before = {one: row._mapping[one.column] for one in columns}
            after = {one: changed(one, value) for one, value in before.items()}
            differing = sum(after[one] != before[one] for one in columns)
            if differing:
                count += differing
                writing.append({"row": row.id} | {f"new_{one.column}": value for one, value in after.items()})
        if writing:
            connection.execute(statement, writing)
    return count
