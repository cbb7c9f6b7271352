"""Plain CSV lists of orders, one order line per row. The rules are written down for the owner in docs/importing.md."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from crm import money
from crm.importers import plain_columns, values
from crm.importers.goods import Goods
from crm.importers.made_goods import correct_goods, make_goods, note_goods
from crm.importers.plain import SOURCE, currency_of, identifier
from crm.importers.reading import Row, Table, open_table
from crm.importers.records import Context, CustomerRecord, LineRecord, OrderRecord
from crm.importers.report import BadValue, ImportReport, UnreadableFile
from crm.importers.running import reported, store_in_batches
from crm.importers.statuses import PlainStatus, plain_status
from crm.importers.write_orders import write_orders
from crm.models import FinancialStatus
from crm.order_numbers import normal_number

_WHAT = "a plain list of orders"
Key = tuple[str, str]


@dataclass
class Survey:
    """What has to be known of the whole file before its first row can be understood."""

    days: values.DayOrder = field(default_factory=values.DayOrder)
    last_line: dict[Key, int] = field(default_factory=dict)
    """Where the orders end whose rows do not all stand together."""


@dataclass(slots=True)
class _PlainLine:
    line: LineRecord
    amount_minor: int
    placed_at: datetime
    currency: str
    status: PlainStatus | None
    buyer: CustomerRecord
    content: str


def import_orders(path: Path, context: Context) -> ImportReport:
    """Adds and updates orders; makes customers, and products that are in no catalogue. Raises UnreadableFile."""
    with reported(SOURCE, "orders", path) as report:
        survey = _survey(path)
        day_first = survey.days.decide(context.shop.timezone)
        if survey.days.is_a_guess:
            report.notes.append(f"dates such as 3/4/2026 were read as {'day/month' if day_first else 'month/day'}")
        dates = values.DateReader(context.shop.zone, now=context.now, day_first=day_first)
        with open_table(path, plain_columns.ORDERS, required=("date",), what=_WHAT) as table:
            _check_columns(path, table)
            with context.open_session() as session:
                goods = Goods(session)
            told = _told(table)

            def write(session: Session, batch: list[OrderRecord]) -> None:
                make_goods(session, SOURCE, goods, batch, report, context)
                write_orders(session, SOURCE, batch, goods, report, now=context.now, told=told)

            def stored(session: Session, batch: list[OrderRecord], began: datetime) -> None:
                goods.reopen(session, SOURCE, began)
                note_goods(goods, batch)

            orders = _Orders(table, survey, dates, context.shop.currency)
            store_in_batches(orders, write, table, report, context, stored=stored)
            correct_goods(SOURCE, goods, report, context)
    return report


def _check_columns(path: Path, table: Table) -> None:
    found = ", ".join(repr(name) for name in table.header if name)
    if "amount" not in table.columns and "price" not in table.columns:
        raise UnreadableFile(path, f"no column 'amount' or 'price'; this is not {_WHAT}. Its columns are {found}.")
    if not table.columns.keys() & {"customer_id", "email", "phone", "order_number"}:
        raise UnreadableFile(path, f"no column 'customer_id'; this is not {_WHAT}. Its columns are {found}.")


def _told(table: Table) -> set[str]:
    """The order columns that this file knows; what it does not know is not overwritten."""
    always = {"number", "currency", "subtotal_minor", "total_minor", "refunded_minor", "financial_status", "placed_at"}
    with_status = {"fulfillment_status", "cancelled_at"} if "status" in table.columns else set()
    return always | with_status | ({"email", "phone", "country"} & table.columns.keys())


def _survey(path: Path) -> Survey:
    survey = Survey()
    ended: set[Key] = set()
    with open_table(path, plain_columns.ORDERS, required=("date",), what=_WHAT) as table:
        _check_columns(path, table)
        current: Key | None = None
        for row in table:
            survey.days.look_at(row["date"])
            key = _key(row)
            if key != current:
                if current is not None:
                    ended.add(current)
                current = key
            if key is not None and key in ended:
                survey.last_line[key] = row.line
    return survey


def _key(row: Row) -> Key | None:
    """What rows of one order have in common; None for a row that is an order of its own."""
    number = _number(row["order_number"])
    return (number, identifier(row["customer_id"]) or row["email"] or row["phone"]) if number else None


@lru_cache(maxsize=1024)
def _number(text: str) -> str:
    return normal_number(values.unquoted(text))


class _Orders:
    """Gathers rows to orders; one whose rows are scattered is kept until its last row."""

    def __init__(self, table: Table, survey: Survey, dates: values.DateReader, shop_currency: str) -> None:
        self._table, self._survey, self._dates, self._currency = table, survey, dates, shop_currency
        self._alike: Counter[bytes] = Counter()

    def __iter__(self) -> Iterator[tuple[int, OrderRecord]]:
        scattered: dict[Key, list[_PlainLine]] = {}
        current: Key | None = None
        lines: list[_PlainLine] = []
        for row in self._table:
            key = _key(row)
            if lines and key != current and current is not None:
                yield len(lines), _order(current, lines)
                lines = []
            current = key
            last = self._survey.last_line.get(key) if key is not None else None
            into = lines if key is None or last is None else scattered.setdefault(key, [])
            try:
                into.append(self._line(row, into, own=key is None))
            except BadValue as error:
                self._table.refuse(row.line, error)
            if key is None and lines:
                yield 1, self._order_of_its_own(lines.pop())
            elif key is not None and last == row.line and scattered[key]:
                gathered = scattered.pop(key)
                yield len(gathered), _order(key, gathered)
        if lines and current is not None:
            yield len(lines), _order(current, lines)

    def _line(self, row: Row, same_order: list[_PlainLine], *, own: bool) -> _PlainLine:
        currency = currency_of(row, self._currency)
        if same_order and same_order[0].currency != currency:
            raise BadValue("currency", row["currency"], f"the order is in {same_order[0].currency}")
        placed_at = self._dates("date", row["date"])
        quantity = values.whole("quantity", row["quantity"]) if row["quantity"] else 1
        if quantity == 0:
            raise BadValue("quantity", row["quantity"], "it is zero")
        unit_minor, amount_minor = _amounts(row, quantity, currency)
        # The rows of one order name the same customer, else they would not be of one order.
        buyer = same_order[0].buyer if same_order else _buyer(row)
        if buyer.key is None and own:
            raise BadValue(
                "customer_id", "", "it is empty, and without an order number nothing tells whose order it is"
            )
        sku = identifier(row["sku"]) or None
        quantity = -abs(quantity) if amount_minor < 0 else quantity
        line = LineRecord(sku, row["product"] or sku or "", quantity, unit_minor)
        content = f"{buyer.key}|{placed_at}|{amount_minor}|{quantity}|{sku}|{line.title}|{currency}" if own else ""
        return _PlainLine(line, amount_minor, placed_at, currency, plain_status(row["status"]), buyer, content)

    def _order_of_its_own(self, line: _PlainLine) -> OrderRecord:
        """Named by its content, and by how many rows with the same content came before it in the file."""
        digest = hashlib.sha256(line.content.encode()).digest()[:8]
        self._alike[digest] += 1
        external_id = f"{digest.hex()}-{self._alike[digest]}"
        return _order_from(external_id, external_id.upper(), [line])


def _amounts(row: Row, quantity: int, currency: str) -> tuple[int, int]:
    """Price of one piece, never negative, and the row's amount, negative if money went back. Raises BadValue."""
    told_price, told_amount = row["price"], row["amount"]
    price: Decimal | None = None
    if told_price or not told_amount:
        price = values.amount("price", told_price, currency)
        if price < 0:
            raise BadValue("price", told_price, "the price is negative")
        if money.to_minor(price, currency) == 0:
            raise BadValue("price", told_price, "the price is zero or less than the smallest coin")
    if told_amount:
        amount = values.amount("amount", told_amount, currency)
        amount = -abs(amount) if quantity < 0 else amount
    else:
        amount = (price or Decimal()) * quantity
    unit = price if price is not None else abs(amount) / abs(quantity)
    amount_minor = values.in_range("amount", told_amount or told_price, money.to_minor(amount, currency))
    unit_minor = values.in_range("price", told_price or told_amount, money.to_minor(unit, currency))
    return unit_minor, amount_minor


