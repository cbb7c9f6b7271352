"""Storing a batch of products with their variants; only what differs is written."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from crm import revisions
from crm.importers.records import ProductRecord
from crm.importers.report import ImportReport
from crm.importers.upsert import Values, delete_by_id, differs, ids_of, table_of, upsert
from crm.models import Order, OrderLine, Product, Variant
from crm.parts import in_parts

PRODUCT_COLUMNS = (
    "title", "title_en", "title_zh", "description", "product_type", "tags", "vendor", "image_url", "url", "status",
)  # fmt: skip
VARIANT_COLUMNS = (
    "position", "sku", "options", "price_minor", "compare_at_minor", "currency", "inventory", "sells_when_empty",
)  # fmt: skip
_products, _variants = table_of(Product), table_of(Variant)


def write_products(
    session: Session,
    source: str,
    records: Sequence[ProductRecord],
    report: ImportReport,
    *,
    now: datetime,
    told: Collection[str] | None = None,
) -> None:
    """Adds what is new and updates what differs. ``told``: the columns the source has; others keep what they hold."""
    product_columns = [c for c in PRODUCT_COLUMNS if told is None or c in told]
    variant_columns = [c for c in VARIANT_COLUMNS if told is None or c in told or c == "position"]
    rows: dict[str, Values] = {}
    for record in records:
        values = {column: getattr(record, column) for column in PRODUCT_COLUMNS}
        rows[record.external_id] = values | {"source": source, "external_id": record.external_id}
    stored = _stored_products(session, source, rows)
    variants = _stored_variants(session, [product["id"] for product in stored.values()])
    new_variants = {record.external_id: _variant_rows(record) for record in records}
    writing: list[Values] = []
    for external_id, values in rows.items():
        known = stored.get(external_id)
        if known is None:
            report.added += 1
        elif differs(values, known, product_columns) or _variants_differ(
            new_variants[external_id], variants[known["id"]], variant_columns
        ):
            report.updated += 1
        else:
            report.unchanged += 1
            continue
        writing.append(values | {"created_at": now, "updated_at": now})
    upsert(session, Product, writing, key=("source", "external_id"), update=[*product_columns, "updated_at"])
    if writing:
        ids = ids_of(session, Product, source, [values["external_id"] for values in writing])
        _write_variants(session, ids, new_variants, variants, variant_columns)
        revisions.bump(session, revisions.CATALOGUE)


def link_order_lines(session: Session) -> None:
    """Ties order lines that came before their product to it, by sku."""
    lines = table_of(OrderLine)
    same_sku = select(_variants.c.product_id).where(_variants.c.sku == lines.c.sku)
    session.connection().execute(
        update(lines)
        .where(lines.c.product_id.is_(None), exists(same_sku))
        .values(product_id=same_sku.order_by(_variants.c.id).limit(1).scalar_subquery())
    )


def link_order_lines_by_title(session: Session, source: str) -> None:
    """Ties a source's order lines without a sku to the product of exactly that title."""
    lines, orders = table_of(OrderLine), table_of(Order)
    same_title = select(_products.c.id).where(_products.c.title == lines.c.title)
    session.connection().execute(
        update(lines)
        .where(
            lines.c.product_id.is_(None),
            lines.c.sku.is_(None),
            lines.c.order_id.in_(select(orders.c.id).where(orders.c.source == source)),
            exists(same_title),
        )
        .values(product_id=same_title.order_by(_products.c.id).limit(1).scalar_subquery())
    )


def _stored_products(session: Session, source: str, external_ids: Collection[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in in_parts(external_ids):
        statement = select(_products).where(_products.c.source == source, _products.c.external_id.in_(part))
        found |= {row["external_id"]: row for row in session.connection().execute(statement).mappings()}
    return found


def _stored_variants(session: Session, product_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for part in in_parts(product_ids):
        for row in session.connection().execute(select(_variants).where(_variants.c.product_id.in_(part))).mappings():
            found[row["product_id"]][row["title"]] = row
    return found


def _variant_rows(record: ProductRecord) -> dict[str, Values]:
    rows: dict[str, Values] = {}
    for place, variant in enumerate(record.variants, start=1):
        values = {column: getattr(variant, column) for column in VARIANT_COLUMNS if column != "position"}
        rows[variant.title] = values | {"title": variant.title, "position": place}
    return rows


def _variants_differ(new: dict[str, Values], stored: dict[str, Any], columns: Sequence[str]) -> bool:
    return new.keys() != stored.keys() or any(differs(values, stored[title], columns) for title, values in new.items())


def _write_variants(
    session: Session,
    product_ids: dict[str, int],
    new: dict[str, dict[str, Values]],
    stored: dict[int, dict[str, Any]],
    columns: Sequence[str],
) -> None:
    writing: list[Values] = []
    gone: list[int] = []
    for external_id, product_id in product_ids.items():
        writing += [values | {"product_id": product_id} for values in new[external_id].values()]
        gone += [row["id"] for title, row in stored[product_id].items() if title not in new[external_id]]
    delete_by_id(session, Variant, gone)
    upsert(session, Variant, writing, key=("product_id", "title"), update=columns)
