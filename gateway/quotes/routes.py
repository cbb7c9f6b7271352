"""A quote's page: looking changes nothing; the answer is a form's, once, and chat, console and owner hear it."""

from functools import cache, partial
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session
from starlette.responses import FileResponse, HTMLResponse, Response

from crm import availability, money, notices, preferences, quotes
from crm.models import Conversation, OwnerNoticeKind, Quote
from crm.quotes import QuoteChanged, QuoteGone, Told
from crm.types import now
from gateway.console.access import check_origin
from gateway.errors import Refused
from gateway.parts import Parts
from gateway.quotes import saying
from gateway.web import PartsOf, address_of, take_token

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parent
USES_PER_MINUTE = 30
HEADERS = {
    "Cache-Control": "no-store",
    # The address opens the quote: no other site may learn it.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
}


@cache
def _template() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)


@router.get("/quotes.css")
async def style() -> Response:
    return FileResponse(FOLDER / "quotes.css", media_type="text/css")


@router.get("/quotes/{token}")
async def look(token: str, request: Request, parts: PartsOf) -> Response:
    await _slow_down(request, parts)
    return await _shown(parts, token)


@router.post("/quotes/{token}")
async def answer(token: str, request: Request, parts: PartsOf) -> Response:
    await _slow_down(request, parts)
    check_origin(request, parts)
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    choice, shown = (fields.get(name, [""])[0] for name in ("answer", "shown"))
    if choice not in ("accept", "decline"):
        raise Refused(422, "invalid", "A quote is accepted or declined.")
    try:
        told = await parts.store.write(
            partial(_answered, parts=parts, token=token, accept=choice == "accept", shown=shown)
        )
    except QuoteGone:
        return _gone(parts)
    except QuoteChanged:
        return await _shown(parts, token, changed=True)
    parts.owner_side.tell(told.public_id, told.message, owner=False)
    parts.owner_side.notices_waiting.set()
    return await _shown(parts, token)


def _answered(session: Session, *, parts: Parts, token: str, accept: bool, shown: str) -> Told:
    moment, secret = now(), parts.settings.require("secret_key")
    told = quotes.answer(session, token, accept=accept, shown=shown, secret=secret, telling=saying.answered, now=moment)
    conversation = session.get_one(Conversation, told.message.conversation_id)
    wanted, notes = preferences.load(session), parts.owner_side.notes
    language = notes.language(wanted)
    notices.write(
        session,
        OwnerNoticeKind.QUOTE_ANSWER,
        saying.note(told.quote, notes.who(session, conversation, language), language),
        now=moment,
        conversation=conversation,
        buttons=[{"title": parts.wording.say("note_open", language), "url": notes.link(conversation)}],
        not_before=availability.notice_not_before(wanted, parts.shop, now=moment, urgent=False),
    )
    return told


async def _slow_down(request: Request, parts: Parts) -> None:
    await take_token(parts, "quotes", address_of(request), USES_PER_MINUTE)


async def _shown(parts: Parts, token: str, *, changed: bool = False) -> Response:
    secret = parts.settings.require("secret_key")
    try:
        quote = await parts.store.read(lambda session: quotes.read(session, token, secret=secret, now=now()))
    except QuoteGone:
        return _gone(parts)
    return _page(parts, quote.language, quote, status=409 if changed else 200, changed=changed)


def _gone(parts: Parts) -> Response:
    return _page(parts, parts.shop.default_language, None, status=404)


def _page(parts: Parts, language: str, quote: Quote | None, *, status: int = 200, changed: bool = False) -> Response:
    wording = saying.wording()
    html = (
        _template()
        .get_template("quote.html.j2")
        .render(
            language="zh-CN" if language == "zh" else "en",
            shop=parts.shop.name.in_language(language),
            address=parts.shop.contact_email,
            quote=quote,
            lines=quotes.lines_of(quote) if quote is not None else (),
            total=saying.total(quote, language) if quote is not None else "",
            state=quotes.state(quote, now=now()) if quote is not None else "gone",
            shown=quotes.answer_token(quote, secret=parts.settings.require("secret_key")) if quote is not None else "",
            changed=changed,
            say=lambda name, **values: wording.say(name, language, **values),
            day=lambda moment: saying.day(moment, parts.shop, language),
            money=lambda minor: money.show(minor, quote.currency, language) if quote is not None else "",
        )
    )
    return HTMLResponse(html, status, headers=HEADERS)
