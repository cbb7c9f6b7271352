"""Several gateways behind one address, joined by a real Redis."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine

from crm.settings import Settings
from gateway.limits import Rate, RedisLimiter
from gateway.redis_bus import RedisBus
from tests.gateway.conftest import Gateway, Visitor, gateway_with
from tests.gateway.test_events import listening
from tests.support.fake_rasa import FakeRasa
from tests.support.serving import free_port

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    async def up(self) -> None:
        redis: Redis = Redis.from_url(self.url)
        async with asyncio.timeout(10):
            while True:
                try:
                    await redis.ping()
                    break
                except (RedisError, OSError):
                    await asyncio.sleep(0.02)
        await redis.aclose()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
async def two(store: Engine, settings: Settings, redis: RedisServer) -> AsyncIterator[tuple[Gateway, Gateway]]:
    await redis.up()
    first = settings.model_copy(update={"redis_url": redis.url, "messages_per_minute": 30})
    async with gateway_with(first) as one, gateway_with(first.model_copy(update={"port": free_port()})) as other:
        for gateway in (one, other):
            assert isinstance(gateway.parts.bus, RedisBus)
            await gateway.parts.bus.connected.wait()
        yield one, other


async def test_a_tab_at_one_sees_what_is_said_at_the_other(two: tuple[Gateway, Gateway]) -> None:
    park = await two[0].visitor()
    async with listening(park) as stream:
        assert await Visitor(two[1], park.session).hears("hello") == ["You said: hello"]
        seen = [await stream.next("message", "typing") for _ in range(4)]
    assert [event["event"] for event in seen] == ["message", "typing", "typing", "message"]


async def test_a_repeat_at_the_other_waits_for_the_same_turn(two: tuple[Gateway, Gateway], rasa: FakeRasa) -> None:
    rasa.takes(0.3)
    park = await two[0].visitor()
    answers = await asyncio.gather(
        *(Visitor(gateway, park.session).says("hello", client_id="a") for gateway in two for _ in range(3))
    )
    assert len({answer.text for answer in answers}) == 1
    assert rasa.texts == ["hello"]


async def test_limits_are_counted_together(two: tuple[Gateway, Gateway]) -> None:
    park = await two[0].visitor()
    visitors = [Visitor(gateway, park.session) for gateway in two]
    statuses = [(await visitors[number % 2].says(str(number), wait=None)).status_code for number in range(34)]
    assert statuses[:30] == [202] * 30
    assert 429 in statuses[30:]


async def test_without_redis_everything_goes_on(two: tuple[Gateway, Gateway], redis: RedisServer) -> None:
    park = await two[0].visitor()
    redis.stop()
    assert await Visitor(two[1], park.session).hears("hello") == ["You said: hello"]
    redis.start()
    await redis.up()
    for gateway in two:
        assert isinstance(gateway.parts.bus, RedisBus)
        async with asyncio.timeout(10):
            await gateway.parts.bus.connected.wait()
    async with listening(park) as stream:
        await Visitor(two[1], park.session).says("again", wait=None)
        assert (await stream.next("message"))["text"] == "again"


async def test_a_shared_bucket_says_how_long_to_wait(redis: RedisServer) -> None:
    await redis.up()
    limiter = RedisLimiter(redis.url)
    assert [await limiter.wait_for("a", Rate(2)) for _ in range(2)] == [0, 0]
    assert 25 < await limiter.wait_for("a", Rate(2)) <= 30
    assert await limiter.wait_for("b", Rate(2)) == 0
    await limiter.close()
