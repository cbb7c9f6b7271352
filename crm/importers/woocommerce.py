"""WooCommerce's own CSV export of products; ``woocommerce_orders`` reads the orders.

Variations are rows of their own that name their parent, before or after it and anywhere in the file, so the rows of
the catalogue are held until the file is read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from crm.importers import values, woocommerce_columns
from crm.importers.reading import Row, Table, open_table
from crm.importers.records import Context, ProductRecord, VariantRecord
from crm.importers.report import BadValue, ImportReport
from crm.importers.running import Unique, reported, store_in_batches
from crm.importers.write_products import link_order_lines, write_products
from crm.models import ProductStatus
from crm.text import split_languages

SOURCE = "woocommerce"
MOST_ATTRIBUTES = 50
_PUBLISHED = {
    "1": ProductStatus.ACTIVE,
    "": ProductStatus.ACTIVE,
    "0": ProductStatus.DRAFT,  # private: seen by the shop only
    "-1": ProductStatus.DRAFT,
}


@dataclass
class _Group:
    """A product's own row and those of its variations."""

    own: Row | None = None
    variations: list[Row] = field(default_factory=list)


def import_products(path: Path, context: Context) -> ImportReport:
    """Adds and updates products; those missing from the file stay. Raises UnreadableFile."""
    names = dict(woocommerce_columns.PRODUCTS)
    for number in range(1, MOST_ATTRIBUTES + 1):
        names[f"name{number}"] = tuple(name.format(number) for name in woocommerce_columns.ATTRIBUTE_NAMES)
        names[f"value{number}"] = tuple(name.format(number) for name in woocommerce_columns.ATTRIBUTE_VALUES)
    with (
        reported(SOURCE, "products", path) as report,
        open_table(path, names, required=("name", "price"), what="WooCommerce's product export") as table,
    ):

        def write(session: Session, batch: list[ProductRecord]) -> None:
            write_products(session, SOURCE, batch, report, now=context.now)

        store_in_batches(_products(table, context, report), write, table, report, context)
        if report.changed:
            with context.open_session() as session:
                link_order_lines(session)
    return report


def _products(table: Table, context: Context, report: ImportReport) -> Iterator[tuple[int, ProductRecord]]:
    reader = _ProductReader(table, context)
    for group in _groups(table):
        product = reader.product(group)
        if product is not None:
            yield 1 + len(group.variations), product
    for reason, count in reader.left_out.items():
        report.notes.append(f"{count:,} {reason}")


def _groups(table: Table) -> list[_Group]:
    """All products, each with its variations, in the order of their first row."""
    groups: dict[str, _Group] = {}
    by_sku: dict[str, str] = {}
    unique = Unique("ID" if "id" in table.columns else "SKU")
    for row in table:
        try:
            kind = _kind(row)
            key = _key(row)
            unique.check(key, row.line)
        except BadValue as error:
            table.refuse(row.line, error)
            continue
        if kind == "variation":
            groups.setdefault(_reference(row), _Group()).variations.append(row)
        else:
            groups.setdefault(key, _Group()).own = row
            if sku := values.unquoted(row["sku"]):
                by_sku[f"sku:{sku}"] = key
    # A parent may be named by its sku instead of its id.
    for reference in [reference for reference, group in groups.items() if group.own is None]:
        key = by_sku.get(reference, reference)
        if key != reference:
            groups[key].variations += groups.pop(reference).variations
    return list(groups.values())


def _kind(row: Row) -> str:
    """Raises BadValue for a kind of product that is not known."""
    for word in row["type"].lower().replace("downloadable", "").replace("virtual", "").split(","):
        if word.strip():
            known = woocommerce_columns.KINDS.get(word.strip())
            if known is None:
                raise BadValue("Type", row["type"], "expected simple, variable, variation, grouped or external")
            return known
    return "variation" if row["parent"] else "simple"


def _key(row: Row) -> str:
    key = values.unquoted(row["id"])
    sku = values.unquoted(row["sku"])
    if not key and not sku:
        raise BadValue("ID", "", "the row has neither an ID nor a SKU")
    return f"id:{key}" if key else f"sku:{sku}"


def _reference(row: Row) -> str:
    """The parent's key: WooCommerce writes its SKU, or "id:123" where it has none."""
    parent = values.unquoted(row["parent"])
    return parent if parent.startswith("id:") else f"sku:{parent}"


