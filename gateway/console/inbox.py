"""The inbox and one conversation in it: reading, taking over, answering, returning."""

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import briefing, conversations, handoffs, inbox, preferences, quotes, returns, suggestions
from crm.briefing import Briefing
from crm.inbox import InboxCounts, InboxRow, Shelf
from crm.lessons import replies
from crm.models import Channel, Conversation, Handoff, Message, Quote, ReturnRequest, Ticket
from crm.preferences import Preferences
from crm.types import now
from gateway.bus import Ended, Kind, TooSlow
from gateway.console import pages
from gateway.console.access import FormOf, Id, SignedInOf, ids_in
from gateway.errors import Refused
from gateway.events import HEARTBEAT, HEARTBEAT_SECONDS, EventStream, as_event
from gateway.parts import Parts
from gateway.texts import is_blank
from gateway.web import LONGEST_TEXT, PartsOf

router = APIRouter(include_in_schema=False)
SHOWN = 120
SHOWN_AT_MOST = 2_000
Number = Annotated[int, Query(ge=0, le=2**31 - 1)]


class _List(NamedTuple):
    rows: list[InboxRow]
    counts: InboxCounts
    version: str
    wanted: Preferences


def _list(session: Session, shelf: Shelf, search: str, channel: Channel | None = None) -> _List:
    return _List(
        rows=inbox.rows(session, shelf=shelf, search=search, channel=channel),
        counts=inbox.counts(session),
        version=inbox.version(session),
        wanted=preferences.load(session),
    )


def _shown_list(found: _List, shelf: Shelf, search: str, current: int | None = None) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "counts": found.counts,
        "version": found.version,
        "shelf": shelf,
        "shelves": list(Shelf),
        "q": search,
        "query": urlencode({"shelf": shelf.value, "q": search}),
        "current": current,
        "away_until": found.wanted.away_until if found.wanted.is_away(now()) else None,
    }


@router.get("/owner")
async def inbox_page(
    request: Request, parts: PartsOf, who: SignedInOf, shelf: Shelf = Shelf.ALL, q: str = ""
) -> Response:
    found = await parts.store.read(lambda session: _list(session, shelf, q))
    return pages.page(request, parts, "inbox.html", who, **_shown_list(found, shelf, q))


@router.get("/owner/rows")
async def live_rows(
    request: Request,
    parts: PartsOf,
    _who: SignedInOf,
    shelf: Shelf = Shelf.ALL,
    q: str = "",
    version: str = "",
    current: str = "",
    list: int = 1,
) -> Response:
    """The list anew if it changed since ``version``, else 204; how many wait is in the header X-Waiting."""

    def read(session: Session) -> tuple[str, InboxCounts, _List | None]:
        newest = inbox.version(session)
        changed = bool(list) and newest != version
        return newest, inbox.counts(session), _list(session, shelf, q) if changed else None

    newest, counts, found = await parts.store.read(read)
    if found is None:
        response = Response(status_code=204, headers=pages.headers())
    else:
        number = next(iter(ids_in(current)), None)
        response = pages.page(request, parts, "rows.html", rows=found.rows, current=number)
    response.headers["X-Waiting"] = str(counts.waiting)
    response.headers["X-Version"] = newest
    return response


class _Talk(NamedTuple):
    conversation: Conversation
    messages: list[Message]
    earlier: bool
    handoff: Handoff | None
    told: Briefing
    suggested: list[str]
    teachable: frozenset[int]
    returns: Sequence[ReturnRequest]
    quote_requests: Sequence[Ticket]
    quotes: Sequence[Quote]
    list: _List


def _conversation(session: Session, number: int) -> Conversation:
    """Raises Refused."""
    found = session.get(Conversation, number)
    if found is None:
        raise Refused(404, "not_found", "There is no such conversation.")
    return found


def _talk(session: Session, number: int, shown: int) -> _Talk:
    conversation = _conversation(session, number)
    handoff = handoffs.open_handoff(session, conversation)
    messages = [*conversations.history(session, conversation, limit=shown)]
    return _Talk(
        conversation=conversation,
        messages=messages,
        earlier=bool(messages) and messages[0].seq > 1,
        handoff=handoff,
        told=briefing.brief(session, conversation, handoff),
        suggested=suggestions.suggest(session, conversation),
        teachable=frozenset(found.answer.id for found in replies.answered_by_owner(messages)),
        returns=returns.open_requests(session, conversation_id=conversation.id),
        quote_requests=quotes.requests(session, conversation_id=conversation.id),
        quotes=quotes.recent(session, conversation_id=conversation.id, limit=2),
        list=_list(session, Shelf.ALL, ""),
    )


