"""Taobao's ExportOrderList, in its encodings and with its quirks."""

import csv
import io
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import selectinload

import crm
from crm.importers import Context, ImportReport, taobao, taobao_cells
from crm.importers.report import BadValue
from crm.models import Order, OrderState, Product

Cells = dict[str, str]
Importing = Callable[..., ImportReport]
HEADER = (
    "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,"
    "买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址 ,运送方式,联系电话 ,联系手机,订单创建时间,订单付款时间 ,"
    "宝贝标题 ,宝贝种类 ,物流单号 ,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,"
    "发票抬头,是否手机订单,分阶段订单信息,退款金额"
).split(",")


def an_order(**cells: str) -> Cells:
    return {
        "订单编号": '="3820011122233344"', "买家会员名": "茶客小雨", "买家支付宝账号": "xiaoyu@example.cn",
        "买家应付货款": "128.00", "买家应付邮费": "10.00", "总金额": "138.00", "买家实际支付金额": "138.00",
        "订单状态": "卖家已发货，等待买家确认", "收货人姓名": "陈雨", "收货地址 ": "浙江省 杭州市 西湖区 茶园路1号",
        "联系手机": "'13800001111", "订单创建时间": "2026-11-18 20:15:01", "订单付款时间 ": "2026-11-18 20:16:40",
        "宝贝标题 ": "明前龙井 50克", "宝贝种类 ": "1", "物流单号 ": "No:SF1000200030", "物流公司": "顺丰速运",
        "宝贝总数量": "2", "退款金额": "无退款申请",
    } | cells  # fmt: skip


def export(*rows: Cells, header: list[str] = HEADER) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture
def take(store: Engine, file: Callable[..., Path], context: Context) -> Importing:
    def importing(*rows: Cells, encoding: str = "gb18030", lines: str | None = None) -> ImportReport:
        path = file(export(*rows), "ExportOrderList.csv", encoding=encoding)
        detail = file(lines, "ExportOrderDetailList.csv", encoding=encoding) if lines else None
        return taobao.import_orders(path, context, detail)

    return importing


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.added, report.updated, report.unchanged


def orders() -> dict[str, Order]:
    with crm.reading() as session:
        loading = selectinload(Order.lines), selectinload(Order.shipments), selectinload(Order.customer)
        return {order.number: order for order in session.scalars(select(Order).options(*loading))}


def skus_and_prices() -> list[tuple[str | None, int, int]]:
    (order,) = orders().values()
    return [(line.sku, line.quantity, line.unit_price_minor) for line in order.lines]


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-8", "utf-8-sig", "utf-16"])
def test_an_order_goes_in_from_every_encoding(take: Importing, encoding: str) -> None:
    report = take(an_order(), encoding=encoding)
    assert (counts(report), report.refused, report.customers_created, report.products_created) == ((1, 0, 0), [], 1, 1)
    order = orders()["3820011122233344"]
    assert order.placed_at == datetime(2026, 11, 18, 12, 15, 1, tzinfo=UTC)
    assert (order.currency, order.total_minor, order.shipping_minor, order.refunded_minor) == ("CNY", 13800, 1000, 0)
    assert (order.city, order.country, order.state) == ("杭州市", "CN", OrderState.SHIPPED)
    assert [(line.title, line.quantity, line.unit_price_minor) for line in order.lines] == [("明前龙井 50克", 2, 6400)]
    assert [(s.carrier, s.tracking_number) for s in order.shipments] == [("顺丰速运", "SF1000200030")]
    buyer = order.customer
    assert buyer is not None
    assert (buyer.external_id, buyer.name, buyer.phone) == ("茶客小雨", "陈雨", "+8613800001111")
    assert (buyer.email, buyer.language) == ("xiaoyu@example.cn", "zh")
    assert counts(take(an_order(), encoding=encoding)) == (0, 0, 1)


