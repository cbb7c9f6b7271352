"""Values between a database and JSON, without the models: what is encrypted in the store stays so in the backup."""

import base64
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Column, Date, DateTime, LargeBinary


def to_json(value: Any, column: Column[Any]) -> Any:
    """Moments as ISO 8601 in UTC, bytes as base64, the rest as it is."""
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value


def from_json(value: Any, column: Column[Any], *, naive: bool) -> Any:
    """The way back; ``naive`` for databases that keep no time zones."""
    if value is None:
        return None
    if isinstance(column.type, DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=None) if naive else moment
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value)
    return value
