from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crm.errors import ConfigError
from crm.weeks import Week

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_week_begins_on_monday_at_midnight_of_the_shop() -> None:
    week = Week.parse("2026-W47", SHANGHAI)

    assert week.starts_at == datetime(2026, 11, 15, 16, tzinfo=UTC)
    assert week.ends_at == datetime(2026, 11, 22, 16, tzinfo=UTC)


def test_the_week_in_which_clocks_go_back_lasts_an_hour_longer() -> None:
    week = Week.parse("2026-W43", BERLIN)

    assert (week.ends_at - week.starts_at).total_seconds() == 169 * 3600


def test_the_last_closed_week_changes_at_the_shops_midnight() -> None:
    sunday_night = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    monday_morning = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)

    assert Week.last_closed(sunday_night, SHANGHAI).label == "2026-W46"
    assert Week.last_closed(monday_morning, SHANGHAI).label == "2026-W47"


def test_weeks_are_counted_across_the_turn_of_the_year() -> None:
    assert Week.parse("2027-W01", SHANGHAI).before(1).label == "2026-W53"


@pytest.mark.parametrize("label", ["47", "2026-47", "2026-W54", "2025-W53", "next week", ""])
def test_a_week_that_does_not_exist_is_refused_with_how_to_write_one(label: str) -> None:
    with pytest.raises(ConfigError, match="2026-W47"):
        Week.parse(label, SHANGHAI)
