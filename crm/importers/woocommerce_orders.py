"""Order exports of WooCommerce's usual plugins and of its Analytics page; docs/importing.md names them."""

import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from crm import money
from crm.importers import values, woocommerce_columns
from crm.importers.goods import Goods
from crm.importers.reading import Row, Table, open_table
from crm.importers.records import Context, CustomerRecord, OrderRecord
from crm.importers.report import BadValue, ImportReport, UnreadableFile
from crm.importers.running import Unique, reported, store_in_batches
from crm.importers.sharing_out import share
from crm.importers.statuses import PlainStatus
from crm.importers.woocommerce import SOURCE
from crm.importers.woocommerce_lines import cells_of_lines, find_numbered_columns, line_of
from crm.importers.woocommerce_statuses import woocommerce_status
from crm.importers.write_orders import write_orders
from crm.models import FinancialStatus, FulfillmentStatus
from crm.order_numbers import normal_number

_WHAT = "a WooCommerce orders export"
_REQUIRED = ("number", "date", "status")
_AMOUNT_OF_REFUND = re.compile(r"(?:amount|total)\s*:\s*-?([\d.,]+)", re.IGNORECASE)


def import_orders(path: Path, context: Context) -> ImportReport:
    """Adds and updates orders, makes customers that are not known yet. Raises UnreadableFile."""
    with reported(SOURCE, "orders", path) as report:
        day_first = _day_first(path, context, report)
        with open_table(path, woocommerce_columns.ORDERS, required=_REQUIRED, what=_WHAT) as table:
            if not table.columns.keys() & {"total", "net_sales"}:
                raise UnreadableFile(path, f"no column 'order_total'; this is not {_WHAT}.")
            with context.open_session() as session:
                goods = Goods(session)

            def write(session: Session, batch: list[OrderRecord]) -> None:
                write_orders(session, SOURCE, batch, goods, report, now=context.now)

            dates = values.DateReader(context.shop.zone, now=context.now, day_first=day_first)
            orders = _Orders(table, context.shop.currency, dates)
            store_in_batches(orders, write, table, report, context)
        if orders.baskets:
            report.notes.append(f"{orders.baskets:,} drafts are not orders yet and were left out")
    return report


def _day_first(path: Path, context: Context, report: ImportReport) -> bool:
    """What 3/4/2026 means in this file; it is read for that only if its first date is written so."""
    days = values.DayOrder()
    with open_table(path, woocommerce_columns.ORDERS, required=_REQUIRED, what=_WHAT) as table:
        for row in table:
            if row["date"] and not re.match(r"\d{1,2}[/-]\d{1,2}[/-]\d", row["date"]):
                break
            days.look_at(row["date"])
    day_first = days.decide(context.shop.timezone)
    if days.is_a_guess:
        report.notes.append(f"dates such as 3/4/2026 were read as {'day/month' if day_first else 'month/day'}")
    return day_first


def _groups(table: Table) -> Iterator[list[Row]]:
    """The rows of one order: the same number, or none on the rows that only add a line."""
    group: list[Row] = []
    for row in table:
        if group and row["number"] not in ("", group[0]["number"]):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


