"""Making the products that orders name and no catalogue holds."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from crm.importers.goods import Goods
from crm.importers.records import Context, OrderRecord
from crm.importers.report import ImportReport
from crm.importers.write_products import write_products

_NAMED_OR_PRICED = {"title", "title_en", "title_zh", "price_minor"}


def make_goods(
    session: Session, source: str, goods: Goods, orders: Sequence[OrderRecord], report: ImportReport, context: Context
) -> None:
    """Makes what is missing, before the orders are written. Guessed prices make no product."""
    note_goods(goods, orders)
    missing = goods.missing()
    if missing:
        made = ImportReport(source, "products", report.file)
        write_products(session, source, missing, made, now=context.now, told=_NAMED_OR_PRICED)
        report.products_created += made.added
        goods.made(session, source, [record.external_id for record in missing])


def note_goods(goods: Goods, orders: Sequence[OrderRecord]) -> None:
    """Remembers what the orders tell about products that are in no catalogue."""
    for order in orders:
        if order.lines_are_guessed:
            continue
        for line in order.lines:
            bought_at = order.placed_at if line.quantity > 0 else None
            goods.note(line.sku, line.title, line.unit_price_minor, order.currency, bought_at)


def correct_goods(source: str, goods: Goods, report: ImportReport, context: Context) -> None:
    """Gives products made in this import the name and price of their newest purchase."""
    corrected = goods.corrected()
    if corrected:
        with context.open_session() as session:
            made = ImportReport(source, "products", report.file)
            write_products(session, source, corrected, made, now=context.now, told=_NAMED_OR_PRICED)
