"""What happens in a conversation, told to whoever listens: open tabs, waiting requests, other gateways."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_UNREAD = 256


class Kind(StrEnum):
    MESSAGE = "message"
    TYPING = "typing"
    HANDOFF = "handoff"
    ANSWERED = "answered"  # a turn is closed; for requests that wait for it


@dataclass(frozen=True, slots=True)
class Event:
    kind: Kind
    data: dict[str, Any]


class TooSlow(Exception):
    """The listener let too many events pile up; it has to begin again from the store."""


class Ended(Exception):
    """The gateway is stopping."""


class Subscription:
    """The events of one conversation, in order, from the moment of subscribing."""

    def __init__(self) -> None:
        self._unread: deque[Event] = deque()
        self._news = asyncio.Event()
        self._too_slow = False
        self._ended = False

    def put(self, event: Event) -> None:
        if len(self._unread) >= MOST_UNREAD:
            self._too_slow = True
        else:
            self._unread.append(event)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def next(self, seconds: float) -> Event | None:
        """The next event, or None after that time. Raises TooSlow, Ended."""
        if not (self._unread or self._ended or self._too_slow):
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return None
        if self._too_slow:
            raise TooSlow
        if self._unread:
            return self._unread.popleft()
        if self._ended:
            raise Ended
        return None


class Bus:
    """Tells the listeners of this process."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Subscription]] = {}
        self._ended = False

    @contextmanager
    def listening(self, public_id: str) -> Iterator[Subscription]:
        subscription = Subscription()
        if self._ended:
            subscription.end()
        self._listeners.setdefault(public_id, []).append(subscription)
        try:
            yield subscription
        finally:
            others = self._listeners[public_id]
            others.remove(subscription)
            if not others:
                del self._listeners[public_id]

    def listeners(self, public_id: str) -> int:
        return len(self._listeners.get(public_id, ()))

    def publish(self, public_id: str, event: Event) -> None:
        """Tells it after it was committed."""
        self.tell_here(public_id, event)

    def tell_here(self, public_id: str, event: Event) -> None:
        for subscription in self._listeners.get(public_id, ()):
            subscription.put(event)

    def end(self) -> None:
        """Lets every listener go, so that open streams do not hold up a stop."""
        self._ended = True
        for subscriptions in self._listeners.values():
            for subscription in subscriptions:
                subscription.end()

    async def start(self) -> None:
        """Nothing to connect to in a single process."""

    async def close(self) -> None:
        self.end()
