"""Putting pages together: templates, the owner's language, the shop's time, and headers that keep browsers strict."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crm import money
from crm.preferences import Preferences
from crm.types import now
from gateway.console.access import SignedIn
from gateway.parts import Parts

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-src 'self'; "
    "frame-ancestors 'none'"
)
LANGUAGE_COOKIE, THEME_COOKIE = "desk_language", "desk_theme"
THEMES = ("light", "dark")
_OWN_PATH = re.compile(r"/owner(?:/[\w.~%-]+)*/?(?:\?[\w.~%&=+:;,@!*'()/-]*)?", re.ASCII)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = _asset
    return environment


@cache
def _asset(name: str) -> str:
    """A static file's address with its fingerprint, so that browsers may keep it for long."""
    content = (FOLDER / "static" / name).read_bytes()
    return f"/owner/static/{name}?{hashlib.sha256(content).hexdigest()[:10]}"


@cache
def wording(language: str) -> dict[str, str]:
    """All sentences of the console in one language, by dotted name."""
    raw = tomllib.loads((FOLDER / "wording" / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(_flat(raw))


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            found.extend(_flat(value, f"{prefix}{name}."))
        else:
            found.append((prefix + name, str(value)))
    return found


@dataclass(frozen=True)
class Speaker:
    """Says things in one language and in the shop's time zone."""

    language: str
    zone: ZoneInfo
    currency: str

    def t(self, name: str, /, **values: object) -> str:
        """A sentence of the catalogue. Raises KeyError."""
        return wording(self.language)[name].format(**values)

    def has(self, name: str) -> bool:
        return name in wording(self.language)

    def kind(self, group: str, value: object) -> str:
        """The name of a state or kind; one that has no name yet is shown as it is."""
        name = f"{group}.{value}"
        return self.t(name) if self.has(name) else str(value).replace("_", " ")

    def clock(self, moment: datetime) -> str:
        return format_time(moment.astimezone(self.zone), "HH:mm", locale=LOCALES[self.language])

    def day(self, moment: datetime) -> str:
        """Today, yesterday, or the date."""
        local, today = moment.astimezone(self.zone).date(), now().astimezone(self.zone).date()
        if local == today:
            return self.t("time.today")
        if local == today - timedelta(days=1):
            return self.t("time.yesterday")
        same_year = local.year == today.year
        pattern = {
            ("en", True): "d MMM",
            ("en", False): "d MMM y",
            ("zh", True): "M月d日",
            ("zh", False): "y年M月d日",
        }[(self.language, same_year)]
        return format_date(local, pattern, locale=LOCALES[self.language])

    def when(self, moment: datetime) -> str:
        """The time on the same day, else the day."""
        today = now().astimezone(self.zone).date()
        return self.clock(moment) if moment.astimezone(self.zone).date() == today else self.day(moment)

    def moment(self, moment: datetime) -> str:
        return f"{self.day(moment)} {self.clock(moment)}"

    def ago(self, moment: datetime) -> str:
        """How long ago, in its largest unit."""
        minutes = max(0, int((now() - moment).total_seconds() // 60))
        if minutes < 1:
            return self.t("time.now")
        if minutes < 60:
            return self.t("time.minutes", n=minutes)
        if minutes < 48 * 60:
            return self.t("time.hours", n=minutes // 60)
        return self.t("time.days", n=minutes // (24 * 60))

    def money(self, minor: int, currency: str | None = None) -> str:
        return money.show(minor, currency or self.currency, self.language)


def language_of(request: Request, wanted: Preferences | None, fallback: str) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    if wanted is not None and wanted.language in LANGUAGES:
        return str(wanted.language)
    spoken = request.headers.get("Accept-Language", "").strip().lower()[:2]
    return spoken if spoken in LANGUAGES else fallback


def speaker(request: Request, parts: Parts) -> Speaker:
    language = language_of(request, None, parts.shop.digest_language)
    return Speaker(language=language, zone=parts.shop.zone, currency=parts.shop.currency)


def page(
    request: Request,
    parts: Parts,
    template: str,
    who: SignedIn | None = None,
    *,
    status: int = 200,
    **values: Any,
) -> Response:
    """An HTML page in the owner's language."""
    say = speaker(request, parts)
    theme = request.cookies.get(THEME_COOKIE)
    text = (
        _environment()
        .get_template(template)
        .render(
            say=say,
            t=say.t,
            who=who,
            csrf=who.csrf if who is not None else "",
            theme=theme if theme in THEMES else "",
            shop_name=parts.shop.name.in_language(say.language),
            path=request.url.path,
            here=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
            **values,
        )
    )
    return HTMLResponse(text, status_code=status, headers=headers())


def headers() -> dict[str, str]:
    return {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def go(path: str) -> Response:
    """After a form: the page to look at next."""
    return RedirectResponse(path, status_code=303, headers=headers())


def safe_path(path: str | None, otherwise: str = "/owner") -> str:
    """A path of the console's own; anything else would let a link lead away from the desk."""
    return path if path is not None and _OWN_PATH.fullmatch(path) and ".." not in path else otherwise


def plain_svg(svg: str) -> Markup:
    """A picture that plots.py drew: its texts are escaped there."""
    return Markup(svg)  # noqa: S704 - our own drawing
