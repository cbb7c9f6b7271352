"""Whether every part answers."""

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.http_client import HttpClient, answers
from gateway.rasa_client import RasaClient
from gateway.store import Store

CACHED_SECONDS = 0.8
CHECK_SECONDS = 2.0


class Readiness:
    """Asks every part, at most about once a second."""

    def __init__(self, *, store: Store, rasa: RasaClient, actions_url: str) -> None:
        self._store, self._rasa, self._actions = store, rasa, HttpClient(actions_url)
        self._lock = asyncio.Lock()
        self._known: dict[str, bool] = {}
        self._asked_at = float("-inf")

    async def parts_ready(self) -> dict[str, bool]:
        async with self._lock:
            if time.monotonic() - self._asked_at > CACHED_SECONDS:
                store, rasa, actions = await asyncio.gather(
                    self._store_answers(), self._rasa.is_ready(), answers(self._actions, "/health")
                )
                self._known = {"store": store, "rasa": rasa, "actions": actions}
                self._asked_at = time.monotonic()
        return self._known

    async def _store_answers(self) -> bool:
        def ask(session: Session) -> bool:
            return bool(session.scalar(text("SELECT 1")) == 1)

        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await self._store.read(ask)
        except Exception:
            # Whatever it is, the store does not answer; the failing requests log what it is.
            return False

    async def close(self) -> None:
        await self._actions.close()
