"""WooCommerce's product export and the order exports of its plugins, as they come and as they go wrong."""

import csv
import io
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import selectinload

import crm
from crm.importers import SOURCES, Context, ImportReport, UnreadableFile
from crm.importers.reading import Row
from crm.importers.report import BadValue
from crm.importers.woocommerce_lines import cells_of_lines, line_of
from crm.models import FinancialStatus, Order, OrderState, Product, ProductStatus

Importing = Callable[..., ImportReport]
Cells = dict[str, str]
PRODUCT_HEADER = (
    "ID,Type,SKU,Name,Published,Is featured?,Visibility in catalog,Short description,Description,"
    "Date sale price starts,Date sale price ends,Tax status,Tax class,In stock?,Stock,Low stock amount,"
    "Backorders allowed?,Sold individually?,Sale price,Regular price,Categories,Tags,Images,Parent,External URL,"
    "Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s)"
).split(",")
PEARLS = {
    "ID": "11", "Type": "simple", "SKU": "JP-50", "Name": "Jasmine Pearls 茉莉龙珠", "Published": "1",
    "In stock?": "1", "Stock": "23", "Backorders allowed?": "0", "Regular price": "18.00",
    "Categories": "Tea, Tea > Green", "Tags": r"gift, rolled\, by hand", "Images": "https://a.example/1.jpg, https://a.example/2.jpg",
    "Short description": "<p>Rolled</p>", "Description": r"Line one\nLine two",
}  # fmt: skip
TEE = {"ID": "20", "Type": "variable", "SKU": "TEE", "Name": "Tee", "Published": "1", "In stock?": "1", "Stock": "9"}
RED = {"ID": "21", "Type": "variation", "SKU": "TEE-R", "Name": "Tee - Red", "Published": "1", "In stock?": "1",
       "Stock": "4", "Regular price": "25", "Sale price": "20", "Parent": "TEE", "Attribute 1 name": "Colour",
       "Attribute 1 value(s)": "Red"}  # fmt: skip
BLUE = RED | {"ID": "22", "SKU": "", "Name": "Tee - Blue", "Stock": "parent", "Sale price": "", "Parent": "id:20",
              "Attribute 1 value(s)": "Blue", "Backorders allowed?": "notify"}  # fmt: skip


def table(*rows: Cells, header: list[str] | None = None, separator: str = ",") -> str:
    out = io.StringIO()
    names = header or list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, delimiter=separator, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture
def take(store: Engine, file: Callable[..., Path], context: Context) -> Importing:
    def importing(kind: str, text: str | bytes) -> ImportReport:
        return SOURCES["woocommerce"][kind](file(text, f"{kind}.csv"), context)

    return importing


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.added, report.updated, report.unchanged


def refusals(report: ImportReport) -> list[tuple[int, str]]:
    return [(refused.line, refused.column) for refused in report.refused]


def products() -> dict[str, Product]:
    with crm.reading() as session:
        return {p.external_id: p for p in session.scalars(select(Product).options(selectinload(Product.variants)))}


def orders() -> dict[str, Order]:
    with crm.reading() as session:
        loading = selectinload(Order.lines), selectinload(Order.shipments), selectinload(Order.customer)
        return {order.number: order for order in session.scalars(select(Order).options(*loading))}


# ------------------------------------------------------------------------------------------------------------ products


def test_products_go_in_with_their_variations_wherever_these_stand(take: Importing) -> None:
    report = take("products", table(RED, PEARLS, TEE, BLUE, header=PRODUCT_HEADER))
    assert (counts(report), report.refused) == ((2, 0, 0), [])
    pearls, tee = products()["11"], products()["20"]
    assert (pearls.title_en, pearls.title_zh, pearls.product_type) == ("Jasmine Pearls", "茉莉龙珠", "Tea")
    assert pearls.tags == ["gift", "rolled, by hand", "Green"]
    assert pearls.description == "Rolled\nLine one\nLine two"
    assert pearls.image_url == "https://a.example/1.jpg"
    assert [(v.sku, v.price_minor, v.inventory) for v in pearls.variants] == [("JP-50", 1800, 23)]
    told = {v.title: (v.sku, v.price_minor, v.compare_at_minor, v.inventory, v.sells_when_empty) for v in tee.variants}
    assert told == {"Red": ("TEE-R", 2000, 2500, 4, False), "Blue": (None, 2500, None, 9, True)}
    assert counts(take("products", table(RED, PEARLS, TEE, BLUE, header=PRODUCT_HEADER))) == (0, 0, 2)
    assert counts(take("products", table(PEARLS | {"Regular price": "19.50"}, header=PRODUCT_HEADER))) == (0, 1, 0)


