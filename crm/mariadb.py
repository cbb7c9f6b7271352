"""What MariaDB wants told where SQLite and PostgreSQL need no word: lengths, microseconds, how text is compared."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Engine,
    Enum,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    create_engine,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.elements import ColumnElement

NAME = "mariadb"
DRIVER = "mariadb+pymysql"
_KEY_BYTES, _BYTES_PER_LETTER, _BYTES_PER_NUMBER = 3_072, 4, 8
_LETTERS_OF_AN_INDEX = 191
# Texts are equal only if every letter is, its case and spaces at the end included, as in the other databases.
_TABLE_OPTIONS = " ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin"


def make_engine(url: URL) -> Engine:
    # Its own default would show every transaction the store as it was at the first look. A server may also be set up to
    # cut texts that are too long instead of refusing them.
    return create_engine(
        url.set(drivername=DRIVER).update_query_dict({"charset": "utf8mb4"}),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        isolation_level="READ COMMITTED",
        connect_args={"init_command": "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"},
    )


@compiles(String, NAME)
def _text(kind: String, compiler: Any, **kw: Any) -> str:
    if kind.length is not None:
        return str(compiler.visit_VARCHAR(kind, **kw))
    column = kw.get("type_expression")
    letters = _letters_in_keys(column) if isinstance(column, Column) else None
    return "LONGTEXT" if letters is None else f"VARCHAR({letters})"


@compiles(LargeBinary, NAME)
def _bytes(kind: LargeBinary, compiler: Any, **kw: Any) -> str:
    return "LONGBLOB"


@compiles(CreateTable, NAME)
def _table(element: CreateTable, compiler: Any, **kw: Any) -> str:
    return str(compiler.visit_create_table(element, **kw)).rstrip() + _TABLE_OPTIONS


@compiles(CreateIndex, NAME)
def _index(element: CreateIndex, compiler: Any, **kw: Any) -> str:
    index = element.element
    if isinstance(index, Index) and not index.unique:
        # The column may be a LONGTEXT, of which only a beginning can be indexed.
        lengths = {column.name: _LETTERS_OF_AN_INDEX for column in index.columns if _is_endless(_modelled(column))}
        index.dialect_options[NAME]["length"] = lengths or None
    return str(compiler.visit_create_index(element, **kw))


def _modelled(column: Column[Any]) -> Column[Any]:
    """A migration names the columns of an index without their types."""
    from crm.models import Base

    table = Base.metadata.tables.get(column.table.name)
    return column if table is None or column.name not in table.c else table.c[column.name]


def _is_endless(column: ColumnElement[Any]) -> bool:
    kind = column.type
    kind = getattr(kind, "impl_instance", kind)
    return isinstance(kind, String) and not isinstance(kind, Enum) and kind.length is None


def _letters_in_keys(column: Column[Any]) -> int | None:
    """How long a text can be that identifies its row; None if it does not, so that it may be of any length."""
    rooms = [_room(columns) for columns in _keys(column.table) if column.name in {each.name for each in columns}]
    return min(rooms, default=None)


def _keys(table: Table) -> Iterator[list[Column[Any]]]:
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint):
            yield list(constraint.columns)
    for index in table.indexes:
        if index.unique:
            yield list(index.columns)


def _room(columns: Iterable[Column[Any]]) -> int:
    free, endless = _KEY_BYTES, 0
    for column in columns:
        if _is_endless(column):
            endless += 1
        elif isinstance(column.type, String):
            free -= (column.type.length or 0) * _BYTES_PER_LETTER
        else:
            free -= _BYTES_PER_NUMBER
    return free // _BYTES_PER_LETTER // max(1, endless)
