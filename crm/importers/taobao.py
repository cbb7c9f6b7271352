"""Taobao's and Tmall's order export (ExportOrderList), with the articles of each order (ExportOrderDetailList).

The list of orders names the articles of an order, but not what each one cost; the list of articles does. Without it an
order of several articles is shared out evenly among its pieces, and what was stored before is left as it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from crm import phones
from crm.importers import taobao_cells as cells
from crm.importers import taobao_columns, values
from crm.importers.goods import Goods
from crm.importers.made_goods import correct_goods, make_goods, note_goods
from crm.importers.reading import Row, Table, open_table
from crm.importers.records import Context, CustomerRecord, LineRecord, OrderRecord
from crm.importers.report import BadValue, ImportReport, Refusal
from crm.importers.running import Unique, reported, store_in_batches
from crm.importers.sharing_out import share
from crm.importers.statuses import PlainStatus
from crm.importers.write_orders import write_orders
from crm.importers.write_products import link_order_lines_by_title
from crm.models import FinancialStatus, FulfillmentStatus
from crm.order_numbers import normal_number

SOURCE = "taobao"
_BETWEEN_TITLES = "，"
_CHINA = ZoneInfo("Asia/Shanghai")
Lines = Mapping[str, Sequence[LineRecord]]
_UNPAID = PlainStatus(FinancialStatus.PENDING, FulfillmentStatus.UNFULFILLED)
_PAID = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.UNFULFILLED)
_CLOSED = PlainStatus(FinancialStatus.VOIDED, FulfillmentStatus.UNFULFILLED, cancelled=True)
_STATUSES = {
    "等待买家付款": _UNPAID,
    "待付款": _UNPAID,
    "没有创建支付宝交易": _UNPAID,
    "定金已付尾款未付": _UNPAID,
    "付款确认中": _UNPAID,
    "买家已付款等待卖家发货": _PAID,
    "买家已付款": _PAID,
    "等待卖家发货": _PAID,
    "待发货": _PAID,
    "已付款": _PAID,
    "拼团中订单已付款": _PAID,
    "卖家部分发货": PlainStatus(FinancialStatus.PAID, FulfillmentStatus.PARTIAL),
    "部分发货": PlainStatus(FinancialStatus.PAID, FulfillmentStatus.PARTIAL),
    "卖家已发货等待买家确认": PlainStatus(),
    "卖家已发货": PlainStatus(),
    "已发货": PlainStatus(),
    "买家已签收": PlainStatus(FinancialStatus.PAID, FulfillmentStatus.DELIVERED),
    "交易成功": PlainStatus(FinancialStatus.PAID, FulfillmentStatus.DELIVERED),
    "已完成": PlainStatus(FinancialStatus.PAID, FulfillmentStatus.DELIVERED),
    "交易关闭": _CLOSED,
    "付款以前卖家或买家主动关闭交易": _CLOSED,
    "已取消": _CLOSED,
    "已退款": PlainStatus(FinancialStatus.REFUNDED, FulfillmentStatus.UNFULFILLED),
    "退款成功": PlainStatus(FinancialStatus.REFUNDED, FulfillmentStatus.UNFULFILLED),
}


def import_orders(path: Path, context: Context, lines: Path | None = None) -> ImportReport:
    """Adds and updates orders, and makes the customers and products they name. Raises UnreadableFile."""
    with (
        reported(SOURCE, "orders", path) as report,
        open_table(
            path, taobao_columns.ORDERS, required=("number", "status", "created"), what="Taobao's ExportOrderList"
        ) as table,
    ):  # fmt: skip
        articles: Lines = {}
        if lines is not None:
            articles, refused = _articles(lines)
            report.refused.extend(refused)
        with context.open_session() as session:
            goods = Goods(session)

        def write(session: Session, batch: list[OrderRecord]) -> None:
            make_goods(session, SOURCE, goods, batch, report, context)
            write_orders(session, SOURCE, batch, goods, report, now=context.now)

        def stored(session: Session, batch: list[OrderRecord], began: datetime) -> None:
            goods.reopen(session, SOURCE, began)
            note_goods(goods, batch)

        store_in_batches(_orders(table, context, articles), write, table, report, context, stored=stored)
        correct_goods(SOURCE, goods, report, context)
        if report.changed:
            with context.open_session() as session:
                link_order_lines_by_title(session, SOURCE)
    return report


def _articles(path: Path) -> tuple[Lines, list[Refusal]]:
    """The articles of each order, by the order's number, and the rows that were not taken."""
    found: dict[str, list[LineRecord]] = defaultdict(list)
    with open_table(
        path, taobao_columns.LINES, required=("number", "title", "price"), what="Taobao's ExportOrderDetailList"
    ) as table:
        for row in table:
            try:
                found[normal_number(cells.number("订单编号", row["number"]))].append(_article(row))
            except BadValue as error:
                table.refuse(row.line, error)
    return found, table.refused


def _article(row: Row) -> LineRecord:
    title = cells.title(row["title"])
    if not title:
        raise BadValue("标题", "", "it is empty")
    quantity = values.whole("购买数量", cells.plain(row["quantity"]) or "1")
    if quantity <= 0:
        raise BadValue("购买数量", row["quantity"], "it is not above zero")
    price = cells.amount("价格", row["price"])
    if price < 0:
        raise BadValue("价格", row["price"], "it is negative")
    status = _STATUSES.get(_compared(row["status"]), _UNPAID)
    return LineRecord(cells.word(row["sku"]), title, quantity, price, fulfilled=status.is_fulfilled)


