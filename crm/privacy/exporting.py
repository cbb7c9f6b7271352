"""All that the store holds about a person, in a form that they can read: for ``desk customer export`` and the chat."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from crm import money
from crm.models import Product
from crm.privacy.footprint import Footprint, reachable
from crm.privacy.subjects import Subject

NOT_EXPORTED: Final[Mapping[str, str]] = {
    "owner_notices": "copies of messages for the owner's phone; the messages stand in their conversation",
    "one_time_links": "hashes of links that open this export or the chat on Telegram",
}
"""Tables with a path to a customer that the export leaves out, each with the reason."""

_NESTED: Final = {
    "order_lines": ("orders", "order_id", "lines"),
    "shipments": ("orders", "order_id", "shipments"),
    "messages": ("conversations", "conversation_id", "messages"),
}
_INTERNAL: Final = frozenset(
    ("lease_owner", "lease_until", "request_key", "ranking", "merged_into_id", "delivery_error", "address")
)
Entry = dict[str, Any]


def exported_tables() -> list[str]:
    return [table.name for table in reachable() if table.name not in NOT_EXPORTED]


def export(session: Session, subject: Subject, *, now: datetime) -> Entry:
    """Everything, as plain JSON values: times in ISO 8601, UTC; amounts in the currency's own unit, as text."""
    footprint = Footprint(session, subject.customers, subject.identities)
    entries: dict[str, list[Entry]] = {}
    for table in footprint.tables:
        if table.name not in NOT_EXPORTED:
            entries[table.name] = [_entry(table, dict(row)) for row in footprint.rows(table)]
    _name_products(session, entries)
    currencies = {order["id"]: order.get("currency") for order in entries["orders"]}
    for name, rows in entries.items():
        for row in rows:
            _show_amounts(row, row.get("currency") or currencies.get(row.get("order_id")))
            rows_nested = _NESTED.get(name)
            if rows_nested:
                row.pop("currency", None)
    for name, (parent, key, under) in _NESTED.items():
        _nest(entries, name, parent, key, under)
    customers = entries.pop("customers")
    return {
        "exported_at": now.isoformat(),
        "customer": next((one for one in customers if one["id"] == subject.customer), None),
        "merged_customers": [one for one in customers if one["id"] != subject.customer],
        **entries,
    }


def _entry(table: Table, row: Mapping[str, Any]) -> Entry:
    return {
        column.name: _plain(value)
        for column in table.columns
        if column.name not in _INTERNAL
        and not column.name.endswith(("_hash", "_index"))
        and not isinstance(value := row[column.name], (bytes, memoryview))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (str, int, float, bool, list, dict, type(None))):
        return value
    return str(value)


def _show_amounts(row: Entry, currency: str | None) -> None:
    """``total_minor: 2300`` becomes ``total: "23.00"``."""
    for name in [name for name in row if name.endswith("_minor")]:
        minor = row.pop(name)
        shown = None if minor is None else str(money.to_major(minor, currency)) if currency else str(minor)
        row[name.removesuffix("_minor")] = shown


def _name_products(session: Session, entries: dict[str, list[Entry]]) -> None:
    named = [row for rows in entries.values() for row in rows if row.get("product_id") is not None]
    ids = {row["product_id"] for row in named}
    found = session.execute(select(Product.id, Product.title).where(Product.id.in_(ids)))
    titles = {row.id: row.title for row in found}
    for row in named:
        row.setdefault("product", titles.get(row["product_id"]))


def _nest(entries: dict[str, list[Entry]], name: str, parent: str, key: str, under: str) -> None:
    by_parent: dict[int, list[Entry]] = defaultdict(list)
    for row in entries.pop(name):
        by_parent[row.pop(key)].append(row)
    for row in entries[parent]:
        row[under] = by_parent.get(row["id"], [])