@pytest.mark.parametrize(
    ("sale", "price"),
    [
        ({"Sale price": "15"}, 1500),
        ({"Sale price": "15", "Date sale price ends": "2026-11-01"}, 1800),
        ({"Sale price": "15", "Date sale price starts": "2026-12-24 00:00:00"}, 1800),
        ({"Sale price": "15", "Date sale price starts": "2026-11-01", "Date sale price ends": "2026-12-01"}, 1500),
    ],
)
def test_a_sale_counts_while_it_lasts(take: Importing, sale: Cells, price: int) -> None:
    take("products", table(PEARLS | sale, header=PRODUCT_HEADER))
    assert products()["11"].variants[0].price_minor == price


def test_what_cannot_be_bought_is_left_out_or_refused(take: Importing) -> None:
    report = take(
        "products",
        table(
            PEARLS | {"ID": "1", "Type": "grouped", "Regular price": ""},
            PEARLS | {"ID": "2", "Published": "-1", "Regular price": ""},
            PEARLS | {"ID": "3", "Published": "0"},
            PEARLS | {"ID": "4", "Regular price": ""},
            PEARLS | {"ID": "5", "Regular price": "cheap"},
            PEARLS | {"ID": "6", "Type": "mystery"},
            PEARLS | {"ID": "7", "Name": ""},
            RED | {"ID": "8", "Parent": "nobody"},
            PEARLS | {"ID": "9", "In stock?": "0", "Stock": ""},
            PEARLS | {"ID": "9"},
            header=PRODUCT_HEADER,
        ),
    )
    assert refusals(report) == [
        (5, "Regular price"),
        (6, "Regular price"),
        (7, "Type"),
        (8, "Name"),
        (9, "Parent"),
        (11, "ID"),
    ]
    assert len(report.notes) == 2
    assert products()["3"].status is ProductStatus.DRAFT
    assert products()["9"].variants[0].inventory == 0


@pytest.mark.parametrize(
    "header",
    [
        "ID;类型;SKU;名称;已发布;库存;常规售价;分类",
        "ID;Typ;Artikelnummer;Name;Veröffentlicht;Lager;Regulärer Preis;Kategorien",
        "ID;Type;UGS;Nom;Publié;Stock;Tarif régulier;Catégories",
        "ID;Tipo;SKU;Nombre;Publicado;Inventario;Precio normal;Categorías",
    ],
)
def test_headers_of_other_languages_and_a_decimal_comma(take: Importing, header: str) -> None:
    report = take("products", f"\ufeff{header}\n7;simple;A-1;Kettle;1;3;1.234,50;Pots\n")
    assert (counts(report), report.refused) == ((1, 0, 0), [])
    assert [(v.sku, v.price_minor, v.inventory) for v in products()["7"].variants] == [("A-1", 123_450, 3)]


# -------------------------------------------------------------------------------------------------------------- orders

WEBTOFFEE = {
    "order_id": "501", "order_number": "501", "order_date": "2026-11-19 10:02:11", "paid_date": "2026-11-19 10:05:00",
    "status": "completed", "shipping_total": "5.00", "tax_total": "0", "discount_total": "2.00", "order_total": "39.00",
    "order_subtotal": "36.00", "order_currency": "SGD", "customer_id": "77", "billing_first_name": "Mei",
    "billing_last_name": "Tan", "billing_email": "Mei.Tan@example.com", "billing_phone": "91230001",
    "billing_country": "SG", "shipping_city": "Singapore", "coupon_items": "code:WELCOME|amount:2.00",
    "line_item_1": "name:Jasmine Pearls 茉莉龙珠|product_id:11|sku:JP-50|quantity:2|total:34.00|sub_total:36.00",
    "line_item_2": "",
}  # fmt: skip
ROWS = {
    "Order Number": "502", "Order Status": "Processing", "Order Date": "2026-11-18 09:00", "First Name (Billing)": "雨",
    "Last Name (Billing)": "陈", "Email (Billing)": "chen@example.net", "Phone (Billing)": "+65 9123 0002",
    "Country Code (Billing)": "SG", "Order Total Amount": "52.00", "SKU": "JP-50",
    "Product Name": "Jasmine Pearls 茉莉龙珠", "Quantity": "1", "Item Cost": "18.00",
}  # fmt: skip


