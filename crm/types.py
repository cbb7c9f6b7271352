"""Column types that keep what a database would lose: the time zone of a datetime, the upper half of an amount."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_TEXT_LENGTH = len("2026-11-22 12:00:00.000000")  # of what SQLite holds; behind it isoformat writes the zone


# An amount in smallest units. 30 million rupiah are beyond 32 bits; SQLite's integers are wide enough as they are.
MINOR = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. Refuses naive values; always returns aware ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # MariaDB keeps whole seconds unless it is asked for more.
        return mysql.DATETIME(fsp=6) if dialect.name == "mariadb" else super().load_dialect_impl(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; pass an aware datetime")
        value = value.astimezone(UTC)
        # SQLite keeps no zone: what is stored there is UTC by this type's own rule.
        return value.replace(tzinfo=None) if dialect.name in ("sqlite", "mysql", "mariadb") else value

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        # What SQLAlchemy's own chain of three functions writes into SQLite, in one: imports store millions of times.
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)

        def text_of(value: datetime | None) -> str | None:
            if value is None:
                return None
            if value.tzinfo is not UTC:
                value = self.process_bind_param(value, dialect)
                assert value is not None
            return value.isoformat(" ", "microseconds")[:_TEXT_LENGTH]

        return text_of

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)

        def moment_of(text: str | None) -> datetime | None:
            return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)

        return moment_of

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """The present moment, aware, in UTC. Only entry points call it; everything deeper takes ``now`` as an argument."""
    return datetime.now(UTC)
