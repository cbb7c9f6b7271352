from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.importers import values
from crm.importers.report import BadValue
from tests.crm.conftest import NOW

SINGAPORE = ZoneInfo("Asia/Singapore")


def read(text: str, *, day_first: bool = True) -> datetime:
    return values.DateReader(SINGAPORE, now=NOW, day_first=day_first)("date", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-19 10:02:11 +0800", "2026-11-19T02:02:11Z"),
        ("2026-11-19 10:02:11", "2026-11-19T02:02:11Z"),
        ("2026-11-19T10:02:11.123Z", "2026-11-19T10:02:11Z"),
        ("2026-11-19T10:02:11-05:00", "2026-11-19T15:02:11Z"),
        ("2026-11-19", "2026-11-18T16:00:00Z"),
        ("20261119", "2026-11-18T16:00:00Z"),
        ("2026/1/9 8:05", "2026-01-09T00:05:00Z"),
        ("2026年1月9日 8:05", "2026-01-09T00:05:00Z"),
        ("9.1.2026", "2026-01-08T16:00:00Z"),
        ("9/1/26 8:05 PM", "2026-01-09T12:05:00Z"),
        ("9/1/99", "1999-01-08T16:00:00Z"),
    ],
)
def test_dates_are_read_in_the_zone_of_the_shop(text: str, expected: str) -> None:
    assert read(text) == datetime.fromisoformat(expected)
    assert read(text).tzinfo is UTC


def test_the_order_of_day_and_month_is_the_files() -> None:
    assert read("12/1/2010 8:26", day_first=False) == datetime(2010, 12, 1, 0, 26, tzinfo=UTC)
    assert read("12/1/2010 8:26", day_first=True) == datetime(2010, 1, 12, 0, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("yesterday", "not a date"),
        ("2026-02-30", "no such date"),
        ("2026-13-01", "no such date"),
        ("2026-11-19 25:00", "no such date"),
        ("2027-01-01", "in the future"),
        ("1969-12-31", "before 1970"),
    ],
)
def test_other_dates_are_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        read(text)


@given(st.integers(86_400, int(NOW.timestamp())))
def test_every_moment_survives_being_written_and_read(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert read(moment.isoformat()) == moment
    assert read(f"{moment:%d/%m/%Y %H:%M:%S} +0000") == moment


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    with suppress(BadValue):
        assert read(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("dates", "zone", "day_first"),
    [
        (["3/4/2026", "13/4/2026"], "America/New_York", True),
        (["3/4/2026", "4/13/2026"], "Europe/London", False),
        (["3/4/2026"], "Europe/London", True),
        (["3/4/2026"], "America/New_York", False),
        (["2026-04-03"], "Europe/London", True),
    ],
)
def test_a_file_shows_whether_the_day_comes_first(dates: list[str], zone: str, day_first: bool) -> None:
    order = values.DayOrder()
    for date in dates:
        order.look_at(date)
    assert order.decide(zone) is day_first
    assert order.is_a_guess is (dates == ["3/4/2026"])


@pytest.mark.parametrize(("text", "number"), [("6", 6), ("-6", -6), ("6.0", 6), ("1,000", 1000), ("+3", 3)])
def test_whole_numbers_are_read(text: str, number: int) -> None:
    assert values.whole("quantity", text) == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [("6.5", "not a whole number"), ("six", "not a whole number"), ("", "empty"), ("99999999999", "too large")],
)
def test_other_numbers_are_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        values.whole("quantity", text)


def test_an_amount_beyond_all_shops_is_refused() -> None:
    with pytest.raises(BadValue, match="too large"):
        values.minor("price", "9" * 20, "SGD")


def test_yes_and_no_are_known_in_both_languages() -> None:
    assert [values.yes_or_no("x", word) for word in ("yes", "TRUE", "1", "是")] == [True] * 4
    assert [values.yes_or_no("x", word) for word in ("no", "False", "0", "否", "")] == [False] * 5
    with pytest.raises(BadValue, match="expected yes or no"):
        values.yes_or_no("x", "maybe")


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Mei", "Tan", "Mei Tan"), ("雨", "陈", "陈雨"), ("Mei", "", "Mei"), ("", "", None), ("雨", "Chen", "雨 Chen")],
)
def test_names_are_put_together_as_their_language_does(first: str, last: str, name: str | None) -> None:
    assert values.person(first, last) == name


def test_html_becomes_what_a_reader_sees() -> None:
    html = (
        "<style>p {color: red}</style><p>Rolled by&nbsp;hand &amp; scented.<br>手工龙珠绿茶</p>\n"
        "<ul><li>50 g</li>\n<li>80&nbsp;°C</li></ul><script>alert(1)</script>"
    )
    assert values.text_of_html(html) == "Rolled by hand & scented.\n手工龙珠绿茶\n- 50 g\n- 80 °C"
    assert values.text_of_html("5 > 3, a plain text") == "5 > 3, a plain text"


@given(st.text(max_size=80))
def test_any_html_is_read(html: str) -> None:
    assert isinstance(values.text_of_html(html), str)
