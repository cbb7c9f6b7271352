"""Storing a batch of whole orders with lines and shipments; only what differs is written."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import revisions
from crm.importers.buyers import buyers_of
from crm.importers.goods import Goods
from crm.importers.records import OrderRecord
from crm.importers.report import ImportReport
from crm.importers.upsert import Values, differs, ids_of, insert_rows, table_of, upsert
from crm.models import Customer, Order, OrderLine, Shipment
from crm.parts import in_parts

ORDER_COLUMNS = (
    "number", "email", "phone", "currency", "subtotal_minor", "discount_minor", "shipping_minor", "tax_minor",
    "total_minor", "refunded_minor", "discount_code", "financial_status", "fulfillment_status", "country", "city",
    "placed_at", "paid_at", "fulfilled_at", "cancelled_at",
)  # fmt: skip
_LINE_COLUMNS = (
    "position",
    "product_id",
    "sku",
    "title",
    "quantity",
    "unit_price_minor",
    "discount_minor",
    "fulfilled",
)
_orders, _lines, _shipments = table_of(Order), table_of(OrderLine), table_of(Shipment)
Line = tuple[Any, ...]
Sent = tuple[datetime | None, str | None, str | None]
"""A shipment: when it went out, its carrier and its number there, as far as the source knows."""


def write_orders(
    session: Session,
    source: str,
    records: Sequence[OrderRecord],
    goods: Goods,
    report: ImportReport,
    *,
    now: datetime,
    told: Collection[str] | None = None,
    consent_heading: str | None = None,
) -> None:
    """Adds and updates. ``told``: the columns the source has; others keep what they hold.

    ``consent_heading``: the file's own name of a column on marketing, for customers who are made from their order.
    """
    columns = [c for c in ORDER_COLUMNS if told is None or c in told]
    stored = _stored_orders(session, source, [record.external_id for record in records])
    untouchable = _erased(session, stored)
    records = [record for record in records if record.external_id not in untouchable]
    report.unchanged += len(untouchable)
    buyers = buyers_of(session, source, records)
    owners = [buyers.of(record.buyer, record.placed_at) if record.buyer else None for record in records]
    for record, owner in zip(records, owners, strict=True):
        if owner is not None and owner["erased_at"] is not None:
            # An older order of somebody who was forgotten: the sale counts, the person stays unknown.
            record.email = record.phone = record.city = record.tracking_number = None
    buyers.store(now, consent_heading=consent_heading)
    report.customers_created += len(buyers.created)
    ids = [order["id"] for order in stored.values()]
    stored_lines, stored_shipments = _stored_lines(session, ids), _stored_shipments(session, ids)

    writing: list[Values] = []
    changed_lines: dict[str, list[Line]] = {}
    shipped: dict[str, Sent] = {}
    for record, owner in zip(records, owners, strict=True):
        values: Values = {column: getattr(record, column) for column in ORDER_COLUMNS}
        values["customer_id"] = owner["id"] if owner else None
        lines = _line_values(record, goods)
        known = stored.get(record.external_id)
        held = stored_lines[known["id"]] if known is not None else []
        same_lines = known is not None and (held == lines or (record.lines_are_guessed and bool(held)))
        sent = (record.fulfilled_at, record.carrier, record.tracking_number)
        same_shipment = _is_known(sent, stored_shipments[known["id"]] if known is not None else ())
        if known is None:
            report.added += 1
        elif same_lines and same_shipment and not differs(values, known, [*columns, "customer_id"]):
            report.unchanged += 1
            continue
        else:
            report.updated += 1
        writing.append(values | {"source": source, "external_id": record.external_id, "updated_at": now})
        if not same_lines:
            changed_lines[record.external_id] = lines
        if not same_shipment:
            shipped[record.external_id] = sent
    if not writing:
        return
    upsert(session, Order, writing, key=("source", "external_id"), update=[*columns, "customer_id", "updated_at"])
    order_ids = ids_of(session, Order, source, [values["external_id"] for values in writing])
    _write_lines(session, changed_lines, order_ids, known_ids=set(ids))
    _write_shipments(session, shipped, order_ids, known_ids=set(ids))
    revisions.bump(session, revisions.ORDERS)


def _line_values(record: OrderRecord, goods: Goods) -> list[Line]:
    return [
        (place, goods.find(line.sku, line.title), line.sku, line.title, line.quantity, line.unit_price_minor,
         line.discount_minor, line.fulfilled)
        for place, line in enumerate(record.lines, start=1)
    ]  # fmt: skip


def _stored_orders(session: Session, source: str, external_ids: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in in_parts(external_ids):
        statement = select(_orders).where(_orders.c.source == source, _orders.c.external_id.in_(part))
        found |= {row["external_id"]: row for row in session.connection().execute(statement).mappings()}
    return found


def _erased(session: Session, stored: dict[str, Any]) -> set[str]:
    """Orders of customers who were forgotten: their names and addresses must not come back."""
    owners = {row["customer_id"] for row in stored.values() if row["customer_id"] is not None}
    erased: set[int] = set()
    for part in in_parts(owners):
        statement = select(Customer.id).where(Customer.id.in_(part), Customer.erased_at.is_not(None))
        erased.update(session.scalars(statement))
    return {external_id for external_id, row in stored.items() if row["customer_id"] in erased}


def _stored_lines(session: Session, order_ids: Sequence[int]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = defaultdict(list)
    columns = [_lines.c[column] for column in _LINE_COLUMNS]
    for part in in_parts(order_ids):
        statement = select(_lines.c.order_id, *columns).where(_lines.c.order_id.in_(part))
        for row in session.connection().execute(statement.order_by(_lines.c.order_id, _lines.c.position)):
            found[row[0]].append(tuple(row[1:]))
    return found


def _stored_shipments(session: Session, order_ids: Sequence[int]) -> dict[int, list[Sent]]:
    found: dict[int, list[Sent]] = defaultdict(list)
    columns = (_shipments.c.shipped_at, _shipments.c.carrier, _shipments.c.tracking_number)
    for part in in_parts(order_ids):
        statement = select(_shipments.c.order_id, *columns).where(_shipments.c.order_id.in_(part))
        for order_id, *sent in session.connection().execute(statement):
            found[order_id].append((sent[0], sent[1], sent[2]))
    return found


def _is_known(sent: Sent, stored: Collection[Sent]) -> bool:
    """Whether there is nothing to add: no shipment at all, or one stored that says all that the source says."""
    told = [place for place, value in enumerate(sent) if value is not None]
    return not told or any(all(known[place] == sent[place] for place in told) for known in stored)


def _write_lines(
    session: Session, changed: dict[str, list[Line]], order_ids: dict[str, int], *, known_ids: set[int]
) -> None:
    replaced = [order_ids[key] for key in changed if order_ids[key] in known_ids]
    for part in in_parts(replaced):
        session.connection().execute(_lines.delete().where(_lines.c.order_id.in_(part)))
    rows = [(order_ids[external_id], *line) for external_id, lines in changed.items() for line in lines]
    insert_rows(session, _lines.insert(), ("order_id", *_LINE_COLUMNS), rows)


def _write_shipments(
    session: Session, shipped: dict[str, Sent], order_ids: dict[str, int], *, known_ids: set[int]
) -> None:
    """A shipment that tells more than the source knows is left as it is; one that tells less is replaced."""
    before = {order_ids[key]: number for key, (_, _, number) in shipped.items() if order_ids[key] in known_ids}
    for part in in_parts(before):
        unnamed = (_shipments.c.carrier.is_(None), _shipments.c.tracking_number.is_(None))
        session.connection().execute(_shipments.delete().where(_shipments.c.order_id.in_(part), *unnamed))
    for numbers in in_parts({number for number in before.values() if number}):
        same = (_shipments.c.order_id.in_(before), _shipments.c.tracking_number.in_(numbers))
        session.connection().execute(_shipments.delete().where(*same))
    rows = [(order_ids[external_id], *sent) for external_id, sent in shipped.items()]
    insert_rows(session, _shipments.insert(), ("order_id", "shipped_at", "carrier", "tracking_number"), rows)
