"""Phone numbers and e-mail addresses in one form, and whether two of them are the same."""

import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneMetadata

SHORTEST_LOCAL_NUMBER = 7
LONGEST_NUMBER, LONGEST_EMAIL = 60, 254  # written; RFC 5321 allows no longer address
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]+")


def _mobile(region: str) -> re.Pattern[str]:
    """The library's own rule for a country's mobile numbers."""
    known = PhoneMetadata.metadata_for_region(region)
    assert known is not None
    assert known.mobile is not None
    return re.compile(str(known.mobile.national_number_pattern), re.ASCII)


# Taobao's lists of buyers hold hardly any other numbers, and the library's whole way costs more than all else of a row.
_CHINESE_MOBILE = _mobile("CN")


def normalise(text: str, region: str | None = None) -> str | None:
    """The number in E.164 ("+6591230001") where it allows that, else its digits; None without digits or far too long.

    ``region`` (ISO 3166) is the country that a number without country code is taken to be in.
    """
    if len(text) > LONGEST_NUMBER:
        return None
    if region == "CN" and _CHINESE_MOBILE.fullmatch(text):
        return "+86" + text
    cleaned = unicodedata.normalize("NFKC", text).strip().lstrip("'").strip()
    if cleaned.startswith("00"):
        cleaned = "+" + cleaned[2:]
    try:
        parsed = phonenumbers.parse(cleaned, region)
    except phonenumbers.NumberParseException:
        return _digits(cleaned) or None
    if cleaned.startswith("+") or phonenumbers.is_valid_number(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return _digits(cleaned) or None


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(letter)) for letter in text if letter.isdigit())


def same_phone(one: str, other: str) -> bool:
    """Whether both name one line, however written; a missing country code or a leading 0 does not matter."""
    first, second = normalise(one), normalise(other)
    if first is None or second is None:
        return False
    if first == second:
        return len(_digits(first)) >= SHORTEST_LOCAL_NUMBER
    if first.startswith("+") and second.startswith("+"):
        return False
    longer, shorter = sorted((_digits(first).lstrip("0"), _digits(second).lstrip("0")), key=len, reverse=True)
    if len(shorter) < SHORTEST_LOCAL_NUMBER or not longer.endswith(shorter):
        return False
    missing = longer[: len(longer) - len(shorter)].removesuffix("0")
    return not missing or int(missing) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def normal_email(text: str) -> str | None:
    """Lower case without spaces around, or None if it is no address."""
    cleaned = unicodedata.normalize("NFKC", text).strip().lower()
    return cleaned if len(cleaned) <= LONGEST_EMAIL and _EMAIL.fullmatch(cleaned) else None


def same_email(one: str, other: str) -> bool:
    first = normal_email(one)
    return first is not None and first == normal_email(other)
