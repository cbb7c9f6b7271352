r"""The lines of a WooCommerce order, in the layouts of its exports.

one row per line    columns for name, sku, quantity and price; the order's own columns repeated or left empty
numbered columns    "line_item_1", "Product Name #1": as many as the largest order has lines
one cell            JSON; or "name:Scoop|sku:S-1|quantity:2|total:19.00" joined by ";" or line breaks; or "2× Scoop"
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache

from crm import money
from crm.importers import values, woocommerce_columns
from crm.importers.reading import Row, Table, plain_name
from crm.importers.records import LineRecord
from crm.importers.report import BadValue

Cells = Mapping[str, str]
_NEXT_LINE = re.compile(r"\s*(?:;|\|\||\n)\s*(?=(?:name|id|item_id|product_id|sku|quantity)\s*:)", re.IGNORECASE)
_COUNTED = re.compile(r"(?P<before>\d+)\s*[×xX*]\s*(?P<name>.+)|(?P<named>.+?)\s*\(?\s*[×xX*]\s*(?P<after>\d+)\)?")
_NEXT_COUNTED = re.compile(r",\s*(?=\d+\s*[×xX*]\s)|\n")
_SYNONYMS = {
    "product_name": "name", "title": "name", "qty": "quantity", "sub_total": "subtotal", "line_subtotal": "subtotal",
    "line_total": "total", "unit_price": "price", "item_price": "price", "item_name": "name", "item_sku": "sku",
    "item_quantity": "quantity", "item_total": "total", "item_subtotal": "subtotal",
}  # fmt: skip


def find_numbered_columns(table: Table) -> int:
    """Makes the columns of numbered lines known to ``table``; returns how many lines it has room for."""
    places = {plain_name(name): place for place, name in enumerate(table.header)}
    number = 0
    while True:
        number += 1
        found = False
        names = {"": woocommerce_columns.NUMBERED_LINES} | woocommerce_columns.NUMBERED_CELLS
        for cell, accepted in names.items():
            place = next((places[n] for name in accepted if (n := plain_name(name.format(number))) in places), None)
            if place is not None:
                table.columns[_numbered(number, cell)] = place
                found = True
        if not found:
            return number - 1


def _numbered(number: int, cell: str) -> str:
    return f"line{number}_{cell}"


def cells_of_lines(row: Row, numbered: int) -> Iterator[Cells]:
    """What the row tells about each line: name, sku, quantity, price, subtotal, total. Raises BadValue."""
    if row["line_name"] or row["line_sku"]:
        names = ("name", "sku", "quantity", "price", "subtotal", "total")
        yield {name: row[f"line_{name}"] for name in names}
        return
    for number in range(1, numbered + 1):
        if packed := row[_numbered(number, "")]:
            yield _packed(packed)
        elif row[_numbered(number, "name")] or row[_numbered(number, "sku")]:
            yield {cell: row[_numbered(number, cell)] for cell in woocommerce_columns.NUMBERED_CELLS}
    if not numbered and row["lines"]:
        yield from _cell(row["lines"])


def _cell(text: str) -> Iterator[Cells]:
    if text[0] in "[{":
        yield from _json(text)
    elif re.match(r"(?:name|id|item_id|product_id|sku|quantity)\s*:", text, re.IGNORECASE):
        yield from (_packed(part) for part in _NEXT_LINE.split(text) if part.strip())
    else:
        yield from (_counted(part) for part in _NEXT_COUNTED.split(text) if part.strip())


def _json(text: str) -> Iterator[Cells]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        raise BadValue("line_items", text, "it is not valid JSON") from None
    for item in items if isinstance(items, list) else [items]:
        if not isinstance(item, dict):
            raise BadValue("line_items", text, "it is not a list of line items")
        yield _named((str(key), "" if value is None else str(value)) for key, value in item.items())


def _packed(text: str) -> Cells:
    """``name:Scoop|sku:S-1|quantity:2``; a part without a known name belongs to the one before it."""
    cells: list[tuple[str, str]] = []
    for part in text.split("|"):
        name, colon, value = part.partition(":")
        if colon and re.fullmatch(r"[a-z_ ]+", name.strip(), re.IGNORECASE):
            cells.append((name.strip(), value.strip()))
        elif cells:
            cells[-1] = (cells[-1][0], f"{cells[-1][1]}|{part}")
    return _named(iter(cells))


def _named(cells: Iterator[tuple[str, str]]) -> Cells:
    found: dict[str, str] = {}
    for name, value in cells:
        plain = name.lower().replace(" ", "_")
        found.setdefault(_SYNONYMS.get(plain, plain), value)
    return found


def _counted(text: str) -> Cells:
    """``2× Scoop`` or ``Scoop x 2``."""
    found = _COUNTED.fullmatch(text.strip())
    if found is None:
        return {"name": text.strip(), "quantity": "1"}
    return {"name": found["name"] or found["named"], "quantity": found["before"] or found["after"]}


def line_of(cells: Cells, currency: str) -> LineRecord | None:
    """The line with its price; None where the cells tell no price. Raises BadValue."""
    name, sku = cells.get("name", "").strip(), values.unquoted(cells.get("sku", ""))
    if not name and not sku:
        raise BadValue("name", "", "the line has neither a name nor a SKU")
    values.no_longer("name", name)
    values.no_longer("sku", sku)
    told = cells.get("price", ""), cells.get("subtotal", ""), cells.get("total", "")
    quantity, unit_minor, discount_minor = _priced(cells.get("quantity") or "1", *told, currency)
    return None if unit_minor is None else LineRecord(sku or None, name or sku, quantity, unit_minor, discount_minor)


@lru_cache(maxsize=8192)  # a shop has few prices and many lines
def _priced(pieces: str, price: str, subtotal: str, total: str, currency: str) -> tuple[int, int | None, int]:
    """Pieces, price of one, and discount on all of them; the price is None where none is told. Raises BadValue."""
    quantity = values.whole("quantity", pieces)
    if quantity <= 0:
        raise BadValue("quantity", pieces, "it is not above zero")
    told = {"price": price, "subtotal": subtotal, "total": total}
    amounts = {what: values.amount(what, text, currency) for what, text in told.items() if text}
    for what, amount in amounts.items():
        if amount < 0:
            raise BadValue(what, told[what], "it is negative")
    if not amounts:
        return quantity, None, 0
    whole = amounts.get("subtotal", amounts.get("price", Decimal()) * quantity or amounts.get("total", Decimal()))
    paid = min(whole, amounts.get("total", whole))
    unit_minor, discount_minor = money.to_minor(whole / quantity, currency), money.to_minor(whole - paid, currency)
    told_by = subtotal or price or total
    values.in_range("total", told_by, money.to_minor(whole, currency))
    return quantity, unit_minor, discount_minor
