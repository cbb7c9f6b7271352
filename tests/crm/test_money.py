from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import money
from crm.money import NotAnAmount


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("18.00", "SGD", 1800),
        ("18", "SGD", 1800),
        ("1,234.50", "SGD", 123450),
        ("1.234,50", "EUR", 123450),
        ("1 234,50", "EUR", 123450),
        ("1\u00a0234,50 €", "EUR", 123450),
        ("1'234.50", "CHF", 123450),
        ("1,23,456.00", "INR", 12345600),
        ("1,234", "SGD", 123400),
        ("12,5", "EUR", 1250),
        ("0,125", "EUR", 12),
        ("1.234.567", "EUR", 123456700),
        ("¥128", "CNY", 12800),
        ("￥128", "CNY", 12800),
        ("１２８．５０元", "CNY", 12850),
        ("¥128", "JPY", 128),
        ("S$ 12", "SGD", 1200),
        ("12 SGD", "SGD", 1200),
        ("$12", "SGD", 1200),
        ("-5.00", "SGD", -500),
        ("-$5", "USD", -500),
        ("$-5", "USD", -500),
        ("5.00-", "SGD", -500),
        ("(5.00)", "SGD", -500),
        (".5", "SGD", 50),
        ("1.234", "KWD", 1234),
        ("0.005", "SGD", 0),
        ("0.015", "SGD", 2),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, minor: int) -> None:
    assert money.parse(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("free", "not an amount"),
        ("12 USD", "in USD, not in SGD"),
        ("€12", "in €, not in SGD"),
        ("1.2.3", "separators"),
        ("1,2,3", "separators"),
        ("12abc", "not an amount"),
        ("1e5", "not an amount"),
        ("--5", "not an amount"),
        ("(5", "not an amount"),
        ("nan", "not an amount"),
    ],
)
def test_what_is_no_amount_in_this_currency_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(NotAnAmount, match=reason):
        money.parse(text, "SGD")


@pytest.mark.parametrize(
    ("minor", "currency", "language", "shown"),
    [
        (1800, "SGD", "en", "S$18.00"),
        (1800, "SGD", "zh", "S$18.00"),
        (12800, "CNY", "zh", "¥128.00"),
        (12800, "CNY", "en", "¥128.00"),
        (123450, "USD", "en", "$1,234.50"),
        (123450, "USD", "zh", "US$1,234.50"),
        (1800, "EUR", "zh", "€18.00"),
        (1800, "JPY", "en", "¥1,800"),
        (1800, "KWD", "en", "KWD 1.800"),
        (1800, "HKD", "zh", "HK$18.00"),
        (-123450, "SGD", "en", "-S$1,234.50"),
        (1800, "SGD", "xx", "S$18.00"),
    ],
)
def test_amounts_are_shown_as_the_shop_writes_them(minor: int, currency: str, language: str, shown: str) -> None:
    assert money.show(minor, currency, language) == shown


@given(st.integers(-(10**14), 10**14), st.sampled_from(["SGD", "JPY", "KWD", "CNY"]), st.sampled_from(["en", "zh"]))
def test_what_is_shown_can_be_read_again(minor: int, currency: str, language: str) -> None:
    assert money.parse(money.show(minor, currency, language), currency) == minor


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(NotAnAmount):
        assert isinstance(money.parse_amount(text, "SGD"), Decimal)
