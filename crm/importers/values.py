"""Turning cells into values: amounts, whole numbers, dates, yes and no, HTML. Each refuses with a readable reason."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from html.parser import HTMLParser

from crm import money, phones, places
from crm.importers.report import BadValue

_WHOLE = re.compile(r"[+-]?\d+")
_DATE = re.compile(
    r"(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})日?"
    r"(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YES = frozenset("yes y true t 1 on 是 已同意 同意".split())
_NO = frozenset("no n false f 0 off 否 不同意".split())
_BLOCKS = frozenset("p div br li ul ol tr table h1 h2 h3 h4 h5 h6 section article blockquote dt dd hr".split())
_UNSEEN = frozenset("script style head template".split())
LONGEST_NAME = 400  # of whatever is found again by it: PostgreSQL's indexes take no more than 2,700 bytes
TOO_LONG = f"it is longer than {LONGEST_NAME} characters"
FUTURE_ALLOWED = timedelta(days=1)  # a file without zones can be ahead by some hours


def unquoted(text: str) -> str:
    """Without the apostrophe that keeps spreadsheets from reading a number: "'+6591230001" gives "+6591230001"."""
    return text.removeprefix("'").strip()


def amount(column: str, text: str, currency: str) -> Decimal:
    """Raises BadValue."""
    try:
        return money.parse_amount(text, currency)
    except money.NotAnAmount as error:
        raise BadValue(column, text, str(error)) from None


def minor(column: str, text: str, currency: str, *, empty: int | None = None) -> int:
    """An amount in smallest units; ``empty`` is what an empty cell means, without it that is refused too."""
    if not text and empty is not None:
        return empty
    return in_range(column, text, money.to_minor(amount(column, text, currency), currency))


def in_range(column: str, text: str, value: int) -> int:
    """Raises BadValue for amounts that no shop has and that the analytics could not add up exactly."""
    if abs(value) >= 1 << 53:
        raise BadValue(column, text, "it is too large")
    return value


def no_longer(column: str, text: str) -> str:
    """Raises BadValue for a name too long to be found again by it."""
    if len(text) > LONGEST_NAME:
        raise BadValue(column, text, TOO_LONG)
    return text


def whole(column: str, text: str) -> int:
    """A whole number: "6", "6.0", "1,000". Raises BadValue."""
    if _WHOLE.fullmatch(text) and text.isascii() and len(text) < 10:
        return int(text)
    try:
        value = money.parse_amount(text, "XXX")
    except money.NotAnAmount:
        raise BadValue(column, text, "it is not a whole number" if text else "it is empty") from None
    if value != value.to_integral_value():
        raise BadValue(column, text, "it is not a whole number")
    return at_most_32_bits(column, text, int(value))


def at_most_32_bits(column: str, text: str, value: int) -> int:
    """Raises BadValue for more pieces than a database can count."""
    if abs(value) >= 1 << 31:
        raise BadValue(column, text, "it is too large")
    return value


def yes_or_no(column: str, text: str) -> bool:
    """Empty is no. Raises BadValue for anything that is neither."""
    word = text.casefold()
    if word in _YES:
        return True
    if not word or word in _NO:
        return False
    raise BadValue(column, text, "expected yes or no")


def email(column: str, text: str) -> str | None:
    """Raises BadValue for a text that is no address."""
    if not text:
        return None
    found = phones.normal_email(unquoted(text))
    if found is None:
        raise BadValue(column, text, "it is not an e-mail address")
    return found


@lru_cache(maxsize=4096)
def country(text: str) -> str | None:
    """The ISO code of a country's code or name in either language; None for anything else."""
    return places.country_named(text) if text else None


@lru_cache(maxsize=32_768)  # buyers come back, and reading a number is slow
def phone(text: str, country_code: str | None) -> str | None:
    return phones.normalise(unquoted(text), country_code) if text else None


