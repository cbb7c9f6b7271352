"""Shopify's CSV exports with only the cells that a test is about."""

import csv
import io
from pathlib import Path

_DEMO = Path(__file__).parents[2] / "demo"


def _header(kind: str) -> list[str]:
    with (_DEMO / f"{kind}_export.csv").open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def export(kind: str, *rows: dict[str, str]) -> str:
    """The text of an export with the full header of that kind; cells that a row does not give are empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _header(kind), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def a_product(**cells: str) -> dict[str, str]:
    return {
        "Handle": "jasmine-pearls",
        "Title": "Jasmine Pearls 茉莉龙珠",
        "Option1 Name": "Title",
        "Option1 Value": "Default Title",
        "Variant SKU": "JP-50",
        "Variant Inventory Tracker": "shopify",
        "Variant Inventory Qty": "23",
        "Variant Inventory Policy": "deny",
        "Variant Price": "18.00",
        "Published": "true",
        "Status": "active",
    } | _named(cells)


def an_order(**cells: str) -> dict[str, str]:
    return {
        "Name": "#2001",
        "Email": "mei.tan@example.com",
        "Financial Status": "paid",
        "Fulfillment Status": "unfulfilled",
        "Currency": "SGD",
        "Subtotal": "18.00",
        "Shipping": "5.00",
        "Taxes": "0.00",
        "Total": "23.00",
        "Created at": "2026-11-19 10:02:11 +0800",
        "Id": "5620010000",
        "Billing Name": "Mei Tan",
    } | a_line(**cells)


def a_line(**cells: str) -> dict[str, str]:
    """A further row of an order: its number and one line item."""
    return {
        "Name": "#2001",
        "Lineitem quantity": "1",
        "Lineitem name": "Jasmine Pearls 茉莉龙珠",
        "Lineitem price": "18.00",
        "Lineitem sku": "JP-50",
        "Lineitem fulfillment status": "pending",
    } | _named(cells)


def _named(cells: dict[str, str]) -> dict[str, str]:
    """``Variant_Price="9"`` names the column "Variant Price"."""
    return {name.replace("_", " "): value for name, value in cells.items()}