class _Orders:
    """The file's orders, each with the number of its rows."""

    def __init__(self, table: Table, currency: str, dates: values.DateReader) -> None:
        self._table, self._currency, self._dates = table, currency, dates
        self._numbered = find_numbered_columns(table)
        self.baskets = 0

    def __iter__(self) -> Iterator[tuple[int, OrderRecord]]:
        unique = Unique("order_number")
        for rows in _groups(self._table):
            try:
                unique.check(rows[0]["number"], rows[0].line)
                status = woocommerce_status(rows[0]["status"])
                if status is None:
                    self.baskets += 1
                    continue
                order = self._order(rows[0], status)
            except BadValue as error:
                self._table.refuse(rows[0].line, error)
                for row in rows[1:]:
                    reason = f"its order on line {rows[0].line} was refused"
                    self._table.refuse(row.line, BadValue("order_number", rows[0]["number"], reason))
                continue
            self._add_lines(order, rows, status)
            yield len(rows), order

    def _add_lines(self, order: OrderRecord, rows: list[Row], status: PlainStatus) -> None:
        unpriced: list[tuple[str | None, str, int]] = []
        for row in rows:
            try:
                for cells in cells_of_lines(row, self._numbered):
                    line = line_of(cells, order.currency)
                    if line is not None:
                        line.fulfilled = status.is_fulfilled
                        order.lines.append(line)
                        continue
                    quantity = values.whole("quantity", cells.get("quantity") or "1")
                    unpriced.append((cells.get("sku") or None, cells.get("name") or cells["sku"], quantity))
            except BadValue as error:
                self._table.refuse(row.line, error)
        if unpriced:
            told = sum(line.unit_price_minor * line.quantity - line.discount_minor for line in order.lines)
            order.lines += share(max(0, order.subtotal_minor - order.discount_minor - told), unpriced)
            order.lines_are_guessed = True
        elif order.lines and not rows[0]["subtotal"]:
            order.subtotal_minor = sum(line.unit_price_minor * line.quantity for line in order.lines)

    def _order(self, row: Row, status: PlainStatus) -> OrderRecord:
        number = normal_number(values.unquoted(row["number"]))
        if not number:
            raise BadValue("order_number", row["number"], "the order number is empty")
        currency = row["currency"].upper() or self._currency
        if currency not in money.known_currencies():
            raise BadValue("order_currency", currency, "it is not an ISO 4217 currency code")
        country = values.country(row["country"] or row["bill_country"])
        email = values.email("billing_email", row["email"])
        phone = values.phone(row["phone"] or row["ship_phone"], country)
        placed_at = self._dates("order_date", row["date"])
        total = values.minor("order_total", row["total"] or row["net_sales"], currency)
        refunded = _refunded(row, status, total, currency)
        completed = self._dates.optional("completed_date", row["completed"])
        return OrderRecord(
            external_id=values.unquoted(row["id"]) or number,
            number=number,
            buyer=_buyer(row, email, phone, country),
            email=email,
            phone=phone,
            currency=currency,
            placed_at=placed_at,
            subtotal_minor=values.minor("order_subtotal", row["subtotal"], currency, empty=total),
            discount_minor=abs(values.minor("discount_total", row["discount"], currency, empty=0)),
            shipping_minor=values.minor("shipping_total", row["shipping"], currency, empty=0),
            tax_minor=values.minor("tax_total", row["tax"], currency, empty=0),
            total_minor=total,
            refunded_minor=refunded,
            discount_code=_coupon(row["coupons"]),
            financial_status=_financial(status, refunded, total),
            fulfillment_status=FulfillmentStatus.FULFILLED
            if completed and status.fulfillment is FulfillmentStatus.UNFULFILLED and not status.cancelled
            else status.fulfillment,
            country=country,
            city=row["city"] or row["bill_city"] or None,
            paid_at=self._dates.optional("paid_date", row["paid"]),
            fulfilled_at=completed,
            tracking_number=values.unquoted(row["tracking"]) or None,
            carrier=row["carrier"] or None,
        )


def _financial(status: PlainStatus, refunded: int, total: int) -> FinancialStatus:
    if refunded and not status.cancelled:
        return FinancialStatus.REFUNDED if refunded >= total else FinancialStatus.PARTIALLY_REFUNDED
    return status.financial


def _refunded(row: Row, status: PlainStatus, total: int, currency: str) -> int:
    refunded = abs(values.minor("refunded_total", row["refunded"], currency, empty=0))
    if not refunded and row["refund_items"]:
        found = _AMOUNT_OF_REFUND.findall(row["refund_items"])
        refunded = sum(values.minor("refund_items", amount.strip(".,"), currency) for amount in found)
    return total if status.financial is FinancialStatus.REFUNDED and not refunded else refunded


def _buyer(row: Row, email: str | None, phone: str | None, country: str | None) -> CustomerRecord | None:
    """Whoever placed the order; a guest without e-mail and phone cannot be told from any other."""
    customer = values.unquoted(row["customer"])
    customer_id = None if customer in ("", "0") or "@" in customer else customer
    if not (customer_id or email or phone):
        return None
    name = values.person(row["first_name"], row["last_name"]) or row["full_name"] or None
    return CustomerRecord(customer_id, name, email, phone, country)


def _coupon(text: str) -> str | None:
    """The code in "WELCOME", "code:WELCOME|amount:5.00" or a list of such; the first of several."""
    found = re.search(r"code:\s*([^|;]+)", text)
    code = found[1] if found else re.split(r"[,;|]", text)[0]
    return code.strip() or None
