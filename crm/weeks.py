"""Calendar weeks, Monday to Sunday, in the shop's time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from crm.errors import ConfigError

_LABEL = re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE)


@dataclass(frozen=True)
class Week:
    """One ISO week. It lasts 7 local days, so 167 or 169 hours where the clocks change in it."""

    year: int
    number: int
    zone: ZoneInfo

    @classmethod
    def containing(cls, moment: datetime, zone: ZoneInfo) -> Self:
        """The week in which ``moment`` (aware) lies in that zone."""
        year, number, _ = moment.astimezone(zone).isocalendar()
        return cls(year, number, zone)

    @classmethod
    def last_closed(cls, now: datetime, zone: ZoneInfo) -> Self:
        """The newest week that is over."""
        return cls.containing(now, zone).before(1)

    @classmethod
    def parse(cls, label: str, zone: ZoneInfo) -> Self:
        """From "2026-W47". Raises ConfigError for anything else and for weeks that a year does not have."""
        found = _LABEL.fullmatch(label.strip())
        try:
            if found is None:
                raise ValueError
            date.fromisocalendar(int(found[1]), int(found[2]), 1)
        except ValueError:
            raise ConfigError(f"{label!r} is no week; write it as 2026-W47 (year, W, number 01 to 53).") from None
        return cls(int(found[1]), int(found[2]), zone)

    @property
    def label(self) -> str:
        return f"{self.year:04d}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def starts_at(self) -> datetime:
        """Monday 0:00 in the zone, as UTC."""
        return self._midnight(self.monday)

    @property
    def ends_at(self) -> datetime:
        """The next Monday 0:00, as UTC; no longer part of the week."""
        return self._midnight(self.monday + timedelta(days=7))

    def before(self, weeks: int) -> Self:
        """The week that many weeks earlier; a negative number goes on."""
        year, number, _ = (self.monday - timedelta(weeks=weeks)).isocalendar()
        return type(self)(year, number, self.zone)

    def at(self, weekday: int, hour: int) -> datetime:
        """A weekday (0 is Monday) and hour of this week, as UTC."""
        day = self.monday + timedelta(days=weekday)
        return datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).astimezone(UTC)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
