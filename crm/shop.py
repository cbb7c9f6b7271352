"""The shop's own facts, from shop.toml: what it is called, where it ships, how it is paid."""

import difflib
import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from crm import money, places
from crm.errors import ConfigError
from crm.phones import normal_email
from crm.toml_lines import line_of, lines_of_fields

Language = Literal["en", "zh"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{2,}")
_AROUND = " \t\n-–—|/·,，;；:：()（）"
_ABROAD = re.compile(
    r"\b(?:overseas|abroad|international(?:ly)?|worldwide|other countries)\b|海外|国外|境外|其他国家|全球"
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("shop", "{reason}", {"reason": message})


def halves(text: str) -> tuple[str | None, str | None]:
    """The English and the Chinese part of a text that says the same in both, one after the other; else (None, None).

    "Unopened tea 未拆封的茶叶" can be split; "支持 PayPal 和 Visa" cannot.
    """
    han = [match.start() for match in _HAN.finditer(text)]
    if not han:
        return None, None
    for latin, chinese in ((text[: han[0]], text[han[0] :]), (text[han[-1] + 1 :], text[: han[-1] + 1])):
        if _WORD.search(latin) and not _WORD.search(chinese):
            return latin.strip(_AROUND), chinese.strip(_AROUND)
    return None, None


class Text(_Section):
    """A text for customers, in one language or in both."""

    en: str | None = Field(default=None, min_length=1)
    zh: str | None = Field(default=None, min_length=1)
    whole: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, str):
            if not value.strip():
                raise _wrong("must not be empty")
            english, chinese = halves(value)
            return {"en": english, "zh": chinese, "whole": value.strip()}
        if isinstance(value, dict):
            if not value or "whole" in value:
                raise _wrong('expects a text or a table {en = "…", zh = "…"}')
            return value
        raise _wrong('expects a text or a table {en = "…", zh = "…"}')

    def in_language(self, language: str) -> str:
        """The part in that language; where the text cannot be split, or has only the other one, what there is."""
        wanted, other = (self.zh, self.en) if language == "zh" else (self.en, self.zh)
        return wanted or self.whole or other or ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The text in each language it has, or as a whole."""
        return tuple(part for part in (self.en, self.zh) if part) or (self.whole,)

    def __str__(self) -> str:
        return self.whole or " ".join(self.parts)


def _read_money(value: Any, info: ValidationInfo) -> int:
    currency = (info.context or {}).get("currency", "USD")
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise _wrong("expects an amount such as 5.00")
    try:
        amount = money.parse_amount(value, currency) if isinstance(value, str) else Decimal(value)
        whole = amount.scaleb(money.digits(currency))
        if not amount.is_finite() or amount < 0 or whole != whole.to_integral_value():
            raise _wrong(f"expects an amount of 0 or more with at most {money.digits(currency)} decimals ({currency})")
    except (money.NotAnAmount, InvalidOperation) as error:
        raise _wrong(f"expects an amount such as 5.00, but {error}") from None
    return int(whole)


def _read_days(value: Any) -> tuple[int, int]:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"(\d{1,3})(?:\s*[-–—~～至]\s*(\d{1,3}))?", text)
    if not found:
        raise _wrong('expects days such as "5-8" or 3')
    first, last = int(found[1]), int(found[2] or found[1])
    if first > last:
        raise _wrong(f'expects the shorter time first: "{last}-{first}"')
    return first, last


def _check_country(code: str) -> str:
    if code in places.country_codes():
        return code
    meant = places.country_named(code)
    hint = f"; did you mean {meant}?" if meant else ""
    raise _wrong(f"expects two-letter ISO country codes such as SG, not {code!r}{hint}")


def _check_currency(code: str) -> str:
    if code in money.known_currencies():
        return code
    raise _wrong(f"expects an ISO 4217 currency code such as SGD, not {code!r}{_did_you_mean(code.upper(), ())}")


def _check_zone(name: str) -> str:
    if name in available_timezones():
        return name
    raise _wrong(
        f"expects a time zone such as Asia/Singapore, not {name!r}{_did_you_mean(name, available_timezones())}"
    )


def _check_email(address: str) -> str:
    if normal_email(address) is None:
        raise _wrong(f"expects an e-mail address, not {address!r}")
    return address.strip()


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


Money = Annotated[int, BeforeValidator(_read_money)]
DayOfWeek = Annotated[Weekday, BeforeValidator(lambda day: day.lower() if isinstance(day, str) else day)]
Days = Annotated[tuple[int, int], BeforeValidator(_read_days)]
Country = Annotated[str, AfterValidator(_check_country)]


class Region(_Section):
    """Where parcels cost and take the same. No ``countries`` means everywhere else."""

    name: Text
    countries: tuple[Country, ...] = ()
    days: Days
    cost_minor: Money = Field(alias="cost")


class Destination(_Section):
    """What a customer named as the place to ship to. ``region`` None: the shop does not ship there."""

    region: Region | None
    country: str | None = None

    def name_in(self, language: str) -> str:
        if self.country is not None:
            return places.country_name(self.country, language)
        return self.region.name.in_language(language) if self.region else ""


class Shipping(_Section):
    handling_days: int = Field(default=1, ge=0)
    free_over_minor: Money | None = Field(default=None, alias="free_over")
    regions: tuple[Region, ...] = ()

    @model_validator(mode="after")
    def _no_country_twice(self) -> Self:
        seen: set[str] = set()
        for region in self.regions:
            key = set(region.countries) or {"everywhere else (an empty countries list)"}
            if seen & key:
                raise _wrong(f"names {', '.join(sorted(seen & key))} in two regions")
            seen |= key
        return self

    def _covering(self, country: str) -> Region | None:
        everywhere_else = next((region for region in self.regions if not region.countries), None)
        return next((region for region in self.regions if country in region.countries), everywhere_else)

    def region_for(self, name: str) -> Region | None:
        """The region of a country (code or name, in either language) or of that name; None if not shipped to."""
        country = places.country_named(name)
        if country is not None:
            return self._covering(country)
        wanted = places.plain(name).strip()
        named = (region for region in self.regions for part in region.name.parts if places.plain(part) == wanted)
        return next(named, None)

    def mentioned_in(self, sentence: str) -> Destination | None:
        """The place that a sentence asks about ("寄新加坡要几天"), or None if it names none."""
        found = places.places_in(sentence)
        for place in found:
            if len(place.countries) == 1:
                country = place.countries[0]
                named = self._region_named_in(sentence) if len(found) > 1 else None
                return Destination(region=named) if named else self._to(country)
        named = self._region_named_in(sentence)
        if named is not None:
            return Destination(region=named)
        for place in found:
            covering = {id(region): region for region in map(self._covering, place.countries)}
            if len(covering) == 1:
                return Destination(region=next(iter(covering.values())))
        if _ABROAD.search(places.plain(sentence)):
            abroad = next((region for region in self.regions if not region.countries), None)
            return Destination(region=abroad) if abroad else None
        return None

    def _to(self, country: str) -> Destination:
        return Destination(region=self._covering(country), country=country)

    def _region_named_in(self, sentence: str) -> Region | None:
        said = places.plain(sentence)
        for region in self.regions:
            for part in region.name.parts:
                name = re.escape(places.plain(part))
                if region.countries:
                    name = name.removesuffix("地区")
                if re.search(rf"(?<![a-z]){name}(?![a-z])", said):
                    return region
        return None


class Returns(_Section):
    days: int | None = Field(default=None, ge=0)
    conditions: Text | None = None


class Payment(_Section):
    methods: tuple[Text, ...] = ()


class Digest(_Section):
    weekday: DayOfWeek = "monday"
    hour: int = Field(default=8, ge=0, le=23)
    language: Language | None = None


class Privacy(_Section):
    retention_days: int = Field(default=730, ge=1)
    sharing_epsilon_per_year: float = Field(default=10.0, gt=0, le=100)


class Shop(_Section):
    """All of shop.toml. Money is in the smallest unit of ``currency``."""

    name: Text = Text(en="Our shop", zh="本店")
    languages: tuple[Language, ...] = Field(default=("en", "zh"), min_length=1)
    default_language: Language = "en"
    timezone: Annotated[str, AfterValidator(_check_zone)] = "UTC"
    currency: Annotated[str, AfterValidator(_check_currency)] = "USD"
    opening_hours: Text | None = None
    contact_email: Annotated[str, AfterValidator(_check_email)] | None = None
    shipping: Shipping = Shipping()
    returns: Returns = Returns()
    payment: Payment = Payment()
    digest: Digest = Digest()
    privacy: Privacy = Privacy()

    @model_validator(mode="before")
    @classmethod
    def _speak_first_language(cls, value: Any) -> Any:
        if isinstance(value, dict) and "default_language" not in value:
            languages = value.get("languages")
            if isinstance(languages, list) and languages:
                return {**value, "default_language": languages[0]}
        return value

    @model_validator(mode="after")
    def _speak_default_language(self) -> Self:
        if self.default_language not in self.languages:
            raise _wrong(f"expects one of languages, not {self.default_language!r}")
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def digest_language(self) -> Language:
        return self.digest.language or self.default_language


def load_shop(path: Path) -> Shop:
    """Reads shop.toml. Raises ConfigError with every mistake in it: file, line, field and what is expected there."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; DESK_SHOP names the shop's own shop.toml.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_error(path.name, str(error))) from None
    currency = raw.get("currency")
    known = currency if isinstance(currency, str) and currency in money.known_currencies() else "USD"
    try:
        return Shop.model_validate(raw, context={"currency": known})
    except ValidationError as error:
        lines = lines_of_fields(text)
        details = sorted(error.errors(), key=lambda detail: line_of(lines, tuple(detail["loc"])) or 0)
        found = {_sentence(path.name, detail, lines): None for detail in details}
        raise ConfigError("\n".join(found)) from None


def _syntax_error(file: str, message: str) -> str:
    place = re.search(r" ?\(at line (\d+), column \d+\)", message)
    where = f"{file} line {place[1]}" if place else f"{file}, last line"
    reason = message[: place.start()] if place else message.removesuffix(" (at end of document)")
    return f"{where}: this is not valid TOML: {reason[:1].lower()}{reason[1:]}"


def _sentence(file: str, error: ErrorDetails, lines: dict[tuple[str | int, ...], int]) -> str:
    place = tuple(error["loc"])
    if not place and error["type"] == "shop":
        place = ("default_language",) if ("default_language",) in lines else ("languages",)
    line = line_of(lines, place)
    where = f"{file} line {line}" if line else file
    *parents, name = place or ("",)
    shown = str(name)
    if isinstance(name, int):
        shown = f"{parents.pop()} item {name + 1}"
    section = ".".join(str(part) if isinstance(part, str) else f"{part + 1}" for part in parents)
    prefix = f"[{section}] " if section else ""
    if error["type"] == "extra_forbidden":
        hint = _did_you_mean(str(name), _fields_of(parents))
        return f"{where}: {prefix}{shown} is not a known field{hint}"
    if error["type"] == "missing":
        return f"{where}: {prefix}{shown} is missing"
    return f"{where}: {prefix}{shown} {_expectation(error)}"


def _fields_of(parents: list[str | int]) -> list[str]:
    """The names that shop.toml may use in the table at ``parents``."""
    sections: dict[str, type[_Section]] = {
        "shipping": Shipping, "returns": Returns, "payment": Payment, "digest": Digest, "privacy": Privacy,
        "regions": Region,
    }  # fmt: skip
    named = [part for part in parents if isinstance(part, str)]
    if named and named[-1] not in sections:
        return ["en", "zh"]
    section = sections[named[-1]] if named else Shop
    return [field.alias or name for name, field in section.model_fields.items()]


def _expectation(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    given = error["input"]
    match error["type"]:
        case "shop":
            return str(context["reason"])
        case "literal_error":
            return f"expects {context['expected']}, not {given!r}{_did_you_mean(str(given), _quoted(context))}"
        case "greater_than_equal":
            return f"expects {context['ge']} or more, not {given}"
        case "less_than_equal":
            return f"expects {context['le']} or less, not {given}"
        case "too_short" | "string_too_short":
            return "must not be empty"
    kinds = {"int": "a whole number", "string": "a text in quotes", "tuple": "a list", "model": "a table"}
    kind = next((word for key, word in kinds.items() if error["type"].startswith(key)), None)
    return f"expects {kind}, not {given!r}" if kind else error["msg"]


def _quoted(context: dict[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", str(context.get("expected", "")))
