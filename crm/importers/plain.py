"""Plain CSV lists of products and customers, for shops whose system is none of the others."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from crm import money
from crm.importers import plain_columns, values
from crm.importers.reading import Row, Table, open_table
from crm.importers.records import Context, CustomerRecord, ProductRecord, VariantRecord
from crm.importers.report import BadValue, ImportReport
from crm.importers.running import Unique, reported, store_in_batches
from crm.importers.write_customers import write_customers
from crm.importers.write_products import link_order_lines, write_products
from crm.models import ProductStatus
from crm.text import split_languages

SOURCE = "csv"
_STATUS = {
    "": ProductStatus.ACTIVE,
    "active": ProductStatus.ACTIVE,
    "在售": ProductStatus.ACTIVE,
    "draft": ProductStatus.DRAFT,
    "草稿": ProductStatus.DRAFT,
    "archived": ProductStatus.ARCHIVED,
    "下架": ProductStatus.ARCHIVED,
}
_LANGUAGES = {"en": "en", "english": "en", "英文": "en", "英语": "en", "zh": "zh", "chinese": "zh", "中文": "zh"}
# What the store keeps under each column of the file.
_PRODUCT_COLUMNS = {
    "title": ("title", "title_en", "title_zh"),
    "title_en": ("title_en",),
    "title_zh": ("title_zh",),
    "price": ("price_minor", "currency", "sku"),
    "inventory": ("inventory",),
    "description": ("description",),
    "type": ("product_type",),
    "tags": ("tags",),
    "image": ("image_url",),
    "url": ("url",),
    "status": ("status",),
}


@lru_cache(maxsize=8192)
def identifier(text: str) -> str:
    """An id as it was meant: spreadsheets make "17850.0" of 17850 and put an apostrophe before long numbers."""
    text = values.unquoted(text)
    return text.partition(".")[0] if re.fullmatch(r"\d+\.0+", text) else text


def currency_of(row: Row, shop_currency: str) -> str:
    """Raises BadValue."""
    code = row["currency"].upper() or shop_currency
    if code not in money.known_currencies():
        raise BadValue("currency", row["currency"], "it is not an ISO 4217 currency code")
    return code


def import_products(path: Path, context: Context) -> ImportReport:
    """Adds and updates products; those missing from the file stay. Raises UnreadableFile."""
    with (
        reported(SOURCE, "products", path) as report,
        open_table(
            path, plain_columns.PRODUCTS, required=("sku", "title", "price"), what="a plain list of products"
        ) as table,
    ):
        told = {column for name in table.columns for column in _PRODUCT_COLUMNS.get(name, ())}

        def write(session: Session, batch: list[ProductRecord]) -> None:
            write_products(session, SOURCE, batch, report, now=context.now, told=told)

        store_in_batches(_products(table, context.shop.currency), write, table, report, context)
        if report.changed:
            with context.open_session() as session:
                link_order_lines(session)
    return report


def _products(table: Table, shop_currency: str) -> Iterator[tuple[int, ProductRecord]]:
    unique = Unique("sku")
    for row in table:
        try:
            product = _product(row, shop_currency)
            unique.check(product.external_id, row.line)
            yield 1, product
        except BadValue as error:
            table.refuse(row.line, error)


def _product(row: Row, shop_currency: str) -> ProductRecord:
    sku, title = identifier(row["sku"]), row["title"]
    for column, value in (("sku", sku), ("title", title)):
        if not value:
            raise BadValue(column, "", "it is empty")
    currency = currency_of(row, shop_currency)
    price = values.minor("price", row["price"], currency)
    if price < 0:
        raise BadValue("price", row["price"], "a price cannot be negative")
    status = _STATUS.get(row["status"].lower())
    if status is None:
        raise BadValue("status", row["status"], "expected active, draft or archived")
    inventory = values.whole("inventory", row["inventory"]) if row["inventory"] else None
    english, chinese = split_languages(title)
    return ProductRecord(
        external_id=sku,
        title=title,
        title_en=row["title_en"] or english,
        title_zh=row["title_zh"] or chinese,
        description=values.text_of_html(row["description"]),
        product_type=row["type"] or None,
        tags=[tag.strip() for tag in re.split(r"[,;|，；、]", row["tags"]) if tag.strip()],
        image_url=row["image"] or None,
        url=row["url"] or None,
        status=status,
        variants=[VariantRecord("", sku, {}, price, None, currency, inventory)],
    )


def import_customers(path: Path, context: Context) -> ImportReport:
    """Adds and updates customers. Raises UnreadableFile."""
    with (
        reported(SOURCE, "customers", path) as report,
        open_table(
            path, plain_columns.CUSTOMERS, required=("customer_id",), what="a plain list of customers"
        ) as table,
    ):  # fmt: skip

        def write(session: Session, batch: list[CustomerRecord]) -> None:
            heading = table.heading("accepts_marketing")
            write_customers(
                session, SOURCE, batch, report, now=context.now, told=table.columns, consent_heading=heading
            )

        store_in_batches(_customers(table, context), write, table, report, context)
    return report


def _customers(table: Table, context: Context) -> Iterator[tuple[int, CustomerRecord]]:
    unique = Unique("customer_id")
    dates = values.DateReader(context.shop.zone, now=context.now)
    for row in table:
        try:
            customer = _customer(row, dates)
            unique.check(str(customer.external_id), row.line)
            yield 1, customer
        except BadValue as error:
            table.refuse(row.line, error)


def _customer(row: Row, dates: values.DateReader) -> CustomerRecord:
    customer_id = identifier(row["customer_id"])
    if not customer_id:
        raise BadValue("customer_id", "", "it is empty")
    language = _LANGUAGES.get(row["language"].lower().partition("-")[0].partition("_")[0])
    if row["language"] and language is None:
        raise BadValue("language", row["language"], "expected en or zh")
    country = values.country(row["country"])
    return CustomerRecord(
        external_id=customer_id,
        name=row["name"] or None,
        email=values.email("email", row["email"]),
        phone=values.phone(row["phone"], country),
        country=country,
        language=language,
        accepts_marketing=values.yes_or_no("accepts_marketing", row["accepts_marketing"]),
        created_at=dates.optional("created_at", row["created_at"]),
    )
