"""Attacks on a real gateway over real HTTP with a real store; only Rasa is played, except in test_product.py."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from crm import bind, migrate
from crm.database import unbind
from crm.settings import Settings
from tests.gateway.conftest import Gateway, gateway, lin, park, rasa
from tests.gateway.conftest import settings as gateway_settings
from tests.gateway.test_console import PASSWORD, Console
from tests.support.serving import free_port

__all__ = ["gateway", "gateway_settings", "lin", "park", "rasa"]

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with this version's schema, to be copied: there are hundreds of attacks."""
    file = tmp_path_factory.mktemp("store") / "empty.db"
    engine = bind(f"sqlite:///{file}")
    migrate.upgrade(engine)
    unbind()
    return file


@pytest.fixture
def database_url(tmp_path: Path, empty_store: Path) -> str:
    shutil.copy(empty_store, tmp_path / "desk.db")
    return f"sqlite:///{tmp_path}/desk.db"


@pytest.fixture
def store(database_url: str) -> Iterator[Engine]:
    yield bind(database_url)
    unbind()


@pytest.fixture
def settings(gateway_settings: Settings) -> Settings:
    """With an owner who can sign in."""
    known = Settings(_env_file=None, owner_password=PASSWORD)
    return gateway_settings.model_copy(update={"owner_password": known.owner_password})


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[Console]:
    """Somebody at /owner who has not signed in."""
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=20) as http:
        yield Console(http)


@pytest.fixture
async def owner(browser: Console) -> Console:
    assert (await browser.sign_in()).status_code == 303
    return browser


Raw = Callable[..., Awaitable[bytes]]


@pytest.fixture
def raw(settings: Settings) -> Raw:
    """Sends bytes as they are; what comes back until the server closes or falls silent."""

    async def send(*pieces: bytes, pause: float = 0.0, silence: float = 0.7) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", settings.port)
        heard = bytearray()

        async def hear() -> None:
            with contextlib.suppress(ConnectionError):
                while more := await reader.read(65_536):
                    heard.extend(more)

        hearing = asyncio.create_task(hear())
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.wait({hearing}, timeout=pause)
                if hearing.done():
                    break
        before = -1
        while not hearing.done() and before < len(heard):
            before = len(heard)
            await asyncio.wait({hearing}, timeout=silence)
        hearing.cancel()
        writer.close()
        return bytes(heard)

    return send


def statuses(heard: bytes) -> list[int]:
    """Of all answers that came over one connection."""
    return [int(status) for status in STATUS.findall(heard)]


def values_of(thing: Any) -> list[str]:
    """All texts in a JSON answer."""
    if isinstance(thing, dict):
        return [text for value in thing.values() for text in values_of(value)]
    if isinstance(thing, list):
        return [text for value in thing for text in values_of(value)]
    return [thing] if isinstance(thing, str) else []


__all__ += ["Raw", "free_port", "statuses", "values_of"]
