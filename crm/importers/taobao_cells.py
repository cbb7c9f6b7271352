"""Cells as Taobao writes them: numbers kept from spreadsheets by ="…", masked names, words for zero."""

import re
import unicodedata
from functools import lru_cache

from crm.importers import values
from crm.importers.report import BadValue

CURRENCY = "CNY"
_FORMULA = re.compile(r'="?([^"]*)"?')
_ROUNDED = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)
_NOTHING = frozenset(("", "-", "--", "无", "无退款", "无退款申请", "没有退款", "null", "NULL"))
_ELSEWHERE = {"香港": "HK", "澳门": "MO", "台湾": "TW"}


def plain(cell: str) -> str:
    """The text without what keeps a spreadsheet from changing it: ``="123"``, ``'123`` and ``１２３`` give ``123``."""
    if not cell or (cell.isascii() and cell[0] not in "='" and cell.strip() == cell):
        return cell  # most cells are plain already
    text = (cell if cell.isascii() else unicodedata.normalize("NFKC", cell)).strip()
    formula = _FORMULA.fullmatch(text) if text.startswith("=") else None
    return values.unquoted((formula[1] if formula else text).strip()).strip()


def number(column: str, cell: str) -> str:
    """An order's number. Raises BadValue for one that a spreadsheet has rounded."""
    text = plain(cell)
    if not text:
        raise BadValue(column, cell, "it is empty")
    if _ROUNDED.fullmatch(text):
        raise BadValue(
            column, cell, "a spreadsheet has rounded the number; export the file again and do not save it in Excel"
        )
    return text


def amount(column: str, cell: str, *, empty: int | None = None) -> int:
    """An amount in fen; words such as 无退款申请 are nothing. Raises BadValue."""
    text = plain(cell)
    return values.minor(column, "" if text in _NOTHING else text, CURRENCY, empty=empty)


def word(cell: str) -> str | None:
    text = plain(cell)
    return None if text in _NOTHING else text


def title(cell: str) -> str:
    """A text as it stands, its full-width signs included."""
    formula = _FORMULA.fullmatch(cell.strip())
    return (formula[1] if formula else cell).strip()


def unmasked(cell: str) -> str | None:
    """The text, or None where Taobao hides part of it behind stars: it would name many people at once."""
    text = word(cell)
    return None if text is None or "*" in text or "＊" in text else text


def phone(*cells: str) -> str | None:
    """The first number that is not masked, without the extension of a privacy number ("13800001111-1234")."""
    for cell in cells:
        text = unmasked(cell)
        if text and (found := values.phone(re.sub(r"[-转]\d{3,5}$", "", text), "CN")):
            return found
    return None


@lru_cache(maxsize=8192)
def place(address: str) -> tuple[str | None, str | None]:
    """Country and city of "浙江省 杭州市 余杭区 …"; both None where the address tells nothing."""
    parts = (word(address) or "").split()
    if not parts:
        return None, None
    country = next((code for name, code in _ELSEWHERE.items() if parts[0].startswith(name)), "CN")
    if parts[0].startswith("海外"):
        return None, None
    city = parts[1] if len(parts) > 1 else None
    if parts[0].removesuffix("市") in ("北京", "上海", "天津", "重庆"):
        city = parts[0]
    return country, city if city is None or "*" not in city else None
