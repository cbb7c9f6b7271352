"""The digest's words, from wording/en.toml and wording/zh.toml, and how each language writes numbers and days."""

import tomllib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_interval
from babel.numbers import format_decimal, format_percent

from crm import money
from crm.shop import Shop

FOLDER = Path(__file__).with_name("wording")
_LOCALES = {"en": Locale("en"), "zh": Locale("zh", "CN", script="Hans")}


@cache
def catalogue(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


class Words:
    """Sentences and numbers in one language, for one shop."""

    def __init__(self, language: str, shop: Shop) -> None:
        self.language = language
        self._shop = shop
        self._locale = _LOCALES[language]
        self._sentences = catalogue(language)

    def say(self, key: str, /, **values: Any) -> str:
        """The sentence under a dotted key; with ``n`` among the values its plural form. Raises KeyError if missing."""
        found: Any = self._sentences
        for part in key.split("."):
            found = found[part]
        if isinstance(found, dict):
            form = self._locale.plural_form(values["n"])
            found = found.get(form, found["other"])
        return str(found).format(**values)

    def has(self, key: str) -> bool:
        found: Any = self._sentences
        for part in key.split("."):
            if not isinstance(found, dict) or part not in found:
                return False
            found = found[part]
        return True

    def money(self, minor: float) -> str:
        """In the shop's currency; whole amounts of a thousand or more without decimals."""
        shown = money.show(round(minor), self._shop.currency, self.language)
        whole = abs(minor) >= 1000 * 10 ** money.digits(self._shop.currency)
        return shown.rpartition(".")[0] if whole and "." in shown else shown

    def number(self, value: float, digits: int = 0) -> str:
        return format_decimal(value, format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=self._locale)

    def percent(self, fraction: float) -> str:
        return format_percent(fraction, format="#,##0%", locale=self._locale)

    def change(self, fraction: float) -> str:
        """With its sign: "+12 %" is written as the language does."""
        return format_percent(fraction, format="+#,##0%;-#,##0%", locale=self._locale)

    def day(self, day: date) -> str:
        return format_date(day, "medium", locale=self._locale)

    def days(self, first: date, last: date) -> str:
        """ "Nov 16 – 22, 2026" or "2026年11月16日至22日"."""
        return str(format_interval(first, last, "yMMMd", locale=self._locale)).replace("\u2009", " ")

    def moment(self, moment: datetime) -> str:
        local = moment.astimezone(self._shop.zone)
        return format_datetime(local, "medium", locale=self._locale, tzinfo=self._shop.zone)

    def duration(self, minutes: float) -> str:
        """Minutes below two hours, hours below two days, days above."""
        if minutes < 120:
            return self.say("duration.minutes", n=max(1, round(minutes)))
        if minutes < 48 * 60:
            return self.say("duration.hours", n=round(minutes / 60))
        return self.say("duration.days", n=round(minutes / (24 * 60)))
