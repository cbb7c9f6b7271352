"""A small stand-in for Telegram's Bot API, with the faults that a bot has to live with."""

import asyncio
import email
import email.policy
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

TOKEN = "123456:a-token-for-the-tests"


class _Dropped(Response):
    """Breaks the connection in the middle of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


class Refusal(Exception):
    """What Telegram answers with 400."""


class TelegramApi:
    """``says`` and ``presses`` play the customer; ``sent`` is what the bot sent, oldest first."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[dict[str, Any]] = []
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.faults: list[tuple[str, int | None, str, dict[str, Any]]] = []
        self.webhook: dict[str, Any] = {}
        self.confirmed = 0
        self.repeat_updates = False
        self.before_updates: Callable[[], Awaitable[None]] | None = None
        self._updates: list[dict[str, Any]] = []
        self._next_update, self._next_message = 1, 1
        self._news = asyncio.Condition()
        self.app = Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["GET", "POST"])])

    def fault(self, method: str, kind: str, *, times: int = 1, chat_id: int | None = None, **more: Any) -> None:
        """The next calls of a method fail: 429, 500, 403, 400, drop (nothing done), drop_after (done, then broken)."""
        self.faults.extend([(method, chat_id, kind, more)] * times)

    async def says(self, chat_id: int, text: str | None = None, *, edits: int | None = None, **more: Any) -> int:
        """A message in a private chat; its id."""
        message_id = edits or self._next_message
        self._next_message += edits is None
        sender = {"id": chat_id, "is_bot": False, "first_name": "Lin", "language_code": more.pop("language", "en")}
        message = {
            "message_id": message_id,
            "from": sender,
            "chat": {"id": chat_id, "type": more.pop("chat_type", "private"), "first_name": "Lin"},
            "date": 1_790_000_000,
            **more,
        }
        if text is not None:
            message["text"] = text
        if edits:
            message["edit_date"] = 1_790_000_001
        await self._add({"edited_message" if edits else "message": message})
        return message_id

    async def presses(self, chat_id: int, data: str, message_id: int) -> None:
        query = {
            "id": f"q{self._next_update}",
            "from": {"id": chat_id, "is_bot": False, "first_name": "Lin"},
            "chat_instance": "1",
            "data": data,
            "message": {"message_id": message_id, "chat": {"id": chat_id, "type": "private"}, "date": 1_790_000_000},
        }
        await self._add({"callback_query": query})

    async def sent_to(self, chat_id: int, count: int, *, seconds: float = 10) -> list[str]:
        """The texts sent to a chat, as soon as there are so many."""

        def texts() -> list[str]:
            return [m.get("text") or m.get("caption", "") for m in self.sent if m["chat_id"] == str(chat_id)]

        await self.until(lambda: len(texts()) >= count, seconds=seconds)
        return texts()

    async def until(self, holds: Callable[[], bool], *, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.01)

    async def _add(self, update: dict[str, Any]) -> None:
        async with self._news:
            self._updates.append({"update_id": self._next_update, **update})
            self._next_update += 1
            self._news.notify_all()

    @property
    def updates(self) -> list[dict[str, Any]]:
        """Not confirmed yet."""
        return list(self._updates)

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        parameters = dict(request.query_params) | await _sent_along(request)
        self.calls[method].append(parameters)
        if request.path_params["token"] != TOKEN:
            return _refused(401, "Unauthorized")
        fault = self._fault_for(method, parameters.get("chat_id"))
        kind, more = fault if fault else ("", {})
        if kind == "drop":
            return _Dropped()
        if kind and kind != "drop_after":
            return _refused(int(kind), more.pop("description", "fault"), **more)
        try:
            result = await self._do(method, parameters)
        except Refusal as refusal:
            return _refused(400, str(refusal))
        return _Dropped() if kind == "drop_after" else JSONResponse({"ok": True, "result": result})

    def _fault_for(self, method: str, chat_id: str | None) -> tuple[str, dict[str, Any]] | None:
        for fault in self.faults:
            if fault[0] == method and fault[1] in (None, int(chat_id or 0)):
                self.faults.remove(fault)
                return fault[2], dict(fault[3])
        return None

    async def _do(self, method: str, parameters: dict[str, Any]) -> Any:
        if method == "getMe":
            return {"id": 123456, "is_bot": True, "first_name": "Desk", "username": "desk_bot"}
        if method == "getUpdates":
            return await self._updates_from(int(parameters.get("offset", 0)), float(parameters.get("timeout", 0)))
        if method in ("sendMessage", "sendPhoto"):
            message_id = self._next_message
            self._next_message += 1
            markup = json.loads(parameters.get("reply_markup", "{}"))
            buttons = [button for row in markup.get("inline_keyboard", []) for button in row]
            self.sent.append({**parameters, "message_id": message_id, "buttons": buttons})
            chat = {"id": int(parameters["chat_id"]), "type": "private"}
            return {"message_id": message_id, "date": 1_790_000_000, "chat": chat}
        if method == "getWebhookInfo":
            return {"url": "", "has_custom_certificate": False, "pending_update_count": len(self._updates)}
        if method == "editMessageReplyMarkup":
            return self._edit(parameters)
        if method == "setWebhook":
            self.webhook = parameters
        return True

    def _edit(self, parameters: dict[str, Any]) -> Any:
        for message in self.sent:
            if (message["chat_id"], message["message_id"]) == (parameters["chat_id"], int(parameters["message_id"])):
                markup = parameters.get("reply_markup", "{}")
                if json.loads(message.get("reply_markup", "{}")) == json.loads(markup):
                    raise Refusal("Bad Request: message is not modified")
                message["reply_markup"] = markup
                return True
        raise Refusal("Bad Request: message to edit not found")

    async def _updates_from(self, offset: int, timeout: float) -> list[dict[str, Any]]:
        if self.before_updates is not None:
            await self.before_updates()
        async with self._news:
            if not self.repeat_updates:
                self._updates = [update for update in self._updates if update["update_id"] >= offset]
            self.repeat_updates = False
            self.confirmed = max(self.confirmed, offset - 1)
            if not self._updates:
                try:
                    async with asyncio.timeout(min(timeout, 0.5)):
                        await self._news.wait()
                except TimeoutError:
                    return []
            return list(self._updates)


async def _sent_along(request: Request) -> dict[str, Any]:
    """The parameters in the body; of files, such as pictures, only their names."""
    body, kind = await request.body(), request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return dict(parse_qsl(body.decode()))
    whole = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=email.policy.HTTP)
    found: dict[str, Any] = {}
    for part in whole.iter_parts():
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = part.get_filename() or part.get_content().removesuffix("\r\n")
    return found


def _refused(code: int, description: str, **parameters: Any) -> Response:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return JSONResponse(body, status_code=code)
