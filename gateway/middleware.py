"""What holds for every request: a bounded body, headers that keep browsers strict, failures that tell nothing."""

import logging

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm.logs import safe_trace
from gateway.errors import Refused, error

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' https: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)


class BodyLimit:
    """Refuses bodies over 64 KB with 413, also those that do not announce their length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > LARGEST_BODY:
            response = error(413, "too_large", "The body is larger than 64 KB.", {"Connection": "close"})
            await response(scope, receive, send)
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > LARGEST_BODY:
                    raise Refused(413, "too_large", "The body is larger than 64 KB.")
            return message

        await self._app(scope, bounded, send)


class PlainAddresses:
    """Refuses addresses with a zero byte with 400: no database, file or header may hold one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            await error(400, "bad_address", "The address holds a zero byte.")(scope, receive, send)
            return
        await self._app(scope, receive, send)


class ChatCors(CORSMiddleware):
    """Pages of other sites may use the chat API; everything else is for the desk's own pages."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class StrictHeaders:
    """No guessing of types, no framing by others, no inline script on our pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
                headers.setdefault("Content-Security-Policy", PAGE_POLICY)
                if headers.get("Content-Type", "").startswith("application/json"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, strict)


class BrokenOff(Exception):
    """An answer failed after its start; the connection has to end."""


class Failures:
    """What nobody foresaw becomes an error 500 and a line that says where; its message may quote anything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as failure:
            if scope["type"] != "http":
                raise
            log.error("request failed method=%s %s", scope["method"], safe_trace(failure))
            if started:
                raise BrokenOff from None
            await error(500, "internal_error", "Something went wrong on our side.")(scope, receive, send)
