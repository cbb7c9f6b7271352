"""Writing many rows at once, on SQLite and PostgreSQL alike."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm.models import Base
from crm.parts import in_parts

Values = dict[str, Any]


def table_of(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def upsert(
    session: Session, model: type[Base], rows: Sequence[Values], *, key: Sequence[str], update: Collection[str]
) -> dict[tuple[Any, ...], int]:
    """Inserts the rows; one whose ``key`` is there already gets its ``update`` columns overwritten. Returns the ids.

    All rows must have the same columns and different keys.
    """
    if not rows:
        return {}
    table = table_of(model)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table)
    statement = insert.on_conflict_do_update(
        index_elements=list(key), set_={column: insert.excluded[column] for column in update}
    ).returning(table.c.id, *(table.c[column] for column in key))
    written = session.connection().execute(statement, list(rows))
    return {tuple(row[1:]): row[0] for row in written}


def delete_by_id(session: Session, model: type[Base], ids: Iterable[int]) -> None:
    table = table_of(model)
    for part in in_parts(ids):
        session.connection().execute(table.delete().where(table.c.id.in_(part)))


def differs(values: Values, stored: Any, columns: Iterable[str]) -> bool:
    return any(values[column] != stored[column] for column in columns)