@router.get("/owner/conversations/{number}")
async def conversation_page(request: Request, parts: PartsOf, who: SignedInOf, number: Id, all: int = 0) -> Response:
    found = await parts.store.read(lambda session: _talk(session, number, SHOWN_AT_MOST if all else SHOWN))
    return pages.page(
        request,
        parts,
        "conversation.html",
        who,
        conversation=found.conversation,
        messages=found.messages,
        earlier=found.earlier,
        handoff=found.handoff,
        held=found.handoff is not None and found.handoff.taken_at is not None,
        told=found.told,
        suggested=found.suggested,
        teachable=found.teachable,
        returns=found.returns,
        quote_requests=found.quote_requests,
        quotes=[(quote, quotes.state(quote, now=now())) for quote in found.quotes],
        return_after=found.list.wanted.return_after_minutes,
        key=_new_key(),
        **_shown_list(found.list, Shelf.ALL, "", current=number),
    )


def _new_key() -> str:
    """Names what will be said, so that a form sent twice says it once."""
    return f"web:{secrets.token_urlsafe(9)}"


@router.get("/owner/conversations/{number}/messages")
async def live_messages(request: Request, parts: PartsOf, _who: SignedInOf, number: Id, after: Number = 0) -> Response:
    """The lines after ``after``."""

    def read(session: Session) -> list[Message]:
        return [*conversations.since(session, _conversation(session, number), after=after, limit=200)]

    return pages.page(request, parts, "messages.html", messages=await parts.store.read(read))


@router.get("/owner/conversations/{number}/events")
async def live_events(parts: PartsOf, _who: SignedInOf, number: Id) -> Response:
    """Says that something was said, is being thought of, or changed hands; the words come with ``live_messages``."""
    public_id = await parts.store.read(lambda session: _conversation(session, number).public_id)
    return EventStream(_follow(parts, public_id), parts)


async def _follow(parts: Parts, public_id: str) -> AsyncIterator[bytes]:
    with parts.bus.listening(public_id) as subscription:
        yield b"retry: 2000\n\n"
        try:
            while True:
                event = await subscription.next(HEARTBEAT_SECONDS)
                if event is None:
                    yield HEARTBEAT
                elif event.kind is Kind.MESSAGE:
                    yield as_event(Kind.MESSAGE, {"id": event.data["id"]})
                elif event.kind in (Kind.TYPING, Kind.HANDOFF):
                    yield as_event(event.kind, event.data)
        except (TooSlow, Ended):
            return


async def _public_id(parts: Parts, number: Id) -> str:
    return await parts.store.read(lambda session: _conversation(session, number).public_id)


@router.post("/owner/conversations/{number}/say")
async def say(request: Request, parts: PartsOf, _who: SignedInOf, form: FormOf, number: Id) -> Response:
    """The answer to the customer; from here on the bot is silent there."""
    text, key = form.get("text", "").strip(), form.get("key", "")[:60]
    if is_blank(text) or len(text) > LONGEST_TEXT or not key:
        raise Refused(422, "invalid", f"An answer has 1 to {LONGEST_TEXT} characters.")
    await parts.owner_side.say(await _public_id(parts, number), text, key=key)
    if request.headers.get("X-Fragment"):
        return Response(status_code=204, headers={**pages.headers(), "X-Next-Key": _new_key()})
    return pages.go(f"/owner/conversations/{number}")


@router.post("/owner/conversations/{number}/take")
async def take(parts: PartsOf, _who: SignedInOf, _form: FormOf, number: Id) -> Response:
    await parts.owner_side.take(await _public_id(parts, number))
    return pages.go(f"/owner/conversations/{number}")


@router.post("/owner/conversations/{number}/return")
async def give_back(parts: PartsOf, _who: SignedInOf, _form: FormOf, number: Id) -> Response:
    await parts.owner_side.give_back(await _public_id(parts, number))
    return pages.go(f"/owner/conversations/{number}")
