"""What is said about a quote, in its own language or the owner's."""

from datetime import datetime
from functools import cache
from pathlib import Path

from babel.dates import format_date

from crm import money, quotes
from crm.models import Quote
from crm.shop import Shop
from gateway.wording import Wording

_LOCALES = {"en": "en", "zh": "zh_Hans_CN"}


@cache
def wording() -> Wording:
    return Wording.load(Path(__file__).with_name("wording.toml"))


def day(moment: datetime, shop: Shop, language: str) -> str:
    return format_date(moment.astimezone(shop.zone), "long", locale=_LOCALES.get(language, "en"))


def total(quote: Quote, language: str) -> str:
    return money.show(quotes.total_minor(quote), quote.currency, language)


def sent(quote: Quote, shop: Shop, *, base_url: str, secret: str) -> str:
    """The line in the chat that brings the link."""
    link = f"{base_url}/quotes/{quotes.token_of(quote.public_id, secret=secret)}"
    until = day(quote.valid_until, shop, quote.language)
    return wording().say("chat_sent", quote.language, total=total(quote, quote.language), day=until, link=link)


def answered(quote: Quote) -> str:
    """The line in the chat that confirms the customer's answer."""
    return wording().say(_name("chat", quote), quote.language, total=total(quote, quote.language))


def note(quote: Quote, who: str, language: str) -> str:
    """What the owner's phone shows."""
    return wording().say(_name("note", quote), language, who=who, total=total(quote, language))


def _name(prefix: str, quote: Quote) -> str:
    return f"{prefix}_{'accepted' if quote.accepted_at is not None else 'declined'}"
