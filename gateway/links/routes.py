"""A one-time link is opened by looking and used by a press of its button: mail scanners look at every link."""

from functools import cache, partial
from pathlib import Path
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session
from starlette.responses import FileResponse, HTMLResponse, Response

from crm import follow_ups, owner_links
from crm.lessons.articles import ChangedSince
from crm.lessons.reports import Report
from crm.models import Customer, FollowUp, LessonStatus, OwnerLink, OwnerLinkKind, Ticket
from crm.owner_links import BadLink
from crm.types import now
from gateway.links.page import Page
from gateway.parts import Parts
from gateway.web import PartsOf, take_token
from gateway.wording import Wording

router = APIRouter(prefix="/owner", include_in_schema=False)
FOLDER = Path(__file__).parent
PREVIEW = "preview"
USES_PER_MINUTE = 60
LONGEST_FORM = 40_000
LONGEST_TRY_SECONDS = 60.0


@cache
def _wording() -> Wording:
    return Wording.load(FOLDER / "wording.toml")


@cache
def _template() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)


@router.get("/links.css")
async def style() -> Response:
    return FileResponse(FOLDER / "links.css", media_type="text/css")


@router.get("/do/{token}")
async def look(token: str, parts: PartsOf) -> Response:
    """What the link would do, with a button that does it."""
    await take_token(parts, "owner_links", "desk", USES_PER_MINUTE)
    try:
        page = await parts.store.read(partial(_asked, parts=parts, token=token))
    except BadLink as bad:
        return _refused(parts, bad.reason, 404)
    return _shown(parts, page)


@router.post("/do/{token}")
async def use(token: str, request: Request, parts: PartsOf) -> Response:
    """Does it, once."""
    await take_token(parts, "owner_links", "desk", USES_PER_MINUTE)
    fields = parse_qs((await request.body())[:LONGEST_FORM].decode("utf-8", "replace"))
    title, text = (fields.get(name, [None])[0] for name in ("title", "text"))
    try:
        link = await parts.store.write(partial(_used, parts=parts, token=token, title=title, text=text))
    except BadLink as bad:
        return _refused(parts, bad.reason, 404)
    except follow_ups.FollowUpDecided:
        return _refused(parts, "decided", 409)
    except follow_ups.CannotReach:
        return await look(token, parts)
    except ValueError:
        return _refused(parts, "empty", 422)
    if link.kind is OwnerLinkKind.ADD_ARTICLE:
        return await _tried(parts, int(link.data["lesson"]))
    return _shown(parts, Page(title=_say(parts, f"done_{link.kind}")))


async def _tried(parts: Parts, number: int) -> Response:
    """An answer counts only if nothing that was right would change; the console shows what would."""
    try:
        lesson = await parts.teaching.try_out(number, wait_seconds=LONGEST_TRY_SECONDS)
    except ChangedSince:
        return _shown(parts, Page(title=_say(parts, "refused_changed")), 409)
    if lesson.status is LessonStatus.ADOPTED:
        return _shown(parts, Page(title=_say(parts, f"done_{OwnerLinkKind.ADD_ARTICLE}")))
    worse = Report.from_dict(lesson.report or {}).worse
    questions = tuple(change.question for change in worse)
    return _shown(parts, Page(title=_say(parts, "refused_worse" if worse else "refused_unfound"), questions=questions))


def _used(session: Session, *, parts: Parts, token: str, title: str | None, text: str | None) -> OwnerLink:
    secret = parts.settings.require("secret_key")
    return owner_links.use(session, token, secret=secret, now=now(), title=title, text=text)


def _asked(session: Session, *, parts: Parts, token: str) -> Page:
    if token == PREVIEW:
        raise BadLink(PREVIEW)
    link = owner_links.read(session, token, secret=parts.settings.require("secret_key"), now=now())
    title, button = _say(parts, f"title_{link.kind}"), _say(parts, f"button_{link.kind}")
    match link.kind:
        case OwnerLinkKind.SEND_FOLLOW_UP:
            return _follow_up_page(session, parts, link, title, button)
        case OwnerLinkKind.DISMISS_FOLLOW_UP:
            follow_up = session.get(FollowUp, link.subject_id)
            return Page(title=title, lines=(follow_up.text,) if follow_up else (), button=button)
        case OwnerLinkKind.CLOSE_TICKET:
            ticket = session.get(Ticket, link.subject_id)
            return Page(title=title, lines=(ticket.text,) if ticket else (), button=button)
        case OwnerLinkKind.ADD_ARTICLE:
            questions = tuple(str(question) for question in link.data.get("questions", []))
            lines = (_say(parts, "questions"),) if questions else ()
            first = questions[0] if questions else ""
            return Page(title, lines, button, field_title=first, field_text="", questions=questions)
        case OwnerLinkKind.DISMISS:
            return Page(title=title, button=button)


def _follow_up_page(session: Session, parts: Parts, link: OwnerLink, title: str, button: str) -> Page:
    follow_up = session.get(FollowUp, link.subject_id)
    if follow_up is None:
        raise BadLink("unknown")
    customer = session.get(Customer, follow_up.customer_id) if follow_up.customer_id is not None else None
    to = (_say(parts, "to", name=customer.name),) if customer is not None and customer.name else ()
    if follow_up.conversation_id is not None:
        return Page(title, to, button, field_text=follow_up.text)
    address = customer.email if customer is not None else None
    subject = quote(parts.shop.name.in_language(follow_up.language))
    mail_to = f"mailto:{quote(address)}?subject={subject}&body={quote(follow_up.text)}" if address else None
    return Page(title, (*to, follow_up.text, _say(parts, "no_chat")), mail_to=mail_to)


def _say(parts: Parts, key: str, /, **values: str) -> str:
    return _wording().say(key, parts.shop.digest_language, **values)


def _refused(parts: Parts, reason: str, status: int) -> Response:
    return _shown(parts, Page(title=_say(parts, f"refused_{reason}")), status)


def _shown(parts: Parts, page: Page, status: int = 200) -> Response:
    language = parts.shop.digest_language
    html = (
        _template()
        .get_template("link.html.j2")
        .render(vars(page), language=language, shop=parts.shop.name.in_language(language), say=partial(_say, parts))
    )
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
