"""Asking Rasa, through the one channel it opens for the gateway."""

import asyncio
import logging
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from crm.conversations import Understanding

log = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 0.15
# Rasa's server closes idle connections after five seconds; letting go first avoids writing into a closing one.
KEEPALIVE_SECONDS = 3.0
MOST_CONNECTIONS = 64


class NoAnswer(Exception):
    """Rasa did not answer; ``kind`` says how."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(kind)


class Nlu(BaseModel):
    intent: str | None = None
    confidence: float | None = None
    ranking: list[dict[str, Any]] = []
    entities: list[dict[str, Any]] = []
    language: str | None = None


class Answer(BaseModel):
    """What Rasa said to a turn."""

    replies: list[dict[str, Any]]
    nlu: Nlu = Nlu()
    model_id: str | None = None
    milliseconds: float | None = None

    @property
    def understanding(self) -> Understanding:
        return Understanding(
            intent=self.nlu.intent,
            confidence=self.nlu.confidence,
            entities=self.nlu.entities,
            ranking=self.nlu.ranking,
            language=self.nlu.language,
            model_id=self.model_id,
            answer_ms=self.milliseconds,
        )


class RasaClient:
    def __init__(self, url: str, secret: str, *, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=httpx.Timeout(timeout_seconds),
            limits=httpx.Limits(
                max_connections=MOST_CONNECTIONS,
                max_keepalive_connections=MOST_CONNECTIONS,
                keepalive_expiry=KEEPALIVE_SECONDS,
            ),
            trust_env=False,
        )

    async def turn(self, sender: str, text: str, payload: str | None, metadata: dict[str, str]) -> Answer:
        """Raises NoAnswer. The time limit holds for everything together, so a late answer is never an answer."""
        body = {"sender": sender, "text": text, "payload": payload, "metadata": metadata}
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._post_once_more("/webhooks/desk/turn", body)
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer("timeout") from None
        except httpx.HTTPError as error:
            raise NoAnswer("unreachable") from error
        if response.status_code != 200:
            raise NoAnswer(f"status_{response.status_code}")
        try:
            return Answer.model_validate_json(response.content)
        except ValidationError:
            raise NoAnswer("malformed") from None

    async def _post_once_more(self, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return await self._http.post(path, json=body)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
            # A restart, or an idle connection that closed under our hands. What the bot does carries the turn's id,
            # so a turn that it has already done is not done twice.
            await asyncio.sleep(RETRY_AFTER_SECONDS)
            return await self._http.post(path, json=body)

    async def is_ready(self) -> bool:
        try:
            response = await self._http.get("/webhooks/desk/health", timeout=2.0)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    async def close(self) -> None:
        await self._http.aclose()
