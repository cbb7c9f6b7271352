from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.entities import details_of
from bot.numerals import number


def found(text: str, requested_slot: str | None = None) -> list[tuple[str, object]]:
    return [(detail.entity, detail.value) for detail in details_of(text, requested_slot)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("#1024", "1024"),
        ("A1024", "A1024"),
        ("订单号：20231105888", "20231105888"),
        ("order no. DP-2003-1", "DP-2003-1"),
        ("单号 2003", "2003"),
        ("2003", "2003"),
        ("＃２００３", "2003"),
        ("where is order 5521?", "5521"),
        ("can you check #a1024 for me", "A1024"),
        ("我的订单编号是2011", "2011"),
        ("單號是A1099", "A1099"),
        ("不对，是1043", "1043"),
        ("查下1043这单走的哪家", "1043"),
        ("order number 是 2056", "2056"),
        ("订单20231105888到哪了", "20231105888"),
        ("order number is #12", "12"),
        ("PO-7781", "PO-7781"),
        ("invoice for order #A-1024-B", "A-1024-B"),
        ("我要退订单2003", "2003"),
        ("退2003", "2003"),
        ("2003.", "2003"),
        ("2003到哪了", "2003"),
        ("2003号订单", "2003"),
        ("ORDER #2003!!!", "2003"),
        ("1234-5678", "1234-5678"),
    ],
)
def test_order_number(text: str, value: object) -> None:
    assert found(text) == [("order_number", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lin.mei@example.com", "lin.mei@example.com"),
        ("邮箱是 Jo＠Example.com", "jo@example.com"),
        ("jo at example dot com", "jo@example.com"),
        ("amy at gmail.com", "amy@gmail.com"),
        ("我的邮箱abc123@qq.com谢谢", "abc123@qq.com"),
        ("order2003@shop.com", "order2003@shop.com"),
    ],
)
def test_email(text: str, value: object) -> None:
    assert found(text) == [("email", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+65 9123 0001", "+6591230001"),
        ("138-0000-0000", "13800000000"),
        ("(02) 1234 5678", "0212345678"),
        ("手机 138 0000 1111", "13800001111"),
        ("是13900005555这个号", "13900005555"),
        ("電話是 0912 345 678", "0912345678"),
        ("call me on 415-555-0100", "4155550100"),
        ("微信注册的手机号，15000006666", "15000006666"),
        ("9123 0001", "91230001"),
    ],
)
def test_phone(text: str, value: object) -> None:
    assert found(text) == [("phone", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two of them", 2),
        ("3件", 3),
        ("两盒就够", 2),
        ("x5", 5),
        ("50 pcs", 50),
        ("要两个", 2),
        ("一共五件", 5),
        ("I want 3 teapots", 3),
        ("我订了两样东西", 2),
        ("a dozen boxes", 12),
        ("数量改成10", 10),
        ("３盒", 3),
        ("十二瓶", 12),
        ("1500 pcs please", 1500),
        ("order 2 boxes", 2),
        ("买2003件", 2003),
        ("a couple of dozen", 24),
        ("half a dozen mugs", 6),
        ("3 dozen roses", 36),
        ("two each, please", 2),
        ("40ish cups", 40),
        ("ten or so", 10),
        ("2-3 boxes", 3),
        ("twenty odd chairs", 20),
        ("三十来个", 30),
        ("二十多件", 20),
        ("十几个", 10),
        ("各两件", 2),
        ("各三", 3),
        ("要俩", 2),
        ("来仨吧", 3),
        ("半打", 6),
        ("两打毛巾", 24),
        ("两三件", 3),
        ("十五六个", 16),
        ("四五百份", 500),
        ("两块香皂", 2),
    ],
)
def test_quantity(text: str, value: object) -> None:
    assert found(text) == [("quantity", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("under 50", 50),
        ("不超过两百", 200),
        ("200块以内", 200),
        ("$30-40", 40),
        ("五十块左右", 50),
        ("三百以内", 300),
        ("大概一百出头吧", 100),
        ("预算一千五", 1500),
        ("my budget is $1,200", 1200),
        ("100到200元", 200),
        ("between $20 and $35", 35),
        ("about 80 dollars", 80),
        ("under 1k", 1000),
        ("两百块以内的礼物", 200),
        ("1000元以下", 1000),
        ("up to 30 euros", 30),
    ],
)
def test_budget(text: str, value: object) -> None:
    assert found(text) == [("budget", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4 stars", 4),
        ("5分", 5),
        ("五星", 5),
        ("★★★★", 4),
        ("4/5", 4),
        ("★★★☆☆", 3),
        ("打3分", 3),
        ("五颗星", 5),
        ("⭐⭐⭐", 3),
        ("five out of five", 5),
        ("四星", 4),
        ("a 2-star experience", 2),
    ],
)
def test_rating(text: str, value: object) -> None:
    assert found(text) == [("rating", value)]