class _ProductReader:
    def __init__(self, table: Table, context: Context) -> None:
        self._table, self._currency, self._now = table, context.shop.currency, context.now
        # Sale dates may lie ahead, so nothing is "in the future" here.
        self._dates = values.DateReader(context.shop.zone, now=context.now + timedelta(days=36_500))
        self.left_out: Counter[str] = Counter()

    def product(self, group: _Group) -> ProductRecord | None:
        """The product, or None when it was refused or cannot be sold at all."""
        own = group.own
        if own is None:
            for row in group.variations:
                self._table.refuse(row.line, BadValue("Parent", row["parent"], "the file has no such product"))
            return None
        try:
            record = self._record(own)
            if _kind(own) == "grouped":
                self.left_out["grouped products only show others together and were left out"] += 1
                return None
            record.variants = self._variants(own, group.variations)
            if not record.variants:
                self._leave_out(record)
                return None
        except BadValue as error:
            self._table.refuse(own.line, error)
            for row in group.variations:
                self._table.refuse(
                    row.line, BadValue("Parent", row["parent"], f"its product on line {own.line} was refused")
                )
            return None
        return record

    def _leave_out(self, record: ProductRecord) -> None:
        if record.status is ProductStatus.ACTIVE:
            raise BadValue("Regular price", "", "the product has no price, so nobody can buy it")
        self.left_out["unpublished products have no price yet and were left out"] += 1

    def _record(self, row: Row) -> ProductRecord:
        name = _text(row["name"])
        if not name:
            raise BadValue("Name", "", "it is empty")
        status = _PUBLISHED.get(row["published"])
        if status is None:
            raise BadValue("Published", row["published"], "expected 1, 0 or -1")
        english, chinese = split_languages(name)
        categories = [part.rpartition(">")[2].strip() for part in listed(row["categories"])]
        images = listed(row["images"])
        description = _text(row["short"]), _text(row["description"])
        return ProductRecord(
            external_id=values.unquoted(row["id"]) or values.unquoted(row["sku"]),
            title=name,
            title_en=english,
            title_zh=chinese,
            description="\n".join(text for part in description if (text := values.text_of_html(part))),
            product_type=categories[0] if categories else None,
            tags=list(dict.fromkeys([*listed(row["tags"]), *categories[1:]])),
            vendor=(listed(row["vendor"]) or [""])[0] or None,
            image_url=images[0] if images else None,
            url=row["external_url"] or row["link"] or None,
            status=status,
        )

    def _variants(self, own: Row, variations: list[Row]) -> list[VariantRecord]:
        if _kind(own) != "variable" and not variations:
            return [self._variant(own, own, "", {})] if row_price(own) else []
        variants: dict[str, VariantRecord] = {}
        for row in variations:
            try:
                if _PUBLISHED.get(row["published"]) is not ProductStatus.ACTIVE or not row_price(row):
                    continue  # switched off, or without a price: not for sale
                options = _options(row)
                title = " / ".join(options.values()) or values.unquoted(row["sku"]) or values.unquoted(row["id"])
                if title in variants:
                    raise BadValue("Attribute 1 value(s)", title, "the product has two variations of that name")
                variants[title] = self._variant(row, own, title, options)
            except BadValue as error:
                self._table.refuse(row.line, error)
        return list(variants.values())

    def _variant(self, row: Row, parent: Row, title: str, options: dict[str, str]) -> VariantRecord:
        regular = _price("Regular price", row["price"], self._currency)
        sale = _price("Sale price", row["sale_price"], self._currency) if self._on_sale(row) else None
        price = regular if sale is None else sale
        if price is None:
            raise BadValue("Regular price", "", "it is empty")
        return VariantRecord(
            title=title,
            sku=values.unquoted(row["sku"]) or None,
            options=options,
            price_minor=price,
            compare_at_minor=regular if sale is not None and regular is not None and regular > sale else None,
            currency=self._currency,
            inventory=_inventory(row, parent),
            sells_when_empty=row["backorders"].lower() in ("1", "notify", "yes")
            or row["in_stock"].lower() in ("backorder", "onbackorder"),
        )

    def _on_sale(self, row: Row) -> bool:
        if not row["sale_price"]:
            return False
        begins = self._dates.optional("Date sale price starts", row["sale_from"])
        ends = self._dates.optional("Date sale price ends", row["sale_to"])
        return (begins is None or begins <= self._now) and (ends is None or ends >= self._now)


def row_price(row: Row) -> str:
    return row["price"] or row["sale_price"]


def _price(column: str, text: str, currency: str) -> int | None:
    if not text:
        return None
    price = values.minor(column, text, currency)
    if price < 0:
        raise BadValue(column, text, "a price cannot be negative")
    return price


def _inventory(row: Row, parent: Row) -> int | None:
    """Pieces left; None where WooCommerce does not count. Without a count, "In stock? 0" means none are left."""
    told = row["stock"]
    if told.lower() == "parent":
        told = parent["stock"]
    if told:
        return values.at_most_32_bits("Stock", told, int(values.amount("Stock", told, "XXX")))  # 2.5 kg left are 2
    return 0 if row["in_stock"].lower() in ("0", "no", "outofstock") else None


def _options(row: Row) -> dict[str, str]:
    options: dict[str, str] = {}
    for number in range(1, MOST_ATTRIBUTES + 1):
        if f"value{number}" not in row:
            break
        if value := row[f"value{number}"]:
            options[row[f"name{number}"] or f"Option{number}"] = value.replace(r"\,", ",")
    return options


def _text(cell: str) -> str:
    r"""WooCommerce writes a line break in a description as "\n", and an apostrophe before what could be a formula."""
    text = re.sub(r"(?<!\\)\\n", "\n", cell).replace(r"\\n", r"\n")
    return text[1:] if re.match(r"'[=+\-@\t\r]", text) else text


def listed(cell: str) -> list[str]:
    r"""The parts of a list: separated by commas, a comma inside a part written as "\,"."""
    return [part.replace(r"\,", ",").strip() for part in re.split(r"(?<!\\),", cell) if part.strip()]
