"""From one page to HTML with inline pictures, plain text, and a short text for a chat."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from analytics.digest.page import Page

LONGEST_SHORT_TEXT = 1_000  # a caption under a picture on Telegram holds 1,024


@dataclass(frozen=True)
class Rendered:
    """``html`` names its pictures ``cid:NAME``."""

    subject: str
    html: str
    text: str
    short_text: str


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def render(page: Page) -> Rendered:
    return Rendered(
        subject=page.subject,
        html=_filled("digest.html.j2", page, lambda name: f"cid:{name}"),
        text=_filled("digest.txt.j2", page),
        short_text=_shortened(_filled("short.txt.j2", page)),
    )


def with_pictures_at(html: str, address: Callable[[str], str], names: list[str]) -> str:
    """The HTML with its pictures taken from elsewhere: a file beside it, or a page of the archive."""
    for name in names:
        html = html.replace(f'src="cid:{name}"', f'src="{address(name)}"')
    return html


def _filled(template: str, page: Page, picture: Callable[[str], str] | None = None) -> str:
    return _templates().get_template(template).render(page=page, picture=picture).strip() + "\n"


def _shortened(text: str) -> str:
    """Whole lines only; the last one, which links to all of it, always stays."""
    lines = text.strip().splitlines()
    last = lines.pop()
    while lines and len("\n".join([*lines, last])) > LONGEST_SHORT_TEXT:
        lines.pop()
    return "\n".join([*lines, last])