@pytest.mark.parametrize(
    "text",
    [
        "my order from 2023",
        "I bought it in 2023",
        "2023年买的",
        "2026-11-22 下的单",
        "11/22/2026",
        "order placed on 3 May 2024",
        "尾号7788",
        "last four digits 7788",
        "look at example.org please",
        "第二个",
        "三个星期了",
        "我有一个问题",
        "预算不限",
        "within 3 days",
        "around 5pm",
        "10天以内",
        "it costs $45",
        "less than 2 weeks",
        "5分钟",
        "十分感谢",
        "三分之一",
        "星期三",
        "I paid 2003 dollars",
        "价格1299元",
        "https://x.com/orders/2003",
        "12:30",
        "50%",
        "打8折",
        "500g",
        "the 1000ml one",
        "it broke into about thirty pieces",
        "the 500 piece puzzle",
        "20 kilos of flour",
        "five metres of ribbon",
        "我们俩",
        "俩人",
        "8块钱",
        "两张优惠券能一起用吗",
        "三只装",
        "一打开就坏了",
        "好几十个",
    ],
)
def test_what_only_looks_like_a_detail_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("order 2003, a.b@c.org", [("order_number", "2003"), ("email", "a.b@c.org")]),
        ("电话13800001111，订单2003", [("phone", "13800001111"), ("order_number", "2003")]),
        ("we got 8 cups, 3 broken", [("quantity", 8), ("quantity", 3)]),
        ("only 2 of the 5 bowls arrived", [("quantity", 2), ("quantity", 5)]),
        ("收到3个坏了2个", [("quantity", 3), ("quantity", 2)]),
        ("order 2003 and 2004", [("order_number", "2003"), ("order_number", "2004")]),
    ],
)
def test_several_details_in_one_message(text: str, details: list[tuple[str, object]]) -> None:
    assert found(text) == details


@pytest.mark.parametrize(
    ("text", "requested_slot", "detail"),
    [
        ("3", "quantity", ("quantity", 3)),
        ("三", "quantity", ("quantity", 3)),
        ("200", "budget", ("budget", 200)),
        ("两百左右吧", "budget", ("budget", 200)),
        ("4", "rating", ("rating", 4)),
        ("12", "order_number", ("order_number", "12")),
        ("it's 345", "order_number", ("order_number", "345")),
        ("91230001", "phone", ("phone", "91230001")),
        ("5", "return_order_number", ("order_number", "5")),
    ],
)
def test_a_bare_answer_means_what_the_form_asked_for(
    text: str, requested_slot: str, detail: tuple[str, object]
) -> None:
    assert found(text, requested_slot) == [detail]


def test_places_are_those_of_the_raw_text() -> None:
    text = "我的 ＃２００３ 两盒"
    first, second = details_of(text)
    assert text[first.start : first.end] == "２００３"
    assert text[second.start : second.end] == "两盒"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("两百五", 250),
        ("一千五", 1500),
        ("十二", 12),
        ("一百零五", 105),
        ("二〇〇三", 2003),
        ("三万", 30000),
        ("1,200", 1200),
        ("3k", 3000),
        ("a dozen", 12),
        ("百", 100),
        ("half a dozen", 6),
        ("a couple of dozen", 24),
        ("两三", 3),
        ("十五六", 16),
        ("五六十", 60),
    ],
)
def test_numbers_as_they_are_written(written: str, value: float) -> None:
    assert number(written) == value


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    for detail in details_of(text):
        assert 0 <= detail.start < detail.end <= len(text)


@given(st.text(alphabet="1290-+().@ab#/:$ 元块百两个件星分订单号到", max_size=200))
def test_text_made_of_figures_can_be_read(text: str) -> None:
    for detail in details_of(text, "order_number"):
        assert 0 <= detail.start < detail.end <= len(text)


@pytest.mark.parametrize("text", ["1" * 4000, "一" * 4000, "@ " * 2000, "(1)" * 1300, "a.b@" * 1000, "😀" * 4000, "\0"])
def test_endless_messages_do_no_harm(text: str) -> None:
    details_of(text)