def _buyer(row: Row) -> CustomerRecord:
    country = values.country(row["country"])
    return CustomerRecord(
        external_id=identifier(row["customer_id"]) or None,
        name=row["name"] or None,
        email=values.email("email", row["email"]),
        phone=values.phone(row["phone"], country),
        country=country,
    )


def _order(key: Key, lines: list[_PlainLine]) -> OrderRecord:
    number, customer = key
    # Some shops count orders per customer, so a number alone does not name an order.
    external_id = f"{number}:{hashlib.sha256(customer.encode()).hexdigest()[:12]}" if customer else number
    return _order_from(external_id, number, lines)


def _order_from(external_id: str, number: str, lines: list[_PlainLine]) -> OrderRecord:
    buyer = lines[0].buyer if lines[0].buyer.key is not None else None
    placed_at = min(line.placed_at for line in lines)
    total = sum(line.amount_minor for line in lines if line.amount_minor > 0)
    refunded = -sum(line.amount_minor for line in lines if line.amount_minor < 0)
    status = next((line.status for line in lines if line.status is not None), PlainStatus())
    financial = status.financial
    if refunded:
        financial = FinancialStatus.PARTIALLY_REFUNDED if refunded < total else FinancialStatus.REFUNDED
    elif financial is FinancialStatus.REFUNDED:
        refunded = total
    for line in lines:
        line.line.fulfilled = status.is_fulfilled
    return OrderRecord(
        external_id=external_id,
        number=number,
        buyer=buyer,
        email=buyer.email if buyer else None,
        phone=buyer.phone if buyer else None,
        currency=lines[0].currency,
        placed_at=placed_at,
        subtotal_minor=total,
        total_minor=total,
        refunded_minor=refunded,
        financial_status=financial,
        fulfillment_status=status.fulfillment,
        country=buyer.country if buyer else None,
        cancelled_at=placed_at if status.cancelled else None,
        lines=[line.line for line in lines],
    )
