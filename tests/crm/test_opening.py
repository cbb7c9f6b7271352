"""Opening hours, read as shops write them, and what follows for who waits and who sleeps."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from crm import availability
from crm.opening import parse
from crm.preferences import Preferences
from crm.shop import Shop, Text

ZONE = ZoneInfo("Asia/Shanghai")
WEDNESDAY_NOON = datetime(2026, 11, 25, 12, 0, tzinfo=ZONE)


def week(text: str) -> list[str] | None:
    hours = parse(text)
    if hours is None:
        return None
    return [" ".join(f"{start:%H:%M}-{end:%H:%M}" for start, end in day) for day in hours.days]


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday to Sunday 10:30–18:30 (Hangzhou time), closed on Mondays",
        "周二至周日 10:30–18:30（杭州时间），周一休息",
        "Tue-Sun 10:30am-6:30pm",
        "daily 10:30 to 18:30, closed on Monday",
    ],
)
def test_the_same_week_in_many_words(text: str) -> None:
    assert week(text) == ["", *["10:30-18:30"] * 6]


def test_split_shifts_and_a_short_saturday() -> None:
    assert week("周一至周五 9:00-12:00、14:00-18:00；周六 10:00-16:00") == [
        *["09:00-12:00 14:00-18:00"] * 5,
        "10:00-16:00",
        "",
    ]
    assert week("Monday, Wednesday and Friday 9-17") == ["09:00-17:00", "", "09:00-17:00", "", "09:00-17:00", "", ""]


@pytest.mark.parametrize("text", ["by appointment", "always", "Friday 18:00-2:00", "随时", ""])
def test_what_cannot_be_read_for_certain_is_not_guessed(text: str) -> None:
    assert parse(text) is None


def test_the_next_opening_skips_the_closed_day_and_the_clock_change() -> None:
    hours = parse("Tuesday to Sunday 10:30-18:30")
    assert hours is not None
    sunday_night = datetime(2026, 11, 29, 20, 0, tzinfo=ZONE)
    assert hours.opens_at(sunday_night, ZONE) == datetime(2026, 12, 1, 10, 30, tzinfo=ZONE)
    assert hours.opens_at(WEDNESDAY_NOON, ZONE) == WEDNESDAY_NOON
    berlin = ZoneInfo("Europe/Berlin")
    before_the_change = datetime(2026, 3, 28, 20, 0, tzinfo=berlin)
    assert hours.opens_at(before_the_change, berlin) == datetime(2026, 3, 29, 8, 30, tzinfo=UTC)


def shop() -> Shop:
    return Shop(timezone="Asia/Shanghai", opening_hours=Text(en="daily 9:00-18:00", zh="每天 9:00-18:00"))


def test_a_notice_at_night_waits_for_the_morning() -> None:
    wanted = Preferences(quiet_from=time(22), quiet_until=time(8))
    at_night = datetime(2026, 11, 25, 23, 30, tzinfo=ZONE)
    morning = datetime(2026, 11, 26, 8, 0, tzinfo=ZONE)
    assert availability.notice_not_before(wanted, shop(), now=at_night, urgent=False) == morning
    assert availability.notice_not_before(wanted, shop(), now=at_night, urgent=True) is None
    early = datetime(2026, 11, 26, 3, 0, tzinfo=ZONE)
    assert availability.notice_not_before(wanted, shop(), now=early, urgent=False) == morning
    assert availability.notice_not_before(wanted, shop(), now=WEDNESDAY_NOON, urgent=False) is None


def test_who_does_not_want_to_be_woken_is_not_even_by_an_angry_customer() -> None:
    wanted = Preferences(quiet_from=time(22), quiet_until=time(8), wake_when_angry=False)
    at_night = datetime(2026, 11, 25, 23, 30, tzinfo=ZONE)
    assert availability.notice_not_before(wanted, shop(), now=at_night, urgent=True) is not None


def test_an_absence_that_ends_at_night_ends_with_the_quiet_hours() -> None:
    wanted = Preferences(quiet_from=time(22), quiet_until=time(8), away_until=datetime(2026, 11, 27, 2, 0, tzinfo=ZONE))
    assert availability.notice_not_before(wanted, shop(), now=WEDNESDAY_NOON, urgent=False) == datetime(
        2026, 11, 27, 8, 0, tzinfo=ZONE
    )
