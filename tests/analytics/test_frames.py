"""What counts as a purchase: every oddity has a rule, is counted, and stops nothing. Lin, Park and Chen buy."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import crm
from analytics.frames import Frames, read_frames
from analytics.run import analyse
from crm.models import Analysis, FinancialStatus, Order, OrderLine
from crm.shop import Shop
from tests.support.factories import NOW, a_product, an_order, chen, lin, park

SHOP = Shop(currency="SGD", timezone="Asia/Singapore")


def _frames(**moment: int) -> Frames:
    with crm.reading() as session:
        return read_frames(session, SHOP, NOW + timedelta(**moment))


def _reversed(session: Session, order: Order, *, hours_later: int) -> None:
    """A full refund booked as an entry of its own."""
    session.add(
        Order(
            source="test", external_id=f"C{order.number}", number=f"C{order.number}", customer=order.customer,
            currency="SGD", total_minor=0, refunded_minor=order.total_minor,
            placed_at=order.placed_at + timedelta(hours=hours_later),
            financial_status=FinancialStatus.REFUNDED, updated_at=NOW,
        )
    )  # fmt: skip


def test_times_and_amounts_are_read_as_they_were_stored(store: Engine) -> None:
    with crm.session() as session:
        order = an_order(session, "A1", of=lin(session), lines=(a_product(session, "Tea", "茶", price_minor=1850),))
        placed_at = order.placed_at
    orders = _frames().orders
    assert orders["ordered_at"].iloc[0].to_pydatetime() == placed_at
    assert str(orders["ordered_at"].dtype) == "datetime64[us, UTC]"
    assert orders["amount"].tolist() == [18.50]
    assert _frames().lines["product_id"].notna().all()


def test_cancelled_foreign_and_future_orders_are_left_out_and_counted(store: Engine) -> None:
    with crm.session() as session:
        tea = a_product(session, "Tea", "茶")
        someone = lin(session)
        an_order(session, "A1", of=someone, lines=(tea,))
        an_order(session, "A2", of=someone, lines=(tea,)).cancelled_at = NOW - timedelta(days=1)
        an_order(session, "A3", of=someone, lines=(tea,)).currency = "USD"
        an_order(session, "A4", of=someone, lines=(tea,)).currency = ""
        an_order(session, "A5", of=someone, lines=(tea,), days_ago=-5)
        an_order(session, "A6", of=someone).total_minor = -500
    frames = _frames()
    assert len(frames.orders) == 1
    assert frames.left_out == {"cancelled": 1, "other currency": 2, "after the date": 1, "below 0": 1}


def test_an_order_cancelled_later_still_counted_before(store: Engine) -> None:
    with crm.session() as session:
        order = an_order(session, "A1", of=lin(session), lines=(a_product(session, "Tea", "茶"),), days_ago=9)
        order.cancelled_at = NOW - timedelta(days=2)
    assert len(_frames(days=-5).orders) == 1
    assert _frames().orders.empty


def test_a_free_order_is_an_order(store: Engine) -> None:
    with crm.session() as session:
        an_order(session, "A1", of=park(session))
    assert _frames().orders["amount"].tolist() == [0.0]


def test_a_refund_stands_on_its_own_day_and_a_slip_is_neither_sale_nor_return(store: Engine) -> None:
    with crm.session() as session:
        tea = a_product(session, "Tea", "茶")
        returned = an_order(session, "A1", of=lin(session), lines=(tea,), days_ago=30)
        _reversed(session, returned, hours_later=24 * 10)
        _reversed(session, an_order(session, "A2", of=park(session), lines=(tea,), days_ago=30), hours_later=2)
    frames = _frames()
    assert len(frames.orders) == 1
    assert frames.refunds["amount"].tolist() == [18.0]
    assert frames.left_out == {"refund": 2, "reversed within a day": 1}
    assert _frames(days=-25).refunds.empty


@pytest.mark.parametrize("customers", [1, 2])
def test_a_store_of_nothing_but_oddities_is_analysed(store: Engine, customers: int) -> None:
    with crm.session() as session:
        tea = a_product(session, "Tea", "茶")
        for number, make in enumerate((lin, chen)[:customers]):
            someone = make(session)
            order = an_order(session, f"A{number}", of=someone, lines=(tea, tea), days_ago=0)
            order.refunded_minor = order.total_minor * 5
            order.lines[0].quantity = -2
            session.add(OrderLine(order=order, position=9, title="?", quantity=1, unit_price_minor=0))
            an_order(session, f"F{number}", of=someone, days_ago=-400)
    analysis_id = analyse(SHOP, as_of=NOW, now=NOW)
    with crm.reading() as session:
        counts = session.get_one(Analysis, analysis_id).counts
    assert counts["customers"] == customers
    assert counts["left_out"] == {"after the date": customers}