def test_one_row_per_order_with_numbered_lines(take: Importing) -> None:
    take("products", table(PEARLS, header=PRODUCT_HEADER))
    report = take("orders", table(WEBTOFFEE))
    assert (counts(report), report.refused, report.customers_created) == ((1, 0, 0), [], 1)
    order = orders()["501"]
    assert order.placed_at == datetime(2026, 11, 19, 2, 2, 11, tzinfo=UTC)
    assert (order.total_minor, order.shipping_minor, order.discount_minor, order.discount_code) == (
        3900, 500, 200, "WELCOME",
    )  # fmt: skip
    (line,) = order.lines
    assert (line.sku, line.quantity, line.unit_price_minor, line.discount_minor) == ("JP-50", 2, 1800, 200)
    assert line.product_id is not None
    assert order.customer is not None
    assert (order.customer.external_id, order.customer.email) == ("77", "mei.tan@example.com")
    assert (order.customer.phone, order.state) == ("+6591230001", OrderState.SHIPPED)
    assert counts(take("orders", table(WEBTOFFEE))) == (0, 0, 1)


@pytest.mark.parametrize("repeated", [True, False])
def test_one_row_per_line_with_the_order_repeated_or_not(take: Importing, repeated: bool) -> None:
    scoop = {"SKU": "S-1", "Product Name": "Scoop", "Quantity": "2", "Item Cost": "17.00"}
    report = take("orders", table(ROWS, (ROWS if repeated else {}) | scoop))
    assert (counts(report), report.refused, report.rows) == ((1, 0, 0), [], 2)
    order = orders()["502"]
    told = [(line.sku, line.quantity, line.unit_price_minor) for line in order.lines]
    assert told == [("JP-50", 1, 1800), ("S-1", 2, 1700)]
    assert (order.subtotal_minor, order.total_minor, order.state) == (5200, 5200, OrderState.PREPARING)
    assert order.customer is not None
    assert order.customer.name == "陈雨"


@pytest.mark.parametrize(
    ("cell", "lines"),
    [
        (
            "id:1|name:Scoop: large|product_id:5|sku:S-1|quantity:2|total:19.00|refunded:0.00;"
            "name:Pot|sku:|quantity:1|total:10.00",
            [("S-1", "Scoop: large", 2, 950), (None, "Pot", 1, 1000)],
        ),
        (
            '[{"name": "Scoop", "sku": "S-1", "quantity": 2, "subtotal": "19.00", "total": "19.00"}]',
            [("S-1", "Scoop", 2, 950)],
        ),
        ("2× Scoop, 1× Pot, blue", [(None, "Scoop", 2, 967), (None, "Pot, blue", 1, 967)]),
    ],
)
def test_all_lines_in_one_cell(take: Importing, cell: str, lines: list[tuple[str | None, str, int, int]]) -> None:
    row = {"order_number": "9", "order_date": "2026-11-01", "status": "wc-processing", "order_total": "29.00",
           "billing_email": "a@example.com", "line_items": cell}  # fmt: skip
    report = take("orders", table(row))
    assert report.refused == []
    stored = orders()["9"].lines
    assert [(line.sku, line.title, line.quantity, line.unit_price_minor) for line in stored] == lines
    assert counts(take("orders", table(row))) == (0, 0, 1)


def test_the_analytics_page_knows_no_customer_but_every_sale(take: Importing) -> None:
    header = "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,N. Revenue"
    report = take("orders", f'{header}\n2026-11-02 10:00:00,77,"S$30.00",completed,Mei Tan,new,"3× Scoop",3,30\n')
    assert (counts(report), report.customers_created) == ((1, 0, 0), 0)
    (line,) = orders()["77"].lines
    assert (line.title, line.quantity, line.unit_price_minor) == ("Scoop", 3, 1000)


