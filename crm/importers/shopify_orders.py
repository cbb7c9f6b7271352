"""Shopify's orders export: the first row of an order carries the order, the next ones only more line items."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from crm import money
from crm.importers import shopify_columns, values
from crm.importers.goods import Goods
from crm.importers.reading import Row, Table, open_table
from crm.importers.records import Context, CustomerRecord, LineRecord, OrderRecord
from crm.importers.report import BadValue, ImportReport
from crm.importers.running import Unique, reported, store_in_batches
from crm.importers.shopify import SOURCE
from crm.importers.write_orders import write_orders
from crm.models import FinancialStatus, FulfillmentStatus
from crm.order_numbers import normal_number

S = TypeVar("S", FinancialStatus, FulfillmentStatus)

# An authorised payment is on the customer's card already: to them it is paid.
_FINANCIAL = {
    "": FinancialStatus.PENDING,
    "pending": FinancialStatus.PENDING,
    "unpaid": FinancialStatus.PENDING,
    "partially_paid": FinancialStatus.PENDING,
    "authorized": FinancialStatus.PAID,
    "paid": FinancialStatus.PAID,
    "partially_refunded": FinancialStatus.PARTIALLY_REFUNDED,
    "refunded": FinancialStatus.REFUNDED,
    "voided": FinancialStatus.VOIDED,
    "expired": FinancialStatus.VOIDED,
}
_FULFILLMENT = {
    "": FulfillmentStatus.UNFULFILLED,
    "unfulfilled": FulfillmentStatus.UNFULFILLED,
    "restocked": FulfillmentStatus.UNFULFILLED,
    "pending": FulfillmentStatus.UNFULFILLED,
    "on_hold": FulfillmentStatus.UNFULFILLED,
    "scheduled": FulfillmentStatus.UNFULFILLED,
    "in_progress": FulfillmentStatus.UNFULFILLED,
    "partial": FulfillmentStatus.PARTIAL,
    "partially_fulfilled": FulfillmentStatus.PARTIAL,
    "fulfilled": FulfillmentStatus.FULFILLED,
    "shipped": FulfillmentStatus.FULFILLED,
    "delivered": FulfillmentStatus.DELIVERED,
}


def import_orders(path: Path, context: Context) -> ImportReport:
    """Adds and updates orders, makes customers that are not known yet. Raises UnreadableFile."""
    with (
        reported(SOURCE, "orders", path) as report,
        open_table(
            path,
            shopify_columns.ORDERS,
            required=("name", "created_at", "total", "line_quantity", "line_name", "line_price"),
            what="Shopify's orders export",
        ) as table,
    ):
        with context.open_session() as session:
            goods = Goods(session)
        heading = table.heading("accepts_marketing")

        def write(session: Session, batch: list[OrderRecord]) -> None:
            write_orders(session, SOURCE, batch, goods, report, now=context.now, consent_heading=heading)

        store_in_batches(_orders(table, context), write, table, report, context)
    return report


def _orders(table: Table, context: Context) -> Iterator[tuple[int, OrderRecord]]:
    unique = Unique("Name")
    dates = values.DateReader(context.shop.zone, now=context.now)
    for rows in _groups(table):
        try:
            unique.check(rows[0]["name"], rows[0].line)
            order = _order(rows[0], context.shop.currency, dates)
        except BadValue as error:
            table.refuse(rows[0].line, error)
            for row in rows[1:]:
                table.refuse(row.line, BadValue("Name", row["name"], f"its order on line {rows[0].line} was refused"))
            continue
        for row in rows:
            try:
                if row["line_name"] or row["line_sku"]:
                    order.lines.append(_line(row, order.currency))
            except BadValue as error:
                table.refuse(row.line, error)
        yield len(rows), order


def _groups(table: Table) -> Iterator[list[Row]]:
    """The rows of one order: same name, and only the first has an id or a total of its own."""
    group: list[Row] = []
    for row in table:
        if group and (row["name"] != group[0]["name"] or row["total"]):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _order(row: Row, shop_currency: str, dates: values.DateReader) -> OrderRecord:
    number = normal_number(values.unquoted(row["name"]))
    if not number:
        raise BadValue("Name", row["name"], "the order number is empty")
    currency = row["currency"].upper() or shop_currency
    if currency not in money.known_currencies():
        raise BadValue("Currency", currency, "it is not an ISO 4217 currency code")
    country = values.country(row["country"])
    email = values.email("Email", row["email"])
    phone = values.phone(row["phone"] or row["billing_phone"] or row["shipping_phone"], country)
    placed_at = dates("Created at", row["created_at"])
    financial = _state("Financial Status", row["financial_status"], _FINANCIAL)
    total = values.minor("Total", row["total"], currency)
    refunded = values.minor("Refunded Amount", row["refunded"], currency, empty=0)
    return OrderRecord(
        external_id=values.unquoted(row["id"]) or number,
        number=number,
        buyer=_buyer(row, email, phone, country),
        email=email,
        phone=phone,
        currency=currency,
        placed_at=placed_at,
        subtotal_minor=values.minor("Subtotal", row["subtotal"], currency, empty=total),
        discount_minor=values.minor("Discount Amount", row["discount"], currency, empty=0),
        shipping_minor=values.minor("Shipping", row["shipping"], currency, empty=0),
        tax_minor=values.minor("Taxes", row["taxes"], currency, empty=0),
        total_minor=total,
        # An order that was cancelled before the money was taken says "refunded" with an amount of 0.
        refunded_minor=total if financial is FinancialStatus.REFUNDED and not refunded else refunded,
        discount_code=row["discount_code"] or None,
        financial_status=financial,
        fulfillment_status=_state("Fulfillment Status", row["fulfillment_status"], _FULFILLMENT),
        country=country,
        city=row["city"] or None,
        paid_at=dates.optional("Paid at", row["paid_at"]),
        fulfilled_at=dates.optional("Fulfilled at", row["fulfilled_at"]),
        cancelled_at=dates.optional("Cancelled at", row["cancelled_at"]),
    )


def _buyer(row: Row, email: str | None, phone: str | None, country: str | None) -> CustomerRecord | None:
    if not email and not phone:
        return None
    name = row["billing_name"] or row["shipping_name"]
    first, _, last = name.rpartition(" ") if name.count(" ") == 1 else (name, "", "")
    accepts = values.yes_or_no("Accepts Marketing", row["accepts_marketing"])
    return CustomerRecord(None, values.person(first, last), email, phone, country, accepts_marketing=accepts)


def _state(column: str, text: str, known: Mapping[str, S]) -> S:
    state = known.get(text.strip().lower().replace(" ", "_"))
    if state is None:
        raise BadValue(column, text, f"expected one of {', '.join(word for word in known if word)}")
    return state


def _line(row: Row, currency: str) -> LineRecord:
    quantity = values.whole("Lineitem quantity", row["line_quantity"])
    if quantity <= 0:
        raise BadValue("Lineitem quantity", row["line_quantity"], "it is not above zero")
    return LineRecord(
        sku=values.unquoted(row["line_sku"]) or None,
        title=row["line_name"] or row["line_sku"],
        quantity=quantity,
        unit_price_minor=values.minor("Lineitem price", row["line_price"], currency),
        discount_minor=values.minor("Lineitem discount", row["line_discount"], currency, empty=0),
        fulfilled=row["line_status"].lower() == "fulfilled",
    )
