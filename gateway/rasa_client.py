"""Asking Rasa, through the one channel it opens for the gateway."""

import asyncio
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from crm.conversations import Understanding
from gateway.http_client import Answered, CallFailed, HttpClient, answers

RETRY_AFTER_SECONDS = 0.15


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
    # Actions that broke or could not be reached: what the bot said without them is not the whole answer.
    failed_actions: list[str] = []

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
        self._http = HttpClient(url, {"Authorization": f"Bearer {secret}"})

    async def turn(self, sender: str, text: str, payload: str | None, metadata: dict[str, Any]) -> Answer:
        """Raises NoAnswer. The time limit holds for everything together, so a late answer is never an answer."""
        body = orjson.dumps({"sender": sender, "text": text, "payload": payload, "metadata": metadata})
        try:
            async with asyncio.timeout(self._timeout):
                answered = await self._post_once_more("/webhooks/desk/turn", body)
        except TimeoutError:
            raise NoAnswer("timeout") from None
        except CallFailed:
            raise NoAnswer("unreachable") from None
        if answered.status != 200:
            raise NoAnswer(f"status_{answered.status}")
        try:
            return Answer.model_validate_json(answered.body)
        except ValidationError:
            raise NoAnswer("malformed") from None

    async def _post_once_more(self, path: str, body: bytes) -> Answered:
        try:
            return await self._http.post(path, body)
        except CallFailed:
            # A restart, or an idle connection that closed under our hands. What the bot does carries the turn's id,
            # so a turn that it has already done is not done twice.
            await asyncio.sleep(RETRY_AFTER_SECONDS)
            return await self._http.post(path, body)

    async def is_ready(self) -> bool:
        return await answers(self._http, "/webhooks/desk/health")

    async def close(self) -> None:
        await self._http.close()
