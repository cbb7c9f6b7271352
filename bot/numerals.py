"""Numbers as customers write them: digits, English words, Chinese numerals with their spoken short forms."""

from __future__ import annotations

import re

_ENGLISH: dict[str, int] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "dozen": 12, "fifteen": 15, "sixteen": 16, "eighteen": 18, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000,
    "couple": 2, "half a dozen": 6, "a dozen": 12, "a couple": 2, "a hundred": 100, "a thousand": 1000,
    "one hundred": 100, "two hundred": 200, "three hundred": 300, "five hundred": 500, "one thousand": 1000,
}  # fmt: skip
_DIGITS: dict[str, int] = {d: i for i, d in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2, "仨": 3, "廿": 20}
_UNITS: dict[str, int] = {"十": 10, "百": 100, "千": 1000, "万": 10_000}

CHINESE = "[零〇一二两三四五六七八九十百千万]+|[俩仨]"
ENGLISH = "|".join(sorted(_ENGLISH, key=len, reverse=True))
DECIMAL = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_DECIMAL = re.compile(rf"({DECIMAL})\s*([k千万])?")


def number(text: str) -> float | None:
    """The value of one written number, or None. "两百五" is 250 and "一千五" 1500, as they are spoken."""
    text = text.strip().lower()
    if (match := _DECIMAL.fullmatch(text)) is not None:
        factor = {"k": 1000, "千": 1000, "万": 10_000}.get(match[2] or "", 1)
        return float(match[1].replace(",", "")) * factor
    if text in _ENGLISH:
        return float(_ENGLISH[text])
    return _chinese(text)


def _chinese(text: str) -> float | None:
    if not text or any(c not in _DIGITS and c not in _UNITS for c in text):
        return None
    if not any(c in _UNITS for c in text):
        return float("".join(str(_DIGITS[c]) for c in text))
    total = section = 0
    digit: int | None = None
    unit = 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
            if digit == 0:
                unit = 0  # after a spoken zero the last digit is a plain one: 一百零五
            continue
        unit = _UNITS[character]
        if unit == 10_000:
            total += (section + (digit or 0)) * unit or unit
            section = 0
        else:
            section += (1 if digit is None else digit) * unit
        digit = None
    if digit is not None:
        section += digit * (unit // 10 if unit >= 100 else 1)
    return float(total + section)
