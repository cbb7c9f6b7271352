"""Deleting rows together with what cannot stand without them."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crm.models import Base
from crm.parts import in_parts
from crm.privacy.footprint import references


def remove(session: Session, table_name: str, ids: Iterable[int], removed: Counter[str] | None = None) -> Counter[str]:
    """Deletes the rows. What refers to them loses the reference, or goes as well if it cannot be without it."""
    removed = Counter() if removed is None else removed
    tables = Base.metadata.tables
    for part in in_parts(ids):
        for table in tables.values():
            for column, parent in references(table):
                if parent != table_name or (table.name == table_name and column.nullable is False):
                    continue
                if column.nullable:
                    session.execute(update(table).where(column.in_(part)).values({column.name: None}))
                elif "id" in table.c:
                    children = session.scalars(select(table.c.id).where(column.in_(part))).all()
                    if children:
                        remove(session, table.name, children, removed)
                else:
                    session.execute(delete(table).where(column.in_(part)))
        table = tables[table_name]
        session.execute(delete(table).where(table.c.id.in_(part)))
        removed[table_name] += len(part)
    return removed
