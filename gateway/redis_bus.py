"""The bus over Redis, so that a customer's tab and the turn may be at different gateways."""

import asyncio
import logging

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.bus import Bus, Event, Kind

log = logging.getLogger(__name__)
CHANNEL = "desk:events"
MOST_UNSENT = 5_000
PAUSE_SECONDS = 1.0
CLOSE_SECONDS = 1.0


class RedisBus(Bus):
    """Tells the listeners here at once and those elsewhere through Redis.

    What gets lost while Redis is away is found again in the store: streams look there whenever a number is missing.
    """

    def __init__(self, url: str, *, name: str) -> None:
        super().__init__()
        self._name = name
        self._redis: Redis = Redis.from_url(url, health_check_interval=15)
        self._unsent: asyncio.Queue[bytes] = asyncio.Queue(MOST_UNSENT)
        self._tasks: list[asyncio.Task[None]] = []
        self.connected = asyncio.Event()

    def publish(self, public_id: str, event: Event) -> None:
        self.tell_here(public_id, event)
        try:
            self._unsent.put_nowait(orjson.dumps([self._name, public_id, event.kind, event.data]))
        except asyncio.QueueFull:
            log.warning("redis is too slow, an event is not passed on conversation=%s", public_id)

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._send_forever()), asyncio.create_task(self._listen_forever())]

    async def _send_forever(self) -> None:
        while not self._ended:
            event = await self._unsent.get()
            try:
                await self._redis.publish(CHANNEL, event)
            except (RedisError, OSError) as error:
                log.warning("redis does not take events error=%s", type(error).__name__)

    async def _listen_forever(self) -> None:
        while not self._ended:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for message in pubsub.listen():
                        if message["type"] == "subscribe":
                            self.connected.set()
                        elif message["type"] == "message":
                            self._heard(message["data"])
            except (RedisError, OSError) as error:
                log.warning("redis gives no events error=%s", type(error).__name__)
            self.connected.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    def _heard(self, data: bytes) -> None:
        sender, public_id, kind, content = orjson.loads(data)
        if sender != self._name:
            self.tell_here(public_id, Event(Kind(kind), content))

    async def close(self) -> None:
        self.end()
        for task in self._tasks:
            task.cancel()
        # A cancellation that arrives while the client reconnects may get lost in it; a stop does not wait for that.
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        await self._redis.aclose()
