"""Shopify's standard CSV exports of products and customers; ``shopify_orders`` reads the orders."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from crm.importers import shopify_columns, values
from crm.importers.reading import Row, Table, open_table
from crm.importers.records import Context, CustomerRecord, ProductRecord, VariantRecord
from crm.importers.report import BadValue, ImportReport
from crm.importers.running import Unique, reported, store_in_batches
from crm.importers.write_customers import write_customers
from crm.importers.write_products import link_order_lines, write_products
from crm.models import ProductStatus
from crm.text import split_languages

SOURCE = "shopify"
_PLACEHOLDER = "Default Title"


def import_products(path: Path, context: Context) -> ImportReport:
    """Adds and updates products; those missing from the file stay. Raises UnreadableFile."""
    with (
        reported(SOURCE, "products", path) as report,
        open_table(
            path, shopify_columns.PRODUCTS, required=("handle", "title", "price"), what="Shopify's products export"
        ) as table,
    ):

        def write(session: Session, batch: list[ProductRecord]) -> None:
            write_products(session, SOURCE, batch, report, now=context.now)

        store_in_batches(_products(table, context), write, table, report, context)
        if report.changed:
            with context.open_session() as session:
                link_order_lines(session)
    return report


def _products(table: Table, context: Context) -> Iterator[tuple[int, ProductRecord]]:
    unique = Unique("Handle")
    for rows in _groups(table, "handle"):
        try:
            if not rows[0]["handle"]:
                raise BadValue("Handle", "", "it is empty")
            unique.check(rows[0]["handle"], rows[0].line)
            yield len(rows), _product(rows, table, context.shop.currency)
        except BadValue as error:
            table.refuse(rows[0].line, error)


def _groups(table: Table, column: str) -> Iterator[list[Row]]:
    """Neighbouring rows with the same value in ``column``."""
    group: list[Row] = []
    for row in table:
        if group and row[column] != group[0][column]:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _product(rows: list[Row], table: Table, currency: str) -> ProductRecord:
    first = rows[0]
    title = first["title"]
    if not title:
        raise BadValue("Title", "", "the product's first row has no title")
    english, chinese = split_languages(title)
    names = [first[f"option{n}_name"] for n in (1, 2, 3)]
    variants: dict[str, VariantRecord] = {}
    for row in rows:
        if not (row["price"] or row["sku"] or row["option1_value"]):
            continue  # a row that only adds a picture
        try:
            variant = _variant(row, names, currency)
            if variant.title in variants:
                raise BadValue("Option1 Value", variant.title, "the product has two variants of that name")
            variants[variant.title] = variant
        except BadValue as error:
            table.refuse(row.line, error)
    pictures = [(row["image_position"], row["image"]) for row in rows if row["image"]]
    pictures.sort(key=lambda picture: int(picture[0]) if picture[0].isdecimal() else len(rows) + 1)
    if not variants:
        raise BadValue("Variant Price", "", "the product has no variant that can be sold")
    return ProductRecord(
        external_id=first["handle"],
        title=title,
        title_en=english,
        title_zh=chinese,
        description=values.text_of_html(first["body"]),
        product_type=first["type"] or None,
        tags=[tag.strip() for tag in first["tags"].split(",") if tag.strip()],
        vendor=first["vendor"] or None,
        image_url=pictures[0][1] if pictures else None,
        status=_status(first),
        variants=list(variants.values()),
    )


def _status(row: Row) -> ProductStatus:
    """A product that is active but not published cannot be bought in the shop, so it counts as a draft."""
    told = row["status"].lower()
    published = values.yes_or_no("Published", row["published"]) if row["published"] else True
    try:
        status = ProductStatus(told) if told else ProductStatus.ACTIVE
    except ValueError:
        raise BadValue("Status", told, "expected active, draft or archived") from None
    return ProductStatus.DRAFT if status is ProductStatus.ACTIVE and not published else status


def _variant(row: Row, names: list[str], currency: str) -> VariantRecord:
    options: dict[str, str] = {}
    for place, name in enumerate(names, start=1):
        value = row[f"option{place}_value"]
        if value and value != _PLACEHOLDER:
            options[name or f"Option{place}"] = value
    tracked = bool(row["tracker"]) or ("tracker" not in row and bool(row["inventory"]))
    policy = row["policy"].lower()
    price = values.minor("Variant Price", row["price"], currency)
    if price < 0:
        raise BadValue("Variant Price", row["price"], "a price cannot be negative")
    return VariantRecord(
        title=" / ".join(options.values()),
        sku=values.unquoted(row["sku"]) or None,
        options=options,
        price_minor=price,
        compare_at_minor=values.minor("Variant Compare At Price", row["compare_at"], currency)
        if row["compare_at"]
        else None,
        currency=currency,
        inventory=values.whole("Variant Inventory Qty", row["inventory"] or "0") if tracked else None,
        sells_when_empty=policy in ("continue", "true", "yes"),
    )


def import_customers(path: Path, context: Context) -> ImportReport:
    """Adds and updates customers. Raises UnreadableFile."""
    with (
        reported(SOURCE, "customers", path) as report,
        open_table(
            path, shopify_columns.CUSTOMERS, required=("email",), what="Shopify's customers export"
        ) as table,
    ):  # fmt: skip
        told = {"email", *(column for column in ("phone", "country", "accepts_marketing") if column in table.columns)}
        told |= {"name"} & {"name" for column in ("first_name", "last_name") if column in table.columns}
        heading = table.heading("accepts_marketing")

        def write(session: Session, batch: list[CustomerRecord]) -> None:
            write_customers(session, SOURCE, batch, report, now=context.now, told=told, consent_heading=heading)

        store_in_batches(_customers(table), write, table, report, context)
    return report


def _customers(table: Table) -> Iterator[tuple[int, CustomerRecord]]:
    unique = Unique("Customer ID")
    for row in table:
        try:
            customer = _customer(row)
            unique.check(str(customer.key), row.line)
            yield 1, customer
        except BadValue as error:
            table.refuse(row.line, error)


def _customer(row: Row) -> CustomerRecord:
    country = values.country(row["country"])
    customer = CustomerRecord(
        external_id=values.unquoted(row["customer_id"]) or None,
        name=values.person(row["first_name"], row["last_name"]),
        email=values.email("Email", row["email"]),
        phone=values.phone(row["phone"] or row["address_phone"], country),
        country=country,
        accepts_marketing=values.yes_or_no("Accepts Email Marketing", row["accepts_marketing"]),
    )
    if customer.key is None:
        raise BadValue("Email", "", "the row has no customer id, e-mail or phone")
    return customer
