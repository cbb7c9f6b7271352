"""Quotes: who asked for one, writing it, and what became of it."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import briefing, money, products, quotes
from crm.models import Conversation, Product, Quote, Ticket, TicketKind
from crm.quotes import LARGEST_QUANTITY, LONGEST_TITLE, MOST_LINES, QuoteLine, Told
from crm.shop import Shop
from crm.types import now
from gateway.console import pages
from gateway.console.access import LARGEST_ID, FormOf, Id, SignedIn, SignedInOf
from gateway.errors import Refused
from gateway.parts import Parts
from gateway.quotes import saying
from gateway.web import PartsOf

router = APIRouter(include_in_schema=False)
LIST = "/owner/quotes"
ROWS, VALID_DAYS, LONGEST_VALID_DAYS = 4, 14, 365
LARGEST_MINOR = 10**12
_NAME = re.compile(r"[A-Za-z0-9_-]{32}")
Number = Annotated[int, Query(ge=0, le=LARGEST_ID)]


@dataclass(frozen=True)
class Row:
    """A line of the form as it was typed; ``total`` once it could be read."""

    title: str = ""
    quantity: str = ""
    price: str = ""
    total: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.title or self.quantity or self.price)


class _Setting(NamedTuple):
    conversation: Conversation
    name: str | None
    ticket: Ticket | None
    product: Product | None
    prices: Mapping[str, int]


class _Lists(NamedTuple):
    requests: Sequence[Ticket]
    sent: Sequence[Quote]


@router.get(LIST)
async def quotes_page(request: Request, parts: PartsOf, who: SignedInOf) -> Response:
    found = await parts.store.read(lambda session: _Lists(quotes.requests(session), quotes.recent(session)))
    shown = [(quote, quotes.state(quote, now=now()), quotes.total_minor(quote)) for quote in found.sent]
    shown.sort(key=lambda one: not (one[1] == "accepted" and one[0].seen_to_at is None))
    return pages.page(request, parts, "quotes.html", who, requests=found.requests, quotes=shown)


@router.get("/owner/quotes/new")
async def new_quote(
    request: Request, parts: PartsOf, who: SignedInOf, conversation: Number, ticket: Number = 0
) -> Response:
    """An empty quote, or one that begins with what was asked for."""
    setting = await _setting(parts, conversation, ticket)
    rows = [Row()] * ROWS
    if setting.ticket is not None:
        asked, language = setting.ticket, setting.conversation.language
        title = products.title_in(setting.product, language) if setting.product is not None else asked.text
        rows[0] = Row(title[:LONGEST_TITLE], str(asked.quantity or ""))
    until = now().astimezone(parts.shop.zone).date() + timedelta(days=VALID_DAYS)
    return _form(request, parts, who, setting, rows, until=until.isoformat(), note="", key=secrets.token_urlsafe(24))


@router.post("/owner/quotes")
async def write_quote(request: Request, parts: PartsOf, who: SignedInOf, form: FormOf) -> Response:
    """Reckons it up on ``check``, puts its link into the conversation on ``send``."""
    setting = await _setting(parts, _id_in(form, "conversation"), _id_in(form, "ticket"))
    key, until, note = form.get("key", ""), form.get("until", ""), form.get("note", "")
    if not _NAME.fullmatch(key):
        raise Refused(422, "invalid", "The form is not complete.")
    rows, lines = _rows(form, setting.prices, parts.shop, setting.conversation.language)
    valid_until = _end_of(until, parts.shop)
    complete = bool(lines) and len(lines) == sum(not row.is_empty for row in rows) and valid_until is not None
    if form.get("do") != "send" or not complete or valid_until is None:
        problem = "" if complete or form.get("do") != "send" else "incomplete"
        rows += [Row()] * min(2, MOST_LINES - len(rows))
        return _form(request, parts, who, setting, rows, until=until, note=note, key=key, problem=problem, lines=lines)

    def work(session: Session) -> Told | None:
        return quotes.send(
            session,
            session.get_one(Conversation, setting.conversation.id),
            public_id=key,
            lines=lines,
            currency=parts.shop.currency,
            note=note,
            valid_until=valid_until,
            ticket=session.get(Ticket, setting.ticket.id) if setting.ticket is not None else None,
            telling=lambda quote: saying.sent(
                quote, parts.shop, base_url=parts.settings.base_url, secret=parts.settings.require("secret_key")
            ),
            now=now(),
        )

    told = await parts.store.write(work)
    if told is not None:
        parts.owner_side.tell(told.public_id, told.message, owner=False)
    return pages.go(f"/owner/conversations/{setting.conversation.id}")


@router.post("/owner/quotes/{number}")
async def settle(parts: PartsOf, _who: SignedInOf, form: FormOf, number: Id) -> Response:
    do = {"withdraw": quotes.withdraw, "done": quotes.see_to}.get(form.get("do", ""))
    if do is None:
        raise Refused(422, "invalid", "A quote is withdrawn or done.")
    await parts.store.write(lambda session: do(session, number, now=now()))
    return pages.go(LIST)


def _id_in(form: Mapping[str, str], name: str) -> int:
    text = form.get(name, "") or "0"
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > LARGEST_ID:
        raise Refused(422, "invalid", "The form is not complete.")
    return int(text)


async def _setting(parts: Parts, conversation_id: int, ticket_id: int) -> _Setting:
    """Raises Refused."""

    def read(session: Session) -> _Setting:
        conversation = session.get(Conversation, conversation_id)
        ticket = session.get(Ticket, ticket_id) if ticket_id else None
        foreign = ticket is not None and (
            ticket.kind is not TicketKind.QUOTE or ticket.conversation_id != conversation_id
        )
        if conversation is None or foreign:
            raise Refused(404, "not_found", "There is no such conversation.")
        product = session.get(Product, ticket.product_id) if ticket is not None and ticket.product_id else None
        prices = quotes.catalogue_prices(session, conversation.language, parts.shop.currency)
        return _Setting(conversation, briefing.name_of(session, conversation), ticket, product, prices)

    return await parts.store.read(read)


def _rows(
    form: Mapping[str, str], prices: Mapping[str, int], shop: Shop, language: str
) -> tuple[list[Row], list[QuoteLine]]:
    """What was typed, and the lines of it that can be read; an empty price is the catalogue's."""
    rows, lines = [], []
    for number in range(MOST_LINES):
        values = (form.get(f"{name}_{number}", "").strip()[:LONGEST_TITLE] for name in ("title", "quantity", "price"))
        row = Row(*values)
        if row.is_empty:
            continue
        if not row.price and row.title in prices:
            row = Row(row.title, row.quantity, str(money.to_major(prices[row.title], shop.currency)))
        line = _line(row, shop.currency)
        if line is not None:
            lines.append(line)
            row = Row(row.title, row.quantity, row.price, money.show(line.total_minor, shop.currency, language))
        rows.append(row)
    return rows, lines


