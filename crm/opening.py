"""Opening hours as shop.toml writes them for people, read for machines: when is somebody there again?"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from crm.shop import Shop

_DAYS_EN = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_ZH = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?|(?:周|星期|礼拜)[一二三四五六日天]"
_TO = r"\s*(?:-|–|—|~|至|到|to|through|thru|until)\s*"
_CLOCK = r"(\d{1,2})(?:[:.点](\d{2})?)?\s*(am|pm)?"
_RANGE_OF_DAYS = re.compile(rf"({_DAY}){_TO}({_DAY})")
_ONE_DAY = re.compile(_DAY)
_EVERY_DAY = re.compile(r"\b(?:every ?day|daily|all week|7 days)\b|每[天日]|全周|天天")
_WORKDAYS = re.compile(r"\b(?:weekdays|working days|business days)\b|工作日")
_WEEKENDS = re.compile(r"\bweekends?\b|周末")
_TIMES = re.compile(rf"{_CLOCK}{_TO}{_CLOCK}")
_CLOSED = re.compile(r"\b(?:closed|except)\b|休息|除外|不营业|关门")
_PARTS = re.compile(r"[;；,，。\n]|\band\b|、")


@dataclass(frozen=True)
class Hours:
    """For each weekday (0 is Monday) the times from and until which somebody is there, in the shop's zone."""

    days: tuple[tuple[tuple[time, time], ...], ...]

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        local = now.astimezone(zone)
        return any(start <= local.time() < end for start, end in self.days[local.weekday()])

    def opens_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """``now`` while it is open, else the next opening, in UTC."""
        if self.is_open(now, zone):
            return now
        return next(self._openings(now, zone))

    def _openings(self, now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        local = now.astimezone(zone)
        for ahead in range(9):
            day = local.date() + timedelta(days=ahead)
            for start, _ in self.days[day.weekday()]:
                opening = datetime.combine(day, start, tzinfo=zone)
                if opening > local:
                    yield opening.astimezone(UTC)


def hours_of(shop: Shop) -> Hours | None:
    """The shop's hours; None if there are none or they are written in a way that cannot be read for certain."""
    if shop.opening_hours is None:
        return None
    for language in ("en", "zh"):
        found = parse(shop.opening_hours.in_language(language))
        if found is not None:
            return found
    return None


@lru_cache(maxsize=64)
def parse(text: str) -> Hours | None:
    """Reads "Tuesday to Sunday 10:30–18:30, closed on Mondays" or "周一至周五 9:00-12:00、14:00-18:00"."""
    plain = unicodedata.normalize("NFKC", text).lower()
    open_days: dict[int, list[tuple[time, time]]] = {}
    closed: set[int] = set()
    current: set[int] = set()
    for part in _PARTS.split(plain):
        days = _days_in(part)
        if _CLOSED.search(part):
            closed |= days
            continue
        times = [_span(*match.groups()) for match in _TIMES.finditer(_RANGE_OF_DAYS.sub(" ", part))]
        if days and not times:
            current |= days  # "Monday, Wednesday and Friday 9–17" comes in pieces
            continue
        if days:
            current = current | days if not any(day in open_days for day in current) else days
        for span in times:
            if span is None:
                return None
            for day in current or set(range(7)):
                open_days.setdefault(day, []).append(span)
    week = tuple(tuple(sorted(open_days.get(day, ()))) if day not in closed else () for day in range(7))
    return Hours(week) if any(week) else None


def _days_in(part: str) -> set[int]:
    days: set[int] = set()
    if _EVERY_DAY.search(part):
        days |= set(range(7))
    if _WORKDAYS.search(part):
        days |= set(range(5))
    if _WEEKENDS.search(part):
        days |= {5, 6}
    for match in _RANGE_OF_DAYS.finditer(part):
        first, last = _day(match[1]), _day(match[2])
        days |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    days |= {_day(match[0]) for match in _ONE_DAY.finditer(_RANGE_OF_DAYS.sub(" ", part))}
    return days


def _day(word: str) -> int:
    return _DAYS_ZH[word[-1]] if word[-1] in _DAYS_ZH else _DAYS_EN.index(word[:3])


def _span(*parts: str | None) -> tuple[time, time] | None:
    """None for what is no stretch of one day, such as a bar's 18:00 to 2:00."""
    start_hour, start_minute, start_half, end_hour, end_minute, end_half = parts
    start = _clock(start_hour or "", start_minute, start_half or (end_half if end_half == "am" else None))
    end = _clock(end_hour or "", end_minute, end_half)
    return (start, end) if start is not None and end is not None and start < end else None


def _clock(hour: str, minute: str | None, half: str | None) -> time | None:
    number, minutes = int(hour), int(minute or 0)
    if half == "pm" and number < 12:
        number += 12
    if half == "am" and number == 12:
        number = 0
    if (number, minutes) == (24, 0):
        return time(23, 59)
    return time(number, minutes) if number < 24 and minutes < 60 else None