def person(first: str, last: str) -> str | None:
    """A full name as its language orders it: "Mei Tan", "陈雨"."""
    first, last = first.strip(), last.strip()
    if first and last and all(re.fullmatch(r"[\u3400-\u9fff·]+", part) for part in (first, last)):
        return last + first
    return " ".join(part for part in (first, last) if part) or None


class DateReader:
    """Reads the dates of one file. ``day_first`` decides what 3/4/2026 means; ``zone`` holds where none is written."""

    def __init__(self, zone: tzinfo, *, now: datetime, day_first: bool = True) -> None:
        self._zone, self._latest, self._day_first = zone, now + FUTURE_ALLOWED, day_first
        self._known = lru_cache(maxsize=8192)(self._read)

    def __call__(self, column: str, text: str) -> datetime:
        """The moment in UTC. Raises BadValue, also for one in the future."""
        if not text:
            raise BadValue(column, text, "the date is missing")
        found = self._known(text)
        if isinstance(found, str):
            raise BadValue(column, text, found)
        return found

    def optional(self, column: str, text: str) -> datetime | None:
        return self(column, text) if text else None

    def _read(self, text: str) -> datetime | str:
        cleaned = unicodedata.normalize("NFKC", text).strip()
        compact = _COMPACT_DATE.fullmatch(cleaned)
        found = _DATE.fullmatch(cleaned)
        if compact:
            year, month, day = (int(part) for part in compact.groups())
            clock, zone = (0, 0, 0), None
        elif found:
            year, month, day = self._in_order(found[1], found[2], found[3], cleaned)
            clock, zone = _clock(found[4], found[5], found[6], found[7]), found[8]
        else:
            return "it is not a date such as 2026-11-19 10:02"
        try:
            moment = datetime(year, month, day, *clock, tzinfo=_zone(zone) or self._zone).astimezone(UTC)
        except (ValueError, OverflowError):
            return "there is no such date"
        if moment > self._latest:
            return "the date is in the future"
        return moment if moment.year >= 1970 else "the date is before 1970"

    def _in_order(self, one: str, two: str, three: str, text: str) -> tuple[int, int, int]:
        if len(one) >= 3:
            return int(one), int(two), int(three)
        year = int(three) + (0 if len(three) > 2 else 1900 if int(three) > 68 else 2000)
        if self._day_first or "." in text.split(" ")[0]:
            return year, int(two), int(one)
        return year, int(one), int(two)


def _clock(hour: str | None, minute: str | None, second: str | None, half: str | None) -> tuple[int, int, int]:
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return hours, int(minute or 0), int(second or 0)


def _zone(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


class DayOrder:
    """Finds out from a file's own dates whether it writes the day or the month first."""

    def __init__(self) -> None:
        self.day_first = self.month_first = self.undecided = 0
        self._seen: set[str] = set()

    def look_at(self, text: str) -> None:
        found = re.match(r"(\d{1,2})[/-](\d{1,2})[/-]\d{2,4}", text)
        if not found or found[0] in self._seen:
            return
        self._seen.add(found[0])
        one, two = int(found[1]), int(found[2])
        if one > 12 >= two:
            self.day_first += 1
        elif two > 12 >= one:
            self.month_first += 1
        elif one != two:
            self.undecided += 1

    def decide(self, timezone_name: str) -> bool:
        """True for day first. Without evidence, what is usual where the shop is."""
        if self.day_first or self.month_first:
            return self.day_first >= self.month_first
        return not timezone_name.startswith("America/")

    @property
    def is_a_guess(self) -> bool:
        return bool(self.undecided) and not self.day_first and not self.month_first


class _TextOfHtml(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def text_of_html(html: str) -> str:
    """What a reader sees of an HTML description, one line per paragraph or list item."""
    if "<" not in html and "&" not in html:
        return html.strip()
    parser = _TextOfHtml()
    parser.feed(html)
    parser.close()
    lines = (re.sub(r"[ \xa0]+", " ", line).strip() for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line and line != "-")