@pytest.mark.parametrize(
    ("cells", "state", "refunded"),
    [
        ({"订单状态": "等待买家付款", "订单付款时间 ": ""}, OrderState.AWAITING_PAYMENT, 0),
        ({"订单状态": "买家已付款，等待卖家发货", "物流单号 ": ""}, OrderState.PREPARING, 0),
        ({"订单状态": "卖家部分发货"}, OrderState.PARTLY_SHIPPED, 0),
        ({"订单状态": "交易成功"}, OrderState.DELIVERED, 0),
        ({"订单状态": "交易成功", "退款金额": "20.00"}, OrderState.DELIVERED, 2000),
        ({"订单状态": "交易关闭", "订单付款时间 ": ""}, OrderState.CANCELLED, 0),
        ({"订单状态": "交易关闭"}, OrderState.REFUNDED, 13800),
    ],
)
def test_how_far_an_order_is(take: Importing, cells: Cells, state: OrderState, refunded: int) -> None:
    assert take(an_order(**cells)).refused == []
    order = orders()["3820011122233344"]
    assert (order.state, order.refunded_minor) == (state, refunded)


def test_a_masked_buyer_is_nobody_rather_than_somebody_else(take: Importing) -> None:
    masked = {
        "买家会员名": "茶**",
        "收货人姓名": "陈**",
        "联系手机": "138****1111",
        "买家支付宝账号": "x***@example.cn",
    }
    report = take(an_order(**masked), an_order(订单编号="2", **masked))
    assert (report.added, report.customers_created) == (2, 0)


def test_several_articles_are_shared_out_until_their_prices_come(take: Importing) -> None:
    two = {"宝贝标题 ": "明前龙井，竹茶则", "宝贝种类 ": "2", "宝贝总数量": "3"}
    take(an_order(**two))
    lines = orders()["3820011122233344"].lines
    assert [(line.title, line.quantity) for line in lines] == [("明前龙井", 1), ("竹茶则", 2)]
    assert sum(line.unit_price_minor * line.quantity - line.discount_minor for line in lines) == 12800
    detail = (
        "订单编号,标题,价格,购买数量,外部系统编号,商品属性,订单状态\n"
        '="3820011122233344",明前龙井,108.00,1,LJ-50,,卖家已发货，等待买家确认\n'
        '="3820011122233344",竹茶则,10.00,2,CZ-1,,卖家已发货，等待买家确认\n'
        '="3820011122233344",坏行,十元,2,,,\n'
    )
    report = take(an_order(**two), lines=detail)
    assert [(refused.line, refused.column) for refused in report.refused] == [(4, "价格")]
    priced = [("LJ-50", 1, 10800), ("CZ-1", 2, 1000)]
    assert skus_and_prices() == priced
    # The list of orders alone knows less: it must not take the prices away again.
    assert counts(take(an_order(**two))) == (0, 0, 1)
    assert skus_and_prices() == priced


def test_a_comma_inside_the_only_title_does_not_part_it(take: Importing) -> None:
    take(an_order(**{"宝贝标题 ": "龙井，明前，50克", "宝贝种类 ": "1", "宝贝总数量": "1"}))
    assert [line.title for line in orders()["3820011122233344"].lines] == ["龙井，明前，50克"]
    with crm.reading() as session:
        assert [p.title for p in session.scalars(select(Product))] == ["龙井，明前，50克"]


def test_bad_rows_are_refused_with_their_line(take: Importing) -> None:
    report = take(
        an_order(订单编号="3.82001E+15"),
        an_order(订单编号="１２３"),
        an_order(订单编号="4", 总金额="很多"),
        an_order(订单编号="5", 订单状态="飞走了"),
        an_order(订单编号="6", 订单创建时间=""),
        an_order(订单编号="7", 订单创建时间="2016/5/23 22:02", **{"订单付款时间 ": "2016/5/23 22:02"}),
        an_order(订单编号="'7"),
    )
    found = [(refused.line, refused.column) for refused in report.refused]
    assert found == [(2, "订单编号"), (4, "总金额"), (5, "订单状态"), (6, "订单创建时间"), (8, "订单编号")]
    assert set(orders()) == {"123", "7"}


@given(st.text(max_size=60))
def test_no_cell_breaks_the_readers(text: str) -> None:
    taobao_cells.plain(text)
    taobao_cells.phone(text)
    taobao_cells.place(text)
    for read in (lambda: taobao_cells.amount("总金额", text, empty=0), lambda: taobao_cells.number("订单编号", text)):
        with suppress(BadValue):
            read()


@given(st.integers(min_value=0, max_value=10**18))
def test_a_number_comes_through_every_disguise(number: int) -> None:
    wide = str(number).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for written in (f'="{number}"', f"'{number}", f" {number}\t", f"={number}", wide):
        assert taobao_cells.number("订单编号", written) == str(number)
