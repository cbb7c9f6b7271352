"""Rasa's working memory of a conversation: one row each, and never longer than a few turns.

Older turns are folded into the slots and the active form they led to, so the 1,000th message costs as much as the
10th and nothing that was filled in is lost. The record of what was said is the gateway's, not this.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.utils.common import all_subclasses
from sqlalchemy.pool import StaticPool

from bot.sealing import Sealing

DEFAULT_URL = "sqlite:///var/rasa.db"
# Folding starts when there are more turns than FOLD_ABOVE and leaves KEEP: it is not done at every message.
KEEP_TURNS = 8
FOLD_ABOVE_TURNS = 15

_metadata = sa.MetaData()
_trackers = sa.Table(
    "trackers",
    _metadata,
    sa.Column("sender_id", sa.String(255), primary_key=True),
    sa.Column("events", sa.LargeBinary, nullable=False),
    sa.Column("saved_at", sa.Float, nullable=False, index=True),
)

Result = TypeVar("Result")


class CompactTrackerStore(TrackerStore):
    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,  # Rasa's name for the URL in endpoints.yml
        event_broker: EventBroker | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker)
        self._engine = _engine(host or DEFAULT_URL)
        self._sealing = Sealing(os.environ.get("DESK_TRACKER_KEY", ""))
        self._is_remote = self._engine.dialect.name != "sqlite"
        _metadata.create_all(self._engine)

    async def save(self, tracker: DialogueStateTracker) -> None:
        events = folded(list(tracker.events), self.domain, tracker.sender_id)
        told = orjson.dumps([as_stored(event) for event in events])
        await self._run(self._write, tracker.sender_id, self._sealing.seal(tracker.sender_id, told))

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        stored = await self._run(self._read, sender_id)
        if stored is None:
            return None
        events = [event_from(parameters) for parameters in orjson.loads(stored)]
        return DialogueStateTracker.from_events(
            sender_id, events, self.domain.slots, max_event_history=self.max_event_history, domain=self.domain
        )

    async def exists(self, conversation_id: str) -> bool:
        return await self._run(self._read, conversation_id) is not None

    async def keys(self) -> Iterable[str]:
        return await self._run(self._senders)

    async def delete(self, sender_id: str) -> None:
        """Forgets a conversation; one that is not known is already forgotten."""
        await self._run(self._erase, sender_id)

    async def _run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        # SQLite answers faster than a thread is woken; a server across the network must not hold up everybody else.
        if self._is_remote:
            return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)
        return work(*arguments)

    def _write(self, sender_id: str, events: bytes) -> None:
        values = {"events": events, "saved_at": time.time()}
        with self._engine.begin() as connection:
            changed = connection.execute(
                sa.update(_trackers).where(_trackers.c.sender_id == sender_id).values(**values)
            )
            if changed.rowcount == 0:
                connection.execute(sa.insert(_trackers).values(sender_id=sender_id, **values))

    def _read(self, sender_id: str) -> bytes | None:
        with self._engine.connect() as connection:
            stored = connection.execute(
                sa.select(_trackers.c.events).where(_trackers.c.sender_id == sender_id)
            ).scalar()
        return None if stored is None else self._sealing.open(sender_id, bytes(stored))

    def _senders(self) -> list[str]:
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(_trackers.c.sender_id)).scalars())

    def _erase(self, sender_id: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_trackers).where(_trackers.c.sender_id == sender_id))
        if not self._is_remote:
            # What was written stays readable in the log until that is emptied too.
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _engine(url: str) -> sa.engine.Engine:
    parsed = sa.engine.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True)
    if parsed.database not in (None, "", ":memory:"):
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    # One connection, kept: closing it would write the log back into the file after every turn.
    engine = sa.create_engine(parsed, connect_args={"check_same_thread": False, "timeout": 10}, poolclass=StaticPool)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")  # an erased conversation leaves no bytes behind

    return engine


@lru_cache(maxsize=1)
def _event_classes() -> dict[str, type[Event]]:
    # Rasa walks all subclasses of Event anew for every event it reads, two thirds of a long conversation's time.
    return {event.type_name: event for event in all_subclasses(Event)}


def event_from(parameters: dict[str, Any]) -> Event:
    """The event, as Rasa's own `Event.from_parameters` would make it."""
    return _event_classes()[parameters["event"]]._from_parameters(parameters)


def as_stored(event: Event) -> dict[str, Any]:
    """The event without what parsing left behind and nobody reads again."""
    parameters = event.as_dict()
    if isinstance(event, UserUttered) and (parsed := parameters.get("parse_data")):
        parameters["parse_data"] = {key: value for key, value in parsed.items() if key != "text_tokens"}
    return parameters


def folded(events: list[Event], domain: Domain, sender_id: str) -> list[Event]:
    """The same state in fewer events: all of the last turns, and what the ones before them led to."""
    turns = [position for position, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(turns) <= FOLD_ABOVE_TURNS:
        return events
    start = turns[-KEEP_TURNS]
    # The action_listen in front belongs to the turn: the first state kept must look as it did.
    if start > 0 and isinstance(events[start - 1], ActionExecuted):
        start -= 1
    past = DialogueStateTracker.from_events(sender_id, events[:start], domain.slots, domain=domain)
    when = events[start].timestamp
    head: list[Event] = [ActionExecuted("action_session_start", timestamp=when), SessionStarted(timestamp=when)]
    head += [
        SlotSet(name, slot.value, timestamp=when)
        for name, slot in past.slots.items()
        if slot.value != slot.initial_value
    ]
    if past.active_loop is not None and past.active_loop.name:
        head.append(ActiveLoop(past.active_loop.name, timestamp=when))
    for event in head:
        event.metadata = dict(events[start].metadata or {}) if "model_id" in (events[start].metadata or {}) else {}
    return head + events[start:]
