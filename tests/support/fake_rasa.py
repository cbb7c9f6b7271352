"""Speaks the channel that Rasa opens for the gateway. Rasa itself lives in another environment; tests/e2e uses it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.texts import has_han

Turn = dict[str, Any]
Behaviour = Callable[[Turn], Awaitable[list[dict[str, Any]]]]


async def echo(turn: Turn) -> list[dict[str, Any]]:
    """The default: says the words again, so that a reply can be told from another's."""
    return [{"text": f"You said: {turn['payload'] or turn['text']}"}]


class FakeRasa:
    """Remembers every turn; ``behave`` may be replaced to be slow, silent or broken."""

    def __init__(self, secret: str) -> None:
        self.turns: list[Turn] = []
        self.running = 0
        self.most_running = 0
        self.behave: Behaviour = echo
        self.status = 200
        self.ready = True
        self._secret = secret
        self.url = ""
        self.app = Starlette(
            routes=[
                Route("/webhooks/desk/turn", self._turn, methods=["POST"]),
                Route("/webhooks/desk/health", self._health),
                Route("/health", self._health),
            ]
        )

    @property
    def texts(self) -> list[str]:
        return [turn["text"] for turn in self.turns]

    def answers(self, *replies: dict[str, Any]) -> None:
        """From now on exactly these replies."""

        async def these(_turn: Turn) -> list[dict[str, Any]]:
            return list(replies)

        self.behave = these

    def takes(self, seconds: float) -> None:
        """From now on each answer takes that long."""

        async def slowly(turn: Turn) -> list[dict[str, Any]]:
            await asyncio.sleep(seconds)
            return await echo(turn)

        self.behave = slowly

    async def _turn(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self._secret}":
            return Response(status_code=401)
        turn = await request.json()
        self.turns.append(turn)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            replies = await self.behave(turn)
        finally:
            self.running -= 1
        nlu = {
            "intent": "track_order",
            "confidence": 0.9,
            "ranking": [{"name": "track_order", "confidence": 0.9}],
            "entities": [],
            "language": "zh" if has_han(turn["text"]) else "en",
        }
        body = {"replies": replies, "nlu": nlu, "model_id": "test", "milliseconds": 1.0}
        return Response(orjson.dumps(body), self.status, media_type="application/json")

    async def _health(self, _request: Request) -> Response:
        return Response(b'{"status":"ok"}', 200 if self.ready else 503)