def _line(row: Row, currency: str) -> QuoteLine | None:
    try:
        quantity, price = int(row.quantity), money.parse(row.price, currency)
    except (ValueError, ArithmeticError):
        return None
    fits = row.title and 0 < quantity <= LARGEST_QUANTITY and 0 <= price <= LARGEST_MINOR
    return QuoteLine(row.title, quantity, price) if fits else None


def _end_of(text: str, shop: Shop) -> datetime | None:
    """The end of that day in the shop's zone; None for none, one that is over, or one too far away."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    end = datetime.combine(day, time(23, 59, 59), tzinfo=shop.zone)
    return end if now() < end < now() + timedelta(days=LONGEST_VALID_DAYS + 1) else None


def _form(
    request: Request,
    parts: Parts,
    who: SignedIn,
    setting: _Setting,
    rows: Sequence[Row],
    *,
    until: str,
    note: str,
    key: str,
    problem: str = "",
    lines: Sequence[QuoteLine] = (),
) -> Response:
    return pages.page(
        request,
        parts,
        "quote.html",
        who,
        status=422 if problem else 200,
        conversation=setting.conversation,
        name=setting.name,
        ticket=setting.ticket,
        titles=list(setting.prices),
        rows=rows,
        until=until,
        note=note,
        key=key,
        problem=problem,
        total=sum(line.total_minor for line in lines) if lines else None,
    )
