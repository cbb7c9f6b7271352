"""Server-sent events: everything that happens in a conversation, resumable without loss."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crm import conversations
from gateway import schemas
from gateway.bus import Ended, Kind, Subscription, TooSlow
from gateway.errors import Refused, not_signed_in, too_many
from gateway.messages import shown
from gateway.parts import Parts
from gateway.sessions import BadToken, Visitor
from gateway.web import READS_PER_MESSAGE, PartsOf, conversation_of, handoff_state, take_token, token_of

router = APIRouter(prefix="/api/chat", tags=["chat"])
HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 20.0
MOST_TABS = 20
PAGE = 200
HEARTBEAT = b": still here\n\n"


def as_event(kind: str, data: dict[str, Any], number: int | None = None) -> bytes:
    start = b"" if number is None else b"id: %d\n" % number
    return start + b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


class EventStream(Response):
    """A response that sends pieces as they come, and lets go of a reader who does not keep up."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncIterator[bytes], parts: Parts) -> None:
        super().__init__(
            headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no", "Connection": "keep-alive"}
        )
        del self.headers["content-length"]
        self._pieces, self._parts = pieces, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_disconnected(receive))
        self._parts.metrics.streams.inc()
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._parts.metrics.streams.dec()
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for piece in self._pieces:
                # A reader that takes nothing blocks here once the buffers are full.
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            self._parts.metrics.errors.labels("slow_reader").inc()
        async with asyncio.timeout(1):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _visitor(request: Request, parts: Parts, token: str | None) -> Visitor:
    try:
        return parts.tokens.read(token or token_of(request))
    except BadToken:
        raise not_signed_in() from None


def _last_event_id(request: Request, parameter: str | None) -> int | None:
    given = request.headers.get("Last-Event-ID") or parameter
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Refused(422, "invalid", "last_event_id: not a message id.")
    return int(given)


@router.get(
    "/events",
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events."},
        **schemas.errors(401, 422, 429, 503),
    },
)
async def events(
    request: Request,
    parts: PartsOf,
    token: Annotated[str | None, Query(description="For EventSource, which cannot send headers.")] = None,
    last_event_id: Annotated[str | None, Query()] = None,
) -> Response:
    """New messages, typing and handoffs; after a break, first what was missed since the last event id."""
    visitor = _visitor(request, parts, token)
    last = _last_event_id(request, last_event_id)
    await take_token(parts, "reads", visitor.visitor, parts.settings.messages_per_minute * READS_PER_MESSAGE)
    if parts.bus.listeners(visitor.conversation) >= MOST_TABS:
        raise too_many(HEARTBEAT_SECONDS)
    # Whether the conversation exists is found out before the first byte, while a refusal is still possible.
    newest = await parts.store.read(lambda session: conversation_of(session, visitor).last_seq)
    start = newest if last is None else min(last, newest)
    return EventStream(_follow(parts, visitor, start), parts)


async def _follow(parts: Parts, visitor: Visitor, last: int) -> AsyncIterator[bytes]:
    with parts.bus.listening(visitor.conversation) as subscription:
        yield b"retry: 2000\n\n"
        try:
            handoff = await parts.store.read(lambda session: handoff_state(session, conversation_of(session, visitor)))
            yield as_event(Kind.HANDOFF, {"active": handoff.active, "owner": handoff.owner})
            async for number, piece in _missed(parts, visitor, last):
                last = number
                yield piece
            async for piece in _live(parts, visitor, subscription, last):
                yield piece
        except (TooSlow, Ended, Refused):
            # The client connects again with the id of the last message it has seen; the store has the rest.
            return


async def _live(parts: Parts, visitor: Visitor, subscription: Subscription, last: int) -> AsyncIterator[bytes]:
    while True:
        event = await subscription.next(HEARTBEAT_SECONDS)
        if event is None:
            yield HEARTBEAT
        elif event.kind in (Kind.TYPING, Kind.HANDOFF):
            yield as_event(event.kind, event.data)
        if event is not None and (event.kind is not Kind.MESSAGE or event.data["id"] <= last):
            continue
        if event is not None and event.data["id"] == last + 1:
            last += 1
            yield as_event(Kind.MESSAGE, event.data, last)
            continue
        # Nothing for a while, or a gap: what another process stored without telling us is found in the store.
        async for number, piece in _missed(parts, visitor, last):
            last = number
            yield piece


async def _missed(parts: Parts, visitor: Visitor, last: int) -> AsyncIterator[tuple[int, bytes]]:
    """What the store holds after message ``last``."""
    while True:

        def read(session: Session, after: int = last) -> list[dict[str, Any]]:
            conversation = conversation_of(session, visitor)
            if conversation.last_seq <= after:
                return []
            return [dict(shown(m)) for m in conversations.since(session, conversation, after=after, limit=PAGE)]

        page = await parts.store.read(read)
        for message in page:
            last = message["id"]
            yield last, as_event(Kind.MESSAGE, message, last)
        if len(page) < PAGE:
            return
