"""Numbers as customers write them: digits, English words, Chinese numerals with their spoken short forms."""

from __future__ import annotations

import re

_ENGLISH: dict[str, int] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_MULTIPLIERS: dict[str, int] = {"couple": 2, "dozen": 12, "hundred": 100, "thousand": 1000}
_DIGITS: dict[str, int] = {d: i for i, d in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "俩": 2,
    "仨": 3,
    "廿": 20,
}
_UNITS: dict[str, int] = {"十": 10, "百": 100, "千": 1000, "万": 10_000}

CHINESE = "[零〇一二两三四五六七八九十百千万]+|[俩仨]"
_WORD = "|".join(sorted([*_ENGLISH, *_MULTIPLIERS], key=len, reverse=True))
ENGLISH = rf"(?:half (?:a )?dozen|(?:a )?couple of dozen|(?:an? (?=couple\b|dozen\b|hundred\b|thousand\b))?\b(?:{_WORD})\b(?:[ -](?:and )?(?:{_WORD})\b)*)"
DECIMAL = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_DECIMAL = re.compile(rf"({DECIMAL})\s*([k千万])?")

# Two or three, fifteen or sixteen, four or five hundred: "两三", "十五六", "四五百".
_DIGIT = "一二两三四五六七八九"
_NEIGHBOURS = re.compile(rf"(?<![〇零{_DIGIT}])([{_DIGIT}])([{_DIGIT}])(?![〇零{_DIGIT}])")


def _larger(match: re.Match[str]) -> str:
    return match[2] if _DIGITS[match[2]] == _DIGITS[match[1]] + 1 else match[0]


def number(text: str) -> float | None:
    """The value of one written number, or None. "两百五" is 250, "一千五" 1500, and "两三" the larger, 3."""
    text = text.strip().lower()
    if (match := _DECIMAL.fullmatch(text)) is not None:
        factor = {"k": 1000, "千": 1000, "万": 10_000}.get(match[2] or "", 1)
        return float(match[1].replace(",", "")) * factor
    return _english(text) or _chinese(text)


def _english(text: str) -> float | None:
    if text in ("half a dozen", "half dozen"):
        return 6.0
    words = [word for word in re.split(r"[\s-]+", text) if word not in ("a", "an", "and", "of", "")]
    if not words or any(word not in _ENGLISH and word not in _MULTIPLIERS for word in words):
        return None
    total = section = 0
    for word in words:
        if word in _ENGLISH:
            section += _ENGLISH[word]
        elif word == "thousand":
            total, section = total + (section or 1) * 1000, 0
        else:
            section = (section or 1) * _MULTIPLIERS[word]
    return float(total + section)


def _chinese(text: str) -> float | None:
    if not text or any(c not in _DIGITS and c not in _UNITS for c in text):
        return None
    text = _NEIGHBOURS.sub(_larger, text)
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