@pytest.mark.parametrize(
    ("cells", "state", "refunded"),
    [
        ({"status": "on-hold"}, OrderState.AWAITING_PAYMENT, 0),
        ({"status": "wc-cancelled"}, OrderState.CANCELLED, 0),
        ({"status": "failed"}, OrderState.CANCELLED, 0),
        ({"status": "refunded"}, OrderState.REFUNDED, 3900),
        ({"status": "completed", "refund_items": "amount:-9.00|reason:|date:2026-11-20"}, OrderState.SHIPPED, 900),
        ({"status": "delivered"}, OrderState.DELIVERED, 0),
        ({"status": "已完成"}, OrderState.SHIPPED, 0),
    ],
)
def test_statuses_and_refunds(take: Importing, cells: Cells, state: OrderState, refunded: int) -> None:
    assert take("orders", table(WEBTOFFEE | cells)).refused == []
    order = orders()["501"]
    assert (order.state, order.refunded_minor) == (state, refunded)
    if refunded == 900:
        assert order.financial_status is FinancialStatus.PARTIALLY_REFUNDED


def test_tracking_and_american_dates(take: Importing) -> None:
    row = WEBTOFFEE | {
        "order_date": "11/19/2026 10:02 PM",
        "paid_date": "",
        "tracking_number": "'SP123",
        "carrier": "SingPost",
    }
    assert take("orders", table(row)).refused == []
    order = orders()["501"]
    assert order.placed_at == datetime(2026, 11, 19, 14, 2, tzinfo=UTC)
    assert [(s.carrier, s.tracking_number, s.shipped_at) for s in order.shipments] == [("SingPost", "SP123", None)]
    assert counts(take("orders", table(row))) == (0, 0, 1)


def test_bad_orders_are_refused_with_their_line(take: Importing) -> None:
    report = take(
        "orders",
        table(
            WEBTOFFEE | {"order_number": "1", "order_date": "soon"},
            WEBTOFFEE | {"order_number": "2", "status": "packed by hand"},
            WEBTOFFEE | {"order_number": "3", "order_total": "12 EUR"},
            WEBTOFFEE | {"order_number": "4", "billing_email": "nobody"},
            WEBTOFFEE | {"order_number": "5", "status": "checkout-draft"},
            WEBTOFFEE | {"order_number": "6", "order_id": "6"},
            WEBTOFFEE | {"order_number": "7", "order_id": "7", "line_item_1": "name:X|quantity:none|total:1"},
        ),
    )
    assert refusals(report) == [
        (2, "order_date"), (3, "status"), (4, "order_total"), (5, "billing_email"), (8, "quantity"),
    ]  # fmt: skip
    assert {number: len(order.lines) for number, order in orders().items()} == {"6": 1, "7": 0}
    assert report.notes == ["1 drafts are not orders yet and were left out"]


def test_another_kind_of_file_is_refused_whole(take: Importing) -> None:
    with pytest.raises(UnreadableFile, match="order_number"):
        take("orders", "a,b\n1,2\n")


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_cell_of_lines_breaks_the_reader(text: str) -> None:
    row = Row(2, [text], {"lines": 0})
    with suppress(BadValue):
        for cells in cells_of_lines(row, 0):
            line = line_of(cells, "SGD")
            assert line is None or (line.quantity > 0 and line.unit_price_minor >= 0 and line.discount_minor >= 0)


@given(rows=st.lists(st.lists(st.text(max_size=20), min_size=4, max_size=4), max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_file_is_taken_or_refused_and_a_second_run_changes_nothing(
    rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory, context: Context
) -> None:
    folder = tmp_path_factory.mktemp("woo")
    crm.bind(f"sqlite:///{folder}/desk.db")
    crm.migrate.upgrade(crm.database.engine())
    out = io.StringIO()
    csv.writer(out).writerows([["order_number", "order_date", "status", "order_total"], *rows])
    path = folder / "orders.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    try:
        SOURCES["woocommerce"]["orders"](path, context)
        assert not SOURCES["woocommerce"]["orders"](path, context).changed
    finally:
        crm.database.unbind()
