"""Which rows of which tables belong to a person, found by following the store's references from customer and identity.

A table that is added later is found by itself, as long as it refers to a customer, an order, a conversation or another
table that does.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, RowMapping, Table, or_, select
from sqlalchemy.orm import Session

from crm.models import Base
from crm.parts import in_parts

ROOTS: Final = ("customers", "identities")
# A column of this name means a row of that table, even where no foreign key says so.
_NAMED: Final = {
    "customer_id": "customers",
    "identity_id": "identities",
    "conversation_id": "conversations",
    "order_id": "orders",
    "message_id": "messages",
    "ticket_id": "tickets",
}
Ids = dict[str, set[int]]


def references(table: Table) -> Iterator[tuple[Column[Any], str]]:
    """The columns that name a row of another table, and that table."""
    for column in table.columns:
        keys = [key.column.table.name for key in column.foreign_keys]
        if keys:
            yield column, keys[0]
        elif column.name in _NAMED and _NAMED[column.name] != table.name:
            yield column, _NAMED[column.name]


def reachable() -> list[Table]:
    """All tables with a path to a customer, those they refer to first."""
    known = set(ROOTS)
    tables = [table for table in Base.metadata.sorted_tables if table.name not in ROOTS]
    grown = True
    while grown:
        found = {table.name for table in tables if any(parent in known for _, parent in references(table))}
        grown = not found <= known
        known |= found
    return [table for table in Base.metadata.sorted_tables if table.name in known]


class Footprint:
    """The rows of one person. Rows that several people share do not exist in this store."""

    def __init__(self, session: Session, customers: Iterable[int], identities: Iterable[int]) -> None:
        self._session = session
        self._ids: Ids = {"customers": set(customers), "identities": set(identities)}
        self.tables = reachable()
        self._collect()

    def _collect(self) -> None:
        """Until nothing new is found: references between tables go in circles (identities, consents, messages)."""
        grown = True
        while grown:
            grown = False
            for table in self.tables:
                if table.name == "customers" or "id" not in table.c:
                    continue
                found = self._ids.setdefault(table.name, set())
                before = len(found)
                for condition in self._conditions(table):
                    found.update(self._session.scalars(select(table.c.id).where(condition)))
                grown |= len(found) > before

    def _conditions(self, table: Table) -> Iterator[ColumnElement[bool]]:
        for column, parent in references(table):
            # Whatever an own row refers to is not its person's: only references upwards count.
            for part in in_parts(sorted(self._ids.get(parent, ()))):
                yield column.in_(part)

    def ids(self, table: str) -> set[int]:
        return self._ids.get(table, set())

    def rows(self, table: Table) -> Iterator[RowMapping]:
        """The person's rows of a table, in the order in which they were made."""
        if "id" in table.c:
            for part in in_parts(sorted(self.ids(table.name))):
                statement = select(table).where(table.c.id.in_(part)).order_by(table.c.id)
                yield from self._session.execute(statement).mappings()
        elif conditions := list(self._conditions(table)):
            yield from self._session.execute(select(table).where(or_(*conditions))).mappings()

    def conditions(self, table: Table) -> Iterator[ColumnElement[bool]]:
        """For statements that touch the person's rows, in portions that fit into one statement."""
        if "id" not in table.c:
            yield from self._conditions(table)
            return
        for part in in_parts(sorted(self.ids(table.name))):
            yield table.c.id.in_(part)


def counted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if number}
