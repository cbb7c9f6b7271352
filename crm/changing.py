"""An UPDATE that tells which rows it found, as its conditions decide who may go on: on every database alike."""

from typing import Any

from sqlalchemy import ColumnElement, Table, Update, select
from sqlalchemy.orm import InstrumentedAttribute, Session


class Changing:
    """``tells``: the column whose values are given, as they are after the change."""

    def __init__(self, statement: Update, tells: ColumnElement[Any] | InstrumentedAttribute[Any]) -> None:
        assert isinstance(statement.table, Table)
        self._key, self._tells = statement.table.c.id, tells
        self._plain = statement.execution_options(synchronize_session=False)
        self._telling = self._plain.returning(tells)

    def all(self, session: Session, values: dict[str, Any] | None = None) -> list[Any]:
        """Of every row that was changed; ``values`` are those of the statement's parameters."""
        dialect = session.get_bind().dialect
        if dialect.update_returning:
            return list(session.scalars(self._telling, values))
        # MariaDB's UPDATE answers nothing: the rows are locked first, so that they stay the same until the change.
        assert self._plain.whereclause is not None
        wanted = select(self._key).where(self._plain.whereclause).with_for_update()
        keys = session.connection().scalars(wanted, values).all()
        if not keys:
            return []
        mine = self._key.in_(keys)
        session.execute(self._plain.where(mine), values)
        return list(session.connection().scalars(select(self._tells).where(mine)))

    def first(self, session: Session, values: dict[str, Any] | None = None) -> Any:
        """None if no row was changed."""
        return next(iter(self.all(session, values)), None)
