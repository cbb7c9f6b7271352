"""The way in: HTTP calls of the gateway, and of nobody else.

What a customer typed is never read as one of Rasa's commands; only a payload is, which the gateway took from a button.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, empty, json

from bot.messages import harmless, nlu_summary
from bot.processor import DeskAgent
from bot.tracker_store import CompactTrackerStore

log = logging.getLogger(__name__)

NAME = "desk"
LONGEST_TEXT = 4000
Handler = Callable[..., Awaitable[HTTPResponse]]


class Malformed(Exception):
    """The call is not what the contract says; the text names the field and quotes nothing."""


class DeskOutput(CollectingOutputChannel):
    """Collects what the bot says, and which actions could not say anything."""

    def __init__(self) -> None:
        super().__init__()
        self.failed_actions: list[str] = []

    @classmethod
    def name(cls) -> str:
        return NAME

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        # One answer of the bot stays one message: Rasa would split text, picture and buttons, and texts at blank lines.
        reply = {key: message[key] for key in ("text", "buttons", "image", "custom", "metadata") if message.get(key)}
        if message.get("attachment"):
            reply.setdefault("custom", {"attachment": message["attachment"]})
        if quick_replies := message.get("quick_replies"):
            reply.setdefault("buttons", quick_replies)
        if "buttons" in reply:
            reply["buttons"] = [
                {"title": button.get("title", ""), "payload": button.get("payload", "")} for button in reply["buttons"]
            ]
        if reply:
            self.messages.append(reply)


class DeskChannel(InputChannel):
    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("DESK_INTERNAL_SECRET is not set; see .env.example")
        self._expected = f"Bearer {secret}".encode()

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> DeskChannel:
        return cls(str((credentials or {}).get("secret") or ""))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        webhook = Blueprint("desk_webhook", url_prefix="/webhooks/desk")
        webhook.add_route(self._guarded(_turn), "/turn", methods=["POST"])
        webhook.add_route(self._guarded(_parse), "/parse", methods=["POST"])
        webhook.add_route(_health, "/health", methods=["GET"])
        webhook.add_route(self._guarded(_forget), "/trackers/<sender:path>", methods=["DELETE"])
        return webhook

    def _guarded(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: Request, **path: str) -> HTTPResponse:
            given = request.headers.get("authorization", "").encode(errors="replace")
            if not hmac.compare_digest(given, self._expected):
                return _refusal(401, "unauthorised", "The internal secret is missing or wrong.")
            if not _agent(request):
                return _refusal(503, "not_ready", "The model is not loaded.")
            try:
                return await handler(request, **path)
            except Malformed as error:
                return _refusal(400, "malformed", str(error))
            except Exception as error:
                # Neither the answer nor the log may hold what the customer wrote, and the error's text could.
                log.error("call failed handler=%s error=%s", handler.__name__, _where(error))
                return _refusal(500, "internal", "The call could not be handled.")

        return guarded


async def _turn(request: Request) -> HTTPResponse:
    began = time.perf_counter()
    call = _body(request)
    sender, text = _string(call, "sender"), _string(call, "text", may_be_empty=True)
    payload, metadata = call.get("payload"), call.get("metadata")
    metadata = {} if metadata is None else metadata
    if payload is not None and not (isinstance(payload, str) and payload.startswith("/")):
        raise Malformed("payload must be null or a string that begins with a slash")
    if not isinstance(metadata, dict):
        raise Malformed("metadata must be an object")
    if payload is None and not text.strip():
        raise Malformed("text must not be empty without a payload")
    agent = _agent(request)
    output = DeskOutput()
    message = UserMessage(
        payload if payload is not None else harmless(text[:LONGEST_TEXT]),
        output,
        sender,
        input_channel=NAME,
        metadata=metadata,
    )
    parsed = await agent.converse(message)
    answer: dict[str, Any] = {
        "replies": output.messages,
        "nlu": nlu_summary(parsed),
        "model_id": agent.model_id,
        "milliseconds": round((time.perf_counter() - began) * 1000, 2),
    }
    if output.failed_actions:
        answer["failed_actions"] = output.failed_actions
    return json(answer)


async def _parse(request: Request) -> HTTPResponse:
    text = harmless(_string(_body(request), "text", may_be_empty=True)[:LONGEST_TEXT])
    return json(nlu_summary(await _agent(request).understand(text)))


async def _health(request: Request) -> HTTPResponse:
    agent = _agent(request)
    if not agent:
        return _refusal(503, "not_ready", "The model is not loaded.")
    return json({"status": "ok", "model_id": agent.model_id})


async def _forget(request: Request, sender: str) -> HTTPResponse:
    store = _agent(request).tracker_store
    if not isinstance(store, CompactTrackerStore):
        raise TypeError("only our own tracker store can forget")
    async with _agent(request).lock_store.lock(sender):
        await store.delete(sender)
    return empty()


def _agent(request: Request) -> DeskAgent:
    agent = getattr(request.app.ctx, "agent", None)
    return agent if agent is not None and agent.is_ready() else None  # type: ignore[return-value]


def _body(request: Request) -> dict[str, Any]:
    try:
        call = request.json
    except Exception as error:
        raise Malformed("the body is not JSON") from error
    if not isinstance(call, dict):
        raise Malformed("the body must be a JSON object")
    return call


def _string(call: dict[str, Any], name: str, *, may_be_empty: bool = False) -> str:
    value = call.get(name)
    if not isinstance(value, str) or not (value or may_be_empty):
        raise Malformed(f"{name} must be a string")
    return value


def _refusal(status: int, code: str, message: str) -> HTTPResponse:
    return json({"error": {"code": code, "message": message}}, status=status)


def _where(error: BaseException) -> str:
    """The kind of an error and the line it came from, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown"
    return f"{type(error).__name__} at {place}"