def _orders(table: Table, context: Context, articles: Lines) -> Iterator[tuple[int, OrderRecord]]:
    unique = Unique("订单编号")
    dates = values.DateReader(_CHINA, now=context.now)  # wherever the shop is, Taobao writes Beijing time
    for row in table:
        try:
            order = _order(row, dates, articles)
            unique.check(order.external_id, row.line)
            yield 1, order
        except BadValue as error:
            table.refuse(row.line, error)


def _order(row: Row, dates: values.DateReader, articles: Lines) -> OrderRecord:
    number = normal_number(cells.number("订单编号", row["number"]))
    status = _status(row["status"])
    goods_due = cells.amount("买家应付货款", row["goods_due"], empty=-1)
    postage = cells.amount("买家应付邮费", row["postage"], empty=0)
    paid_amount = cells.amount("买家实际支付金额", row["paid_amount"], empty=0)
    total = cells.amount("总金额", row["total"], empty=goods_due + postage if goods_due >= 0 else paid_amount)
    goods_due = total - postage if goods_due < 0 else goods_due
    if min(total, goods_due, postage) < 0:
        raise BadValue("总金额", row["total"], "it is negative")
    paid_at = dates.optional("订单付款时间", cells.word(row["paid"]) or "")
    financial, refunded = _money_back(status, cells.amount("退款金额", row["refunded"], empty=0), total, paid_at)
    country, city = cells.place(row["changed_address"] or row["address"])
    buyer = _buyer(row, country)
    order = OrderRecord(
        external_id=number,
        number=number,
        buyer=buyer if buyer.key is not None else None,
        email=buyer.email,
        phone=buyer.phone,
        currency=cells.CURRENCY,
        placed_at=dates("订单创建时间", cells.plain(row["created"])),
        subtotal_minor=goods_due,
        shipping_minor=postage,
        total_minor=total,
        refunded_minor=refunded,
        financial_status=financial,
        fulfillment_status=status.fulfillment,
        country=country,
        city=city,
        paid_at=paid_at,
        fulfilled_at=dates.optional("发货时间", cells.word(row["sent"]) or ""),
        tracking_number=(cells.word(row["tracking"]) or "").removeprefix("No:").strip() or None,
        carrier=cells.word(row["carrier"]),
    )
    _add_lines(order, row, articles.get(number), status)
    return order


def _status(cell: str) -> PlainStatus:
    found = _STATUSES.get(_compared(cell))
    if found is None:
        raise BadValue("订单状态", cell, "expected a status of Taobao's such as 交易成功" if cell else "it is empty")
    return found


@lru_cache(maxsize=8192)
def _compared(status: str) -> str:
    """Without commas and spaces, which differ between exports."""
    return "".join(letter for letter in cells.plain(status) if letter not in ",， \u3000")


def _money_back(
    status: PlainStatus, refunded: int, total: int, paid_at: datetime | None
) -> tuple[FinancialStatus, int]:
    """A trade that was paid and closed all the same was paid back: Taobao closes it in no other way."""
    if status.financial is FinancialStatus.REFUNDED or (status.cancelled and paid_at is not None):
        return FinancialStatus.REFUNDED, refunded or total
    if refunded and not status.cancelled:
        return (FinancialStatus.REFUNDED if refunded >= total else FinancialStatus.PARTIALLY_REFUNDED), refunded
    return status.financial, refunded


def _buyer(row: Row, country: str | None) -> CustomerRecord:
    alipay = cells.unmasked(row["alipay"]) or ""
    return CustomerRecord(
        external_id=cells.unmasked(row["member"]),
        name=cells.unmasked(row["receiver"]),
        email=phones.normal_email(alipay) if "@" in alipay else None,
        phone=cells.phone(row["mobile"], row["telephone"]),
        country=country,
        language="zh",
    )


def _add_lines(order: OrderRecord, row: Row, articles: Sequence[LineRecord] | None, status: PlainStatus) -> None:
    if articles:
        order.lines = list(articles)
        listed = sum(line.unit_price_minor * line.quantity for line in order.lines)
        order.discount_minor = max(0, listed - order.subtotal_minor)
        order.subtotal_minor = max(listed, order.subtotal_minor)
        return
    titles = _titles(cells.title(row["titles"]), cells.plain(row["kinds"]))
    for title in titles:
        values.no_longer("宝贝标题", title)
    if not titles:
        return
    pieces = values.whole("宝贝总数量", cells.plain(row["pieces"])) if row["pieces"] else len(titles)
    pieces = max(pieces, len(titles))
    # How many of each is not told where there are several: the first ones are taken to be bought once.
    named = [(None, title, 1) for title in titles[:-1]]
    order.lines = share(order.subtotal_minor, [*named, (None, titles[-1], pieces - len(named))])
    order.lines_are_guessed = len(titles) > 1
    for line in order.lines:
        line.fulfilled = status.is_fulfilled


def _titles(text: str, kinds: str) -> list[str]:
    """The titles, which Taobao joins by a comma that may stand in a title as well; 宝贝种类 says how many there are."""
    parts = [part.strip() for part in text.split(_BETWEEN_TITLES) if part.strip()]
    if not kinds.isdecimal() or int(kinds) == len(parts) or len(parts) < 2:
        return parts
    return [text]
