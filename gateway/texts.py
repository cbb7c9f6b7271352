"""What may be in a text or a link that comes from outside."""

import re
import unicodedata
from urllib.parse import urlsplit

# Everything below space except tab and newline, DEL and the C1 block, halves of surrogate pairs, non-characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
_LETTER = re.compile(r"[^\W\d_]")
_INVISIBLE_KINDS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
_FILLERS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")


def clean(text: str) -> str:
    """The text without control characters; half a surrogate pair becomes U+FFFD, line ends become newlines."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNFIT.sub(lambda found: "\ufffd" if found.group() >= "\ud800" else "", text)


def is_blank(text: str) -> bool:
    """Whether nobody could see anything in it."""
    return all(
        unicodedata.category(sign) in _INVISIBLE_KINDS or sign in _FILLERS or "\ufe00" <= sign <= "\ufe0f"
        for sign in text
    )


def has_han(text: str) -> bool:
    return _HAN.search(text) is not None


def language_of(text: str, otherwise: str) -> str:
    """zh or en by the writing alone, for texts that the bot never saw."""
    if has_han(text):
        return "zh"
    return "en" if _LETTER.search(text) else otherwise


def supported_language(tag: str | None, otherwise: str) -> str:
    """zh or en for a language tag such as zh-Hans-CN."""
    start = (tag or "").strip().lower()[:2]
    return start if start in ("zh", "en") else otherwise


def safe_link(url: object) -> str | None:
    """The link if it is http(s) or relative to this site, else None."""
    if not isinstance(url, str) or not url or len(url) > 2_000 or "\\" in url or any(sign <= " " for sign in url):
        return None
    if url.startswith("/"):
        return None if url.startswith("//") else clean(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return clean(url) if parts.scheme in ("http", "https") and parts.hostname else None
