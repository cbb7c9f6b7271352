"""A person's own data behind a link that the chat gave them, and the way from the web chat to Telegram."""

import json
from functools import cache

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from crm import customers, links, privacy
from crm.links import LinkGone
from crm.models import Conversation, LinkPurpose
from crm.types import now
from gateway import schemas
from gateway.errors import Refused
from gateway.links.routes import FOLDER
from gateway.parts import Parts
from gateway.responses import Json
from gateway.web import PartsOf, VisitorOf, address_of, conversation_of, take_token

router = APIRouter()
USES_PER_MINUTE = 30
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@cache
def _template() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)


@router.get("/my-data/{token}", include_in_schema=False)
async def look(token: str, request: Request, parts: PartsOf) -> Response:
    """Says what the link opens; a program that looks at links ahead of people does not use it up."""
    await _slow_down(request, parts)

    def language_of(session: Session) -> str:
        link = links.look(session, token, LinkPurpose.EXPORT, now=now())
        return session.get_one(Conversation, link.conversation_id).language

    try:
        language = await parts.store.read(language_of)
    except LinkGone:
        return _page(parts, parts.shop.default_language, "own_data_gone", status=404)
    return _page(parts, language, "own_data", button="own_data_button")


@router.post("/my-data/{token}", include_in_schema=False)
async def show(token: str, request: Request, parts: PartsOf) -> Response:
    """All of it as JSON, once."""
    await _slow_down(request, parts)
    moment = now()

    def exported(session: Session) -> dict[str, object]:
        link = links.use(session, token, LinkPurpose.EXPORT, now=moment)
        conversation = session.get_one(Conversation, link.conversation_id)
        subject = privacy.of_conversation(session, conversation)
        customers.note_disclosure(session, conversation, subject.customer, "export", now=moment)
        return privacy.export(session, subject, now=moment)

    try:
        found = await parts.store.write(exported)
    except LinkGone:
        return _page(parts, parts.shop.default_language, "own_data_gone", status=404)
    content = json.dumps(found, ensure_ascii=False, indent=2)
    headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(content, media_type="application/json", headers=headers)


@router.post(
    "/api/chat/telegram",
    tags=["chat"],
    responses={200: {"model": schemas.TelegramLink}, **schemas.errors(401, 404, 429, 503)},
)
async def continue_on_telegram(request: Request, parts: PartsOf, visitor: VisitorOf) -> Response:
    """A link that goes on with this chat on Telegram, once; following it is the consent that ``wording`` asks for."""
    await take_token(parts, "messages", visitor.visitor, parts.settings.messages_per_minute)
    telegram = request.app.state.telegram
    address = telegram.address if telegram is not None else None
    if address is None:
        raise Refused(404, "no_telegram", "This shop is not on Telegram.")

    def made(session: Session) -> tuple[str, str]:
        conversation = conversation_of(session, visitor)
        token = links.make(session, conversation, LinkPurpose.CONTINUE_ON_TELEGRAM, now=now())
        return token, conversation.language

    token, language = await parts.store.write(made)
    shop = parts.shop.name.in_language(language)
    return Json(
        {
            "url": f"{address}?start={token}",
            "wording": parts.wording.say("link_consent", language, shop=shop),
            "expires_in": int(links.LASTS.total_seconds()),
        }
    )


async def _slow_down(request: Request, parts: Parts) -> None:
    address = address_of(request)
    await take_token(parts, "own_data", address, USES_PER_MINUTE)


def _page(parts: Parts, language: str, name: str, *, button: str | None = None, status: int = 200) -> Response:
    shop = parts.shop.name.in_language(language)
    say = parts.wording.say
    html = (
        _template()
        .get_template("own_data.html.j2")
        .render(
            language=language,
            shop=shop,
            title=say(f"{name}_title", language),
            text=say(name, language),
            button=say(button, language) if button else None,
        )
    )
    return HTMLResponse(html, status, headers=PRIVATE)
