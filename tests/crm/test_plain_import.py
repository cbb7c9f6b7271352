"""Plain lists of products, customers and orders."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import selectinload

import crm
from crm.importers import SOURCES, Context, ImportReport, UnreadableFile
from crm.models import Customer, FinancialStatus, Order, OrderLine, OrderState, Product, ProductStatus
from crm.shop import Shop

File = Callable[..., Path]
Importing = Callable[[str, str], ImportReport]
SIMPLE = "customer_id,date,amount\nC1,2026-01-05,20.00\nC1,2026-03-05,30.00\nC2,2026-02-05,12.50\n"


@pytest.fixture
def take(store: Engine, file: File, context: Context) -> Importing:
    def importing(kind: str, text: str) -> ImportReport:
        return SOURCES["csv"][kind](file(text, f"{kind}.csv"), context)

    return importing


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.added, report.updated, report.unchanged


def refusals(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(refused.line, refused.column, refused.reason) for refused in report.refused]


def orders() -> Sequence[Order]:
    with crm.reading() as session:
        loading = selectinload(Order.lines), selectinload(Order.customer)
        return session.scalars(select(Order).options(*loading).order_by(Order.placed_at, Order.id)).all()


def order(number: str) -> Order:
    return next(found for found in orders() if found.number == number)


def products() -> dict[str, Product]:
    with crm.reading() as session:
        found = session.scalars(select(Product).options(selectinload(Product.variants)))
        return {product.external_id: product for product in found}


def customers() -> dict[str, Customer]:
    with crm.reading() as session:
        return {customer.external_id: customer for customer in session.scalars(select(Customer))}


# ----------------------------------------------------------------------------------------------------------- orders


def test_customer_date_and_amount_are_enough(take: Importing) -> None:
    report = take("orders", SIMPLE)
    assert (counts(report), report.customers_created, report.ok) == ((3, 0, 0), 2, True)
    first = orders()[0]
    assert first.customer is not None
    assert (first.customer.external_id, first.total_minor, first.currency) == ("C1", 2000, "SGD")
    assert first.placed_at == datetime(2026, 1, 4, 16, tzinfo=UTC)  # midnight in Singapore
    assert first.state is OrderState.SHIPPED


def test_a_second_run_changes_nothing_and_a_longer_file_adds_only_what_is_new(take: Importing) -> None:
    take("orders", SIMPLE)
    assert counts(take("orders", SIMPLE)) == (0, 0, 3)
    assert counts(take("orders", SIMPLE + "C3,2026-04-01,9\n")) == (1, 0, 3)


def test_two_rows_alike_are_two_orders_on_every_run(take: Importing) -> None:
    twice = "customer_id,date,amount\nC1,2026-01-05,20\nC1,2026-01-05,20.00\n"
    assert counts(take("orders", twice)) == (2, 0, 0)
    assert counts(take("orders", twice)) == (0, 0, 2)


def test_rows_with_one_order_number_are_one_order(take: Importing) -> None:
    text = (
        "order_number,customer_id,date,sku,product,quantity,price\n"
        "#a-7,C1,2026-01-05 10:00,JP,Jasmine Pearls 茉莉龙珠,2,18.00\n"
        "#a-7,C1,2026-01-05 10:02,CG,Gaiwan,1,42\n"
        "#a-8,C1,2026-01-06,JP,Jasmine Pearls 茉莉龙珠,1,17.00\n"
    )
    report = take("orders", text)
    assert (counts(report), report.products_created) == ((2, 0, 0), 2)
    found = order("A-7")
    assert found.total_minor == 7800
    assert [(line.title, line.quantity, line.unit_price_minor) for line in found.lines] == [
        ("Jasmine Pearls 茉莉龙珠", 2, 1800),
        ("Gaiwan", 1, 4200),
    ]
    pearls = products()["JP"]
    assert found.lines[0].product_id == pearls.id
    assert (pearls.title_en, pearls.title_zh) == ("Jasmine Pearls", "茉莉龙珠")
    assert [(v.price_minor, v.inventory) for v in pearls.variants] == [(1700, None)]  # what was paid last
    assert counts(take("orders", text)) == (0, 0, 2)


def test_rows_of_an_order_may_stand_anywhere_in_the_file(take: Importing) -> None:
    lines = [f"{number},C{number % 7},2026-01-05,{place},1.00" for place in range(1, 6) for number in range(1000)]
    text = "order_number,customer_id,date,sku,price\n" + "\n".join(lines)
    assert counts(take("orders", text)) == (1000, 0, 0)
    assert {len(found.lines) for found in orders()} == {5}
    assert counts(take("orders", text)) == (0, 0, 1000)


def test_shops_that_count_per_customer_have_one_number_many_times(take: Importing) -> None:
    take("orders", "order_number,customer_id,date,amount\n1,A,2026-01-05,10\n1,B,2026-01-05,20\n")
    assert [(o.number, o.customer.external_id if o.customer else None) for o in orders()] == [("1", "A"), ("1", "B")]


def test_money_that_went_back_is_kept_apart_from_sales(take: Importing) -> None:
    text = (
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,CustomerID,Country\n"
        "C536379,D,Discount,-1,2010-12-01 09:41:00,27.50,14527.0,United Kingdom\n"
        "C536380,22632,HAND WARMER,-2,2010-12-01 09:49:00,1.85,17809.0,United Kingdom\n"
        "536381,22633,HAND WARMER UNION JACK,6,2010-12-01 10:00:00,1.85,17850.0,United Kingdom\n"
        "536381,22633,HAND WARMER UNION JACK,-1,2010-12-01 10:00:00,1.85,17850.0,United Kingdom\n"
    )
    report = take("orders", text)
    assert report.ok
    back = order("C536380")
    assert (back.total_minor, back.refunded_minor, back.state) == (0, 370, OrderState.REFUNDED)
    assert back.lines[0].quantity == -2
    mixed = order("536381")
    assert (mixed.total_minor, mixed.refunded_minor) == (1110, 185)
    assert mixed.financial_status is FinancialStatus.PARTIALLY_REFUNDED
    assert mixed.country == "GB"
    assert set(customers()) == {"14527", "17809", "17850"}
    assert set(products()) == {"22632", "22633"}  # a discount is no product
    assert counts(take("orders", text)) == (0, 0, 3)


def test_negative_amounts_are_refunds_and_a_free_order_is_an_order(take: Importing) -> None:
    text = "customer_id,date,amount,quantity\nA,2026-01-01,-20,1\nB,2026-01-02,20,-1\nC,2026-01-03,0,1\n"
    assert take("orders", text).ok
    assert [(o.total_minor, o.refunded_minor, o.lines[0].quantity) for o in orders()] == [
        (0, 2000, -1),
        (0, 2000, -1),
        (0, 0, 1),
    ]


def test_an_order_without_customer_is_a_guests_if_it_has_a_number(take: Importing) -> None:
    report = take("orders", "order_number,customer_id,date,amount\n7,,2026-01-05,10\n,,2026-01-05,10\n")
    assert [line for line, _, _ in refusals(report)] == [3]
    assert [o.customer_id for o in orders()] == [None]


def test_bad_rows_are_refused_with_line_column_and_reason(take: Importing) -> None:
    text = (
        "customer_id,date,price,quantity,currency,email,status,order_number\n"
        "A,,1,1,,,,\n"
        "A,2026-02-30,1,1,,,,\n"
        "A,2099-01-01,1,1,,,,\n"
        "A,2026-01-01,zero,1,,,,\n"
        "A,2026-01-01,0,1,,,,\n"
        "A,2026-01-01,0.001,1,,,,\n"
        "A,2026-01-01,-1,1,,,,\n"
        "A,2026-01-01,,1,,,,\n"
        "A,2026-01-01,1,x,,,,\n"
        "A,2026-01-01,1,0,,,,\n"
        "A,2026-01-01,1,1,BEANS,,,\n"
        "A,2026-01-01,1,1,,nobody,,\n"
        "A,2026-01-01,1,1,,,lost,\n"
        ",2026-01-01,1,1,,,,\n"
        "A,2026-01-01,1,1,EUR,,,9\n"
        "A,2026-01-01,1,1,USD,,,9\n"
        "A,2026-01-01,99999999999999999999,1,,,,\n"
        "A,2026-01-01,5,1,,,,\n"
    )
    report = take("orders", text)
    assert refusals(report) == [
        (2, "date", "the date is missing"),
        (3, "date", "there is no such date"),
        (4, "date", "the date is in the future"),
        (5, "price", "it is not an amount"),
        (6, "price", "the price is zero or less than the smallest coin"),
        (7, "price", "the price is zero or less than the smallest coin"),
        (8, "price", "the price is negative"),
        (9, "price", "it is empty"),
        (10, "quantity", "it is not a whole number"),
        (11, "quantity", "it is zero"),
        (12, "currency", "it is not an ISO 4217 currency code"),
        (13, "email", "it is not an e-mail address"),
        (14, "status", "expected pending, paid, shipped, delivered, cancelled or refunded"),
        (15, "customer_id", "it is empty, and without an order number nothing tells whose order it is"),
        (17, "currency", "the order is in EUR"),
        (18, "amount", "it is too large"),
    ]
    assert len(orders()) == 2


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", OrderState.AWAITING_PAYMENT),
        ("paid", OrderState.PREPARING),
        ("partly shipped", OrderState.PARTLY_SHIPPED),
        ("Shipped", OrderState.SHIPPED),
        ("交易成功", OrderState.DELIVERED),
        ("已取消", OrderState.CANCELLED),
        ("refunded", OrderState.REFUNDED),
        ("", OrderState.SHIPPED),
    ],
)
def test_status_words_are_understood_in_both_languages(take: Importing, status: str, state: OrderState) -> None:
    take("orders", f"customer_id,date,amount,status\nA,2026-01-01,5,{status}\n")
    assert orders()[0].state is state


def test_a_list_without_statuses_keeps_the_known_ones(take: Importing) -> None:
    take("orders", "order_number,customer_id,date,amount,status\n1,A,2026-01-01,5,delivered\n")
    assert counts(take("orders", "order_number,customer_id,date,amount\n1,A,2026-01-01,5\n")) == (0, 0, 1)
    assert orders()[0].state is OrderState.DELIVERED


def test_day_and_month_are_told_apart_by_the_file_itself(take: Importing) -> None:
    take("orders", "customer_id,date,amount\nA,12/1/2010 8:26,5\nA,12/31/2010 8:26,5\n")
    assert [o.placed_at.month for o in orders()] == [12, 12]


def test_a_guess_about_dates_is_told(take: Importing) -> None:
    report = take("orders", "customer_id,date,amount\nA,3/4/2026,5\n")
    assert report.notes == ["dates such as 3/4/2026 were read as day/month"]
    assert orders()[0].placed_at.month == 4 or orders()[0].placed_at.day == 2


def test_chinese_headers_and_gbk_are_understood(store: Engine, file: File, context: Context) -> None:
    text = "订单号,客户编号,日期,商品名称,数量,单价\n1001,会员1,2026年1月5日,茉莉龙珠,2,￥18.00\n"
    china = replace(context, shop=Shop(currency="CNY", timezone="Asia/Shanghai"))
    assert SOURCES["csv"]["orders"](file(text, encoding="gbk"), china).ok
    assert (order("1001").total_minor, order("1001").lines[0].title) == (3600, "茉莉龙珠")
    assert products()["茉莉龙珠"].variants[0].sku is None


def test_contacts_in_orders_reach_the_customer(take: Importing) -> None:
    take("customers", "customer_id,name\nC1,Mei Tan\n")
    text = "customer_id,date,amount,email,phone,country\nC1,2026-01-01,5,Mei@Example.com,9123 0001,Singapore\n"
    take("orders", text)
    mei = customers()["C1"]
    assert (mei.name, mei.email, mei.phone, mei.country) == ("Mei Tan", "mei@example.com", "+6591230001", "SG")
    assert orders()[0].email == "mei@example.com"
    assert counts(take("orders", text)) == (0, 0, 1)
    assert counts(take("customers", "customer_id,name\nC1,Mei Tan\n")) == (0, 0, 1)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("customer_id,when,amount", "no column 'date'"),
        ("customer_id,date,sum", "no column 'amount' or 'price'"),
        ("who,date,amount", "no column 'customer_id'"),
    ],
)
def test_a_missing_column_is_one_clear_error(take: Importing, header: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        take("orders", f"{header}\n1,2,3\n")
    assert reason in str(caught.value)
    assert f"Its columns are {', '.join(repr(name) for name in header.split(','))}." in str(caught.value)


rows = st.tuples(
    st.sampled_from(["", "1", "2", "3"]),
    st.sampled_from(["", "A", "B"]),
    st.sampled_from(["2026-01-01", "2026-01-02", ""]),
    st.sampled_from(["5", "-5", "0", "x", "7.25"]),
    st.sampled_from(["", "S1", "s1", "S2"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(rows, max_size=25))
def test_every_row_goes_in_or_is_refused_and_a_second_run_changes_nothing(
    take: Importing, listed: list[tuple[str, ...]]
) -> None:
    with crm.session() as session:
        for model in (OrderLine, Order, Customer, Product):
            session.execute(model.__table__.delete())
    text = "order_number,customer_id,date,amount,sku\n" + "".join(",".join(row) + "\n" for row in listed)
    report = take("orders", text)
    with crm.reading() as session:
        stored = session.scalar(select(func.count()).select_from(OrderLine)) or 0
    assert stored + len(report.refused) == report.rows == len(listed)
    again = take("orders", text)
    assert not again.changed
    assert again.unchanged == report.added
    assert refusals(again) == refusals(report)


# ------------------------------------------------------------------------------------------- products and customers


def test_a_product_list_keeps_what_it_does_not_mention(take: Importing) -> None:
    take("products", "sku,title,price,inventory,tags,status\nJP,Jasmine Pearls 茉莉龙珠,18,5,tea;green,active\n")
    assert counts(take("products", "sku,title,price\nJP,Jasmine Pearls 茉莉龙珠,18.00\n")) == (0, 0, 1)
    assert counts(take("products", "sku,title,price\nJP,Jasmine Pearls 茉莉龙珠,19\n")) == (0, 1, 0)
    product = products()["JP"]
    assert (product.tags, product.variants[0].inventory, product.variants[0].price_minor) == (["tea", "green"], 5, 1900)
    assert product.title_zh == "茉莉龙珠"


def test_a_product_list_takes_over_what_orders_made(take: Importing) -> None:
    take("orders", "order_number,customer_id,date,sku,product,price\n1,A,2026-01-01,jp,Pearls,18\n")
    assert counts(take("products", "sku,title,price,inventory\nJP,Jasmine Pearls,20,3\n")) == (0, 1, 0)
    assert orders()[0].lines[0].product_id == products()["JP"].id


def test_bad_products_and_customers_are_refused(take: Importing) -> None:
    bad_products = (
        "sku,title,price,inventory,status\n,T,1,,\nA,,1,,\nB,T,-1,,\nC,T,1,few,\nD,T,1,,gone\nE,T,1,,\nE,T,1,,\n"
    )
    assert [(line, column) for line, column, _ in refusals(take("products", bad_products))] == [
        (2, "sku"),
        (3, "title"),
        (4, "price"),
        (5, "inventory"),
        (6, "status"),
        (8, "sku"),
    ]
    bad_customers = "customer_id,email,language\n,a@b.co,\n1,nobody,\n2,,fr\n3,,zh-CN\n3,,\n"
    assert [(line, column) for line, column, _ in refusals(take("customers", bad_customers))] == [
        (2, "customer_id"),
        (3, "email"),
        (4, "language"),
        (6, "customer_id"),
    ]
    assert customers()["3"].language == "zh"
    assert products()["E"].status is ProductStatus.ACTIVE
