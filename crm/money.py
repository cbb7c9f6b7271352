"""Money in whole smallest units: read from what people write, shown as each language writes it."""

import re
import unicodedata
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, lru_cache

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, list_currencies

_LOCALES = {"en": "en", "zh": "zh_Hans_CN"}
# Signs that shops of the country use where CLDR shows readers elsewhere only the code.
_SHOP_SIGNS = {"CNY": "¥", "SGD": "S$", "MYR": "RM", "CHF": "CHF ", "IDR": "Rp ", "THB": "฿"}
_ALSO_WRITTEN = {
    "CNY": ("RMB", "元", "块", "块钱", "人民币", "￥", "¥"),
    "JPY": ("円", "日元", "¥"),
    "TWD": ("NT$", "NT", "元", "新台币"),
    "HKD": ("HK$", "元", "港币", "港元"),
    "SGD": ("S$", "新币", "新元", "新加坡元"),
    "USD": ("US$", "美元", "美金"),
    "EUR": ("欧元",),
    "GBP": ("英镑",),
    "AUD": ("A$", "AU$"),
    "CAD": ("C$", "CA$"),
    "NZD": ("NZ$",),
    "CHF": ("FR.", "FR", "SFR."),
    "SEK": ("KR", "KR."),
    "NOK": ("KR", "KR."),
    "DKK": ("KR", "KR."),
    "PLN": ("ZŁ",),
}
LONGEST_AMOUNT = 100  # written; the pattern below would take hours over a page of text
_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_AMOUNT = re.compile(r"([^\d.,+\-−()]*)([+\-−(]?)([^\d.,+\-−()]*)(\d[\d.,' ]*|[.,]\d+)([^\d]*)")


class NotAnAmount(ValueError):
    """The text is no amount of money in this currency; the message says why."""


@cache
def known_currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def digits(currency: str) -> int:
    """How many decimals the currency has: 2 for SGD, 0 for JPY, 3 for KWD."""
    return get_currency_precision(currency)


@cache
def _signs(currency: str) -> frozenset[str]:
    symbols = {get_currency_symbol(currency, locale) for locale in ("en", "zh", "zh_Hant")}
    symbols |= {currency, _SHOP_SIGNS.get(currency, currency), *_ALSO_WRITTEN.get(currency, ())}
    symbols |= {symbol[-1] for symbol in symbols if unicodedata.category(symbol[-1]) == "Sc"}
    return frozenset(unicodedata.normalize("NFKC", symbol).strip().upper() for symbol in symbols)


@lru_cache(maxsize=8192)
def to_minor(amount: Decimal, currency: str) -> int:
    """Whole smallest units, halves to the even one: Decimal("18.005") SGD gives 1800."""
    return int(amount.scaleb(digits(currency)).to_integral_value(ROUND_HALF_EVEN))


def to_major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-digits(currency))


@lru_cache(maxsize=8192)
def parse_amount(text: str, currency: str) -> Decimal:
    """The number in what a person or a shop system wrote: "1,234.50", "1.234,50", "¥128", "12 SGD", "(5.00)".

    A lone point is always the decimal point. A lone comma before exactly three digits separates thousands, else it is
    the decimal comma. Raises NotAnAmount, also for an amount in another currency.
    """
    if len(text) > LONGEST_AMOUNT:
        raise NotAnAmount("it is not an amount")
    if _PLAIN.fullmatch(text) and text.isascii():
        return Decimal(text)
    cleaned = unicodedata.normalize("NFKC", text).replace("’", "'").strip()
    if not cleaned:
        raise NotAnAmount("it is empty")
    found = _AMOUNT.fullmatch(cleaned)
    if found is None:
        raise NotAnAmount("it is not an amount")
    before, sign, between, number, after = found.groups()
    tail = after.strip()
    negative = sign in ("-", "−", "(") or tail in ("-", "−")
    if sign == "(":
        if not tail.endswith(")"):
            raise NotAnAmount("it is not an amount")
        tail = tail[:-1]
    for affix in (before, between, "" if tail in ("-", "−") else tail):
        _check_sign(affix.strip().upper(), currency)
    value = Decimal(_with_point(number))
    return -value if negative else value


def _check_sign(sign: str, currency: str) -> None:
    if not sign or sign in _signs(currency):
        return
    # "S$ 12 SGD" repeats itself; anything else beside the number means that it is not ours to guess.
    if sign in known_currencies() or any(unicodedata.category(letter) == "Sc" for letter in sign):
        raise NotAnAmount(f"it is in {sign}, not in {currency}")
    raise NotAnAmount("it is not an amount")


def _with_point(number: str) -> str:
    number = number.replace(" ", "").replace("'", "")
    point, comma = number.rfind("."), number.rfind(",")
    if point >= 0 and comma >= 0:
        decimal, thousands = (".", ",") if point > comma else (",", ".")
    elif comma >= 0:
        grouped = re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+", number)
        decimal, thousands = ("", ",") if grouped else (",", "")
    else:
        decimal, thousands = ("", ".") if number.count(".") > 1 else (".", "")
    whole, _, fraction = number.partition(decimal) if decimal else (number, "", "")
    if thousands and thousands in whole and not re.fullmatch(rf"\d{{1,3}}(\{thousands}\d{{2,3}})*", whole):
        raise NotAnAmount("its separators do not fit together")
    joined = whole.replace(thousands, "") if thousands else whole
    if not re.fullmatch(r"\d*", joined) or not re.fullmatch(r"\d*", fraction):
        raise NotAnAmount("its separators do not fit together")
    return f"{joined or '0'}.{fraction or '0'}"


def parse(text: str, currency: str) -> int:
    """As ``parse_amount``, in the currency's smallest unit: "18.00" SGD gives 1800."""
    return to_minor(parse_amount(text, currency), currency)


def show(minor: int, currency: str, language: str) -> str:
    """The amount as a shop writes it in that language: "S$18.00", in Chinese "¥128.00"; digits stay ASCII."""
    shown = format_currency(to_major(minor, currency), currency, locale=_LOCALES.get(language, "en"))
    sign = _SHOP_SIGNS.get(currency)
    if sign is not None:
        symbol = get_currency_symbol(currency, _LOCALES.get(language, "en"))
        return shown.replace(symbol, sign).replace("\xa0", "")
    return re.sub(rf"{currency}\s?(?=\d)", f"{currency} ", shown)
