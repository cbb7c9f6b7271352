"""Shopify's exports, as they come and as they go wrong."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import selectinload

import crm
from crm import revisions
from crm.importers import KINDS, SOURCES, Context, ImportReport, UnreadableFile
from crm.models import (
    Consent,
    ConsentKind,
    Customer,
    FinancialStatus,
    FulfillmentStatus,
    Order,
    OrderLine,
    OrderState,
    Product,
    ProductStatus,
    Shipment,
)
from crm.shop import load_shop
from tests.crm.conftest import NOW, ROOT
from tests.support.shopify import a_line, a_product, an_order, export

File = Callable[..., Path]
Importing = Callable[..., ImportReport]
PEARLS = a_product()
MEI = {"Customer ID": "'900001", "First Name": "Mei", "Last Name": "Tan", "Email": "mei.tan@example.com",
       "Accepts Email Marketing": "yes", "Phone": "'+6591230001"}  # fmt: skip


@pytest.fixture
def take(store: Engine, file: File, context: Context) -> Importing:
    """Imports an export made of the given rows."""

    def importing(kind: str, *rows: dict[str, str], text: str | None = None) -> ImportReport:
        return SOURCES["shopify"][kind](file(text or export(kind, *rows), f"{kind}.csv"), context)

    return importing


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.added, report.updated, report.unchanged


def refusals(report: ImportReport) -> list[tuple[int, str]]:
    return [(refused.line, refused.column) for refused in report.refused]


def products() -> dict[str, Product]:
    with crm.reading() as session:
        found = session.scalars(select(Product).options(selectinload(Product.variants)))
        return {product.external_id: product for product in found}


def orders() -> dict[str, Order]:
    with crm.reading() as session:
        loading = selectinload(Order.lines), selectinload(Order.shipments), selectinload(Order.customer)
        return {order.number: order for order in session.scalars(select(Order).options(*loading))}


def customers() -> Sequence[Customer]:
    with crm.reading() as session:
        return session.scalars(select(Customer).order_by(Customer.id)).all()


def revision(name: str) -> int:
    with crm.reading() as session:
        return revisions.current(session, name)


# --------------------------------------------------------------------------------------------------------- products


def test_a_product_comes_with_everything_customers_ask_about(take: Importing) -> None:
    row = a_product(
        **{"Body (HTML)": "<p>Green tea. 绿茶。</p>", "Tags": "tea, green, 绿茶", "Type": "Tea", "Vendor": "Us"}
    )
    assert counts(take("products", row)) == (1, 0, 0)
    product = products()["jasmine-pearls"]
    assert (product.title_en, product.title_zh) == ("Jasmine Pearls", "茉莉龙珠")
    assert product.description == "Green tea. 绿茶。"
    assert product.tags == ["tea", "green", "绿茶"]
    variant = product.variants[0]
    assert (variant.title, variant.sku, variant.price_minor, variant.currency) == ("", "JP-50", 1800, "SGD")
    assert (variant.inventory, variant.sells_when_empty, variant.in_stock) == (23, False, True)


def test_rows_of_one_handle_are_one_product_with_variants_and_pictures(take: Importing) -> None:
    first = a_product(
        Option1_Name="Colour 颜色", Option1_Value="Blue", Option2_Name="Size", Option2_Value="L", Image_Src="b.jpg",
        Image_Position="2",
    )  # fmt: skip
    second = {
        "Handle": "jasmine-pearls", "Option1 Value": "Red", "Option2 Value": "M", "Variant Price": "20",
        "Variant Inventory Policy": "continue",
    }  # fmt: skip
    picture = {"Handle": "jasmine-pearls", "Image Src": "a.jpg", "Image Position": "1"}
    report = take("products", first, second, picture)
    assert report.ok
    product = products()["jasmine-pearls"]
    assert [variant.title for variant in product.variants] == ["Blue / L", "Red / M"]
    assert product.variants[1].options == {"Colour 颜色": "Red", "Size": "M"}
    assert product.variants[1].inventory is None  # no tracker: stock is not counted
    assert product.variants[1].sells_when_empty
    assert product.image_url == "a.jpg"


@pytest.mark.parametrize(
    ("status", "published", "expected"),
    [
        ("active", "true", ProductStatus.ACTIVE),
        ("active", "false", ProductStatus.DRAFT),
        ("archived", "true", ProductStatus.ARCHIVED),
        ("draft", "", ProductStatus.DRAFT),
        ("", "true", ProductStatus.ACTIVE),
        ("", "false", ProductStatus.DRAFT),
    ],
)
def test_only_what_can_be_bought_is_active(
    take: Importing, status: str, published: str, expected: ProductStatus
) -> None:
    take("products", a_product(Status=status, Published=published))
    assert products()["jasmine-pearls"].status is expected


def test_a_second_run_changes_nothing_and_wakes_nobody(take: Importing) -> None:
    take("products", PEARLS)
    assert revision(revisions.CATALOGUE) == 1
    again = take("products", PEARLS)
    assert counts(again) == (0, 0, 1)
    assert not again.changed
    assert revision(revisions.CATALOGUE) == 1


def test_a_changed_price_and_a_dropped_variant_are_taken_over(take: Importing) -> None:
    small = a_product(Option1_Name="Size", Option1_Value="50 g")
    large = {"Handle": "jasmine-pearls", "Option1 Value": "100 g", "Variant Price": "30"}
    take("products", small, large)
    before = {v.title: v.id for v in products()["jasmine-pearls"].variants}
    assert counts(take("products", small | {"Variant Price": "19.50"})) == (0, 1, 0)
    variants = products()["jasmine-pearls"].variants
    assert [(v.title, v.price_minor) for v in variants] == [("50 g", 1950)]
    assert variants[0].id == before["50 g"]
    assert revision(revisions.CATALOGUE) == 2


def test_a_product_that_is_not_in_the_file_stays(take: Importing) -> None:
    take("products", PEARLS, a_product(Handle="gaiwan", Title="Gaiwan 盖碗", Variant_SKU="CG"))
    assert counts(take("products", PEARLS)) == (0, 0, 1)
    assert set(products()) == {"jasmine-pearls", "gaiwan"}


def test_bad_products_are_refused_by_line_and_the_rest_goes_in(take: Importing) -> None:
    report = take(
        "products",
        a_product(Handle="no-title", Title=""),
        a_product(Handle="bad-price", Variant_Price="cheap"),
        a_product(Handle="twins", Variant_SKU="A"),
        {"Handle": "twins", "Variant SKU": "B", "Variant Price": "1"},
        a_product(Handle="bad-status", Status="secret"),
        a_product(Handle=""),
        PEARLS,
        a_product(Handle="bad-price", Variant_Price="5"),
        a_product(Handle="twins"),
    )
    assert refusals(report) == [
        (2, "Title"),
        (3, "Variant Price"),
        (3, "Variant Price"),
        (5, "Option1 Value"),
        (6, "Status"),
        (7, "Handle"),
        (9, "Handle"),
        (10, "Handle"),
    ]
    assert not report.ok
    assert set(products()) == {"jasmine-pearls", "twins"}
    assert "it is not an amount ('cheap')" in str(report.refused[1])


def test_a_description_with_line_breaks_does_not_shift_the_line_numbers(take: Importing) -> None:
    long = a_product(**{"Body (HTML)": '<p>One</p>\n<p>Two, "three"</p>\n\n<p>Four</p>'})
    report = take("products", long, a_product(Handle="bad", Variant_Price="x"))
    assert {refused.line for refused in report.refused} == {6}


def test_another_file_is_one_clear_error(take: Importing) -> None:
    with pytest.raises(UnreadableFile, match=r"no column 'Handle'.*this is not Shopify's products export"):
        take("products", text="Email,Name\na@b.co,x\n")
    assert products() == {}


# -------------------------------------------------------------------------------------------------------- customers


def test_a_customer_comes_without_the_apostrophes_of_the_export(take: Importing) -> None:
    take("customers", MEI, {"Customer ID": "'2", "First Name": "雨", "Last Name": "陈", "Email": " Chen@Example.org "})
    mei, chen = customers()
    assert (mei.external_id, mei.name, mei.phone) == ("900001", "Mei Tan", "+6591230001")
    assert mei.accepts_marketing
    assert (chen.name, chen.email, chen.accepts_marketing) == ("陈雨", "chen@example.org", False)
    assert chen.erased_at is None


def test_older_exports_have_other_headers_and_no_id(take: Importing) -> None:
    text = "First Name,Last Name,Email,Company,Accepts Marketing,Phone\nMei,Tan,mei.tan@example.com,,yes,+6591230001\n"
    assert counts(take("customers", text=text)) == (1, 0, 0)
    assert (customers()[0].external_id, customers()[0].accepts_marketing) == ("mei.tan@example.com", True)


def test_an_id_learned_later_belongs_to_the_same_customer(take: Importing) -> None:
    take("orders", an_order())
    made = customers()
    assert [(c.external_id, c.name) for c in made] == [("mei.tan@example.com", "Mei Tan")]
    assert counts(take("customers", MEI)) == (0, 1, 0)
    assert [(c.id, c.external_id) for c in customers()] == [(made[0].id, "900001")]
    assert counts(take("customers", MEI)) == (0, 0, 1)
    assert counts(take("orders", an_order())) == (0, 0, 1)


def consents() -> list[tuple[bool, str, str | None]]:
    with crm.reading() as session:
        found = session.execute(select(Consent.granted, Consent.wording, Consent.source).order_by(Consent.id))
        return [(granted, wording, source) for granted, wording, source in found]


def test_a_permission_is_recorded_with_its_source_and_the_words_of_the_file(take: Importing) -> None:
    take("customers", MEI)
    take("customers", MEI)
    assert consents() == [(True, "Accepts Email Marketing: yes", "shopify")]


def test_a_permission_that_the_shop_takes_back_and_gets_again_is_recorded_each_time(take: Importing) -> None:
    for answer in ("yes", "no", "yes"):
        take("customers", MEI | {"Accepts Email Marketing": answer})
    assert [granted for granted, _, _ in consents()] == [True, False, True]
    assert customers()[0].accepts_marketing


def test_somebody_who_never_agreed_has_no_permission_recorded(take: Importing) -> None:
    take("customers", MEI | {"Accepts Email Marketing": "no"})
    assert consents() == []


def test_a_permission_given_with_the_order_that_makes_a_customer_known_is_recorded_once(take: Importing) -> None:
    first = an_order(**{"Name": "#1", "Accepts Marketing": "yes"})
    take("orders", first)
    take("orders", first, an_order(**{"Name": "#2", "Accepts Marketing": "yes"}))
    assert consents() == [(True, "Accepts Marketing: yes", "shopify")]
    assert [customer.accepts_marketing for customer in customers()] == [True]


def test_an_order_of_somebody_who_did_not_agree_brings_no_permission(take: Importing) -> None:
    take("orders", an_order(**{"Accepts Marketing": "no"}))
    assert consents() == []


def test_a_withdrawn_permission_is_not_given_back_by_an_import(take: Importing) -> None:
    take("customers", MEI)
    with crm.session() as session:
        mei = session.scalars(select(Customer)).one()
        mei.accepts_marketing = False
        session.add(
            Consent(customer_id=mei.id, kind=ConsentKind.MARKETING, granted=False, wording="stop", recorded_at=NOW)
        )
    assert counts(take("customers", MEI)) == (0, 0, 1)
    assert not customers()[0].accepts_marketing
    assert [granted for granted, _, _ in consents()] == [True, False]


def test_somebody_who_was_erased_does_not_come_back(take: Importing) -> None:
    take("customers", MEI)
    take("orders", an_order())
    with crm.session() as session:
        mei, order = session.scalars(select(Customer)).one(), session.scalars(select(Order)).one()
        mei.name = mei.email = mei.phone = order.email = order.phone = None
        mei.erased_at = NOW
    take("customers", MEI)
    take("orders", an_order())
    assert [(c.name, c.email) for c in customers()] == [(None, None)]
    assert orders()["2001"].email is None


def test_bad_customers_are_refused(take: Importing) -> None:
    report = take(
        "customers",
        MEI | {"Email": "mei at example.com"},
        MEI | {"Accepts Email Marketing": "perhaps"},
        {"First Name": "Nobody"},
        MEI,
        MEI,
    )
    assert refusals(report) == [(2, "Email"), (3, "Accepts Email Marketing"), (4, "Email"), (6, "Customer ID")]
    assert "it is already on line 5" in str(report.refused[-1])
    assert len(customers()) == 1


# ----------------------------------------------------------------------------------------------------------- orders


def test_an_order_is_linked_to_its_customer_and_products(take: Importing) -> None:
    take("products", PEARLS, a_product(Handle="scoop", Title="Bamboo Scoop 竹茶则", Variant_SKU="BS-1"))
    take("customers", MEI)
    report = take(
        "orders",
        an_order(Lineitem_quantity="2", Total="50.50", Lineitem_discount="1.50", Phone="+6591230001"),
        a_line(Lineitem_name="Bamboo Scoop 竹茶则 - Large", Lineitem_sku="", Lineitem_price="9.50"),
        a_line(Lineitem_name="Gone", Lineitem_sku="X"),
    )
    assert counts(report) == (1, 0, 0)
    assert report.customers_created == 0
    order, catalogue = orders()["2001"], products()
    assert order.customer is not None
    assert order.customer.external_id == "900001"
    assert (order.external_id, order.total_minor, order.shipping_minor) == ("5620010000", 5050, 500)
    assert order.placed_at == datetime(2026, 11, 19, 2, 2, 11, tzinfo=UTC)
    assert [line.product_id for line in order.lines] == [catalogue["jasmine-pearls"].id, catalogue["scoop"].id, None]
    assert (order.lines[0].quantity, order.lines[0].discount_minor) == (2, 150)
    assert order.state is OrderState.PREPARING


def test_lines_are_tied_to_products_that_come_later(take: Importing) -> None:
    take("orders", an_order())
    assert orders()["2001"].lines[0].product_id is None
    take("products", PEARLS)
    assert orders()["2001"].lines[0].product_id == products()["jasmine-pearls"].id
    assert counts(take("orders", an_order())) == (0, 0, 1)


@pytest.mark.parametrize(
    ("financial", "fulfillment", "cells", "state"),
    [
        ("paid", "fulfilled", {}, OrderState.SHIPPED),
        ("paid", "partial", {}, OrderState.PARTLY_SHIPPED),
        ("pending", "unfulfilled", {}, OrderState.AWAITING_PAYMENT),
        ("authorized", "", {}, OrderState.PREPARING),
        ("refunded", "restocked", {}, OrderState.REFUNDED),
        ("refunded", "unfulfilled", {"Cancelled at": "2026-11-20 08:00:00 +0800"}, OrderState.CANCELLED),
        ("voided", "unfulfilled", {}, OrderState.CANCELLED),
        ("partially_refunded", "fulfilled", {"Refunded Amount": "5.00"}, OrderState.SHIPPED),
    ],
)
def test_statuses_become_what_the_customer_is_told(
    take: Importing, financial: str, fulfillment: str, cells: dict[str, str], state: OrderState
) -> None:
    take("orders", an_order(Financial_Status=financial, Fulfillment_Status=fulfillment) | cells)
    order = orders()["2001"]
    assert order.state is state
    assert order.refunded_minor == {"refunded": 2300, "partially_refunded": 500}.get(financial, 0)


def test_a_shipping_date_makes_a_shipment_and_a_better_one_is_kept(take: Importing) -> None:
    shipped = an_order(Fulfillment_Status="fulfilled", Fulfilled_at="2026-11-20 16:00:00 +0800")
    take("orders", shipped)
    assert [s.shipped_at for s in orders()["2001"].shipments] == [datetime(2026, 11, 20, 8, tzinfo=UTC)]
    with crm.session() as session:
        session.scalars(select(Shipment)).one().tracking_number = "SF123"
    assert counts(take("orders", shipped)) == (0, 0, 1)
    take("orders", shipped | {"Email": "other@example.com"})
    assert [s.tracking_number for s in orders()["2001"].shipments] == ["SF123"]


def test_a_changed_order_is_updated_and_keeps_its_id(take: Importing) -> None:
    take("orders", an_order(), a_line(Lineitem_sku="B"))
    before = orders()["2001"].id
    assert counts(take("orders", an_order(Fulfillment_Status="fulfilled"))) == (0, 1, 0)
    after = orders()["2001"]
    assert (after.id, after.fulfillment_status, len(after.lines)) == (before, FulfillmentStatus.FULFILLED, 1)
    assert revision(revisions.ORDERS) == 2


def test_prefixes_of_order_numbers_are_kept(take: Importing) -> None:
    take("orders", an_order(Name="#en-1001 "))
    assert set(orders()) == {"EN-1001"}


def test_orders_stay_whole_across_batches(take: Importing) -> None:
    rows: list[dict[str, str]] = []
    for number in range(1, 1001):
        rows.append(an_order(Name=f"#{number}", Id=str(number), Email=f"c{number % 50}@example.com"))
        rows += [a_line(Name=f"#{number}", Lineitem_sku=f"S{place}") for place in range(2, 6)]
    report = take("orders", *rows)
    assert (report.rows, counts(report), report.customers_created) == (5000, (1000, 0, 0), 50)
    with crm.reading() as session:
        per_order = select(func.count()).select_from(OrderLine).group_by(OrderLine.order_id)
        assert set(session.scalars(per_order)) == {5}
    assert counts(take("orders", *rows)) == (0, 0, 1000)


def test_a_phone_links_only_those_who_may_be_the_same_person(take: Importing) -> None:
    take("customers", MEI, {"Customer ID": "2", "First Name": "Lim", "Phone": "+6598887777"})
    take(
        "orders",
        an_order(Name="#1", Id="1", Email="", Phone="'+65 9123 0001"),
        an_order(Name="#2", Id="2", Email="brother@example.com", Phone="+6591230001"),
        an_order(Name="#3", Id="3", Email="lim@example.com", Phone="+6598887777"),
        an_order(Name="#4", Id="4", Email="", Phone=""),
    )
    by_number = {number: order.customer.external_id if order.customer else None for number, order in orders().items()}
    assert by_number == {"1": "900001", "2": "brother@example.com", "3": "2", "4": None}
    assert [c.email for c in customers() if c.external_id == "2"] == ["lim@example.com"]


def test_bad_orders_are_refused_whole_and_bad_lines_alone(take: Importing) -> None:
    report = take(
        "orders",
        an_order(Name="#1", Created_at="soon"),
        a_line(Name="#1"),
        an_order(Name="#2"),
        a_line(Name="#2", Lineitem_quantity="many"),
        a_line(Name="#2", Lineitem_price=""),
        an_order(Name="#3", Id="3", Financial_Status="happy"),
        an_order(Name="#4", Id="4", Total="23.00 EUR"),
        an_order(Name="#5", Id="5", Created_at="2030-01-01 10:00:00 +0800"),
        an_order(Name="#6", Id="6", Currency="XXQ"),
        an_order(Name="#2", Id="7"),
        an_order(Name="#8", Id="8", Lineitem_quantity="0"),
    )
    assert refusals(report) == [
        (2, "Created at"),
        (3, "Name"),
        (5, "Lineitem quantity"),
        (6, "Lineitem price"),
        (7, "Financial Status"),
        (8, "Total"),
        (9, "Created at"),
        (10, "Currency"),
        (11, "Name"),
        (12, "Lineitem quantity"),
    ]
    assert {number: len(order.lines) for number, order in orders().items()} == {"2": 1, "8": 0}


def test_progress_is_told_up_to_the_end(take: Importing, store: Engine, file: File, context: Context) -> None:
    told: list[tuple[int, int, int]] = []
    path = file(export("products", PEARLS), "products.csv")
    SOURCES["shopify"]["products"](path, replace(context, progress=lambda *numbers: told.append(numbers)))
    size = path.stat().st_size
    assert told[-1] == (1, size, size)


def test_the_demo_shop_goes_in_twice_without_a_change(store: Engine) -> None:
    context = Context(load_shop(ROOT / "demo" / "shop.toml"), datetime.now(UTC) + timedelta(days=365))
    for run in range(2):
        for kind in KINDS:
            report = SOURCES["shopify"][kind](ROOT / "demo" / f"{kind}_export.csv", context)
            assert report.refused == []
            assert report.changed is (run == 0)
    with crm.reading() as session:
        assert session.scalar(select(func.count()).select_from(OrderLine).where(OrderLine.product_id.is_(None))) == 0
        assert session.scalar(select(func.count()).select_from(Order).where(Order.customer_id.is_(None))) == 0
        assert session.scalars(select(Order).where(Order.financial_status == FinancialStatus.REFUNDED)).first()
