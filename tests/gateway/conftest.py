"""A gateway over real HTTP with a real store; only Rasa is played."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from crm import bind, migrate
from crm.database import unbind
from crm.settings import Settings
from gateway.__main__ import make_server
from gateway.parts import Parts
from tests.support.fake_rasa import FakeRasa
from tests.support.serving import free_port, running, serving

SECRET = "between gateway and rasa"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/desk.db"


@pytest.fixture
def store(database_url: str) -> Iterator[Engine]:
    engine = bind(database_url)
    migrate.upgrade(engine)
    yield engine
    unbind()


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    fake = FakeRasa(SECRET)
    async with serving(fake.app) as url:
        fake.url = url
        yield fake


@pytest.fixture
def settings(rasa: FakeRasa, database_url: str) -> Settings:
    return Settings(
        _env_file=None,
        database_url=database_url,
        port=free_port(),
        secret_key="a key for the tests",
        internal_secret=SECRET,
        rasa_url=rasa.url,
        actions_url=rasa.url,
        shop=Path(__file__).with_name("shop.toml"),
        answer_timeout_seconds=2.0,
        messages_per_minute=1_000,
        sessions_per_minute=1_000,
    )


@dataclass
class Gateway:
    """A running gateway."""

    url: str
    parts: Parts
    http: httpx.AsyncClient

    async def visitor(self, **session: Any) -> "Visitor":
        opened = await self.http.post("/api/chat/sessions", json=session)
        assert opened.status_code == 201, opened.text
        return Visitor(self, opened.json())


class Visitor:
    """Somebody with the chat window open."""

    def __init__(self, gateway: Gateway, session: dict[str, Any]) -> None:
        self.gateway, self.session = gateway, session
        self.conversation_id: str = session["conversation_id"]
        self.headers = {"Authorization": f"Bearer {session['token']}"}

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.gateway.http.post(f"/api/chat/{path}", json=body, headers=self.headers, **options)

    async def says(
        self, text: str, *, wait: float | None = 10, client_id: str | None = None, payload: str | None = None
    ) -> httpx.Response:
        body = {"text": text, "client_id": client_id or uuid.uuid4().hex}
        if payload is not None:
            body["payload"] = payload
        return await self.post("messages" + (f"?wait={wait}" if wait else ""), body)

    async def hears(self, text: str, **options: Any) -> list[str]:
        """The texts of the replies to what is said."""
        answer = await self.says(text, **options)
        assert answer.status_code == 200, answer.text
        return [reply["text"] for reply in answer.json()["replies"]]

    async def history(self, **parameters: Any) -> list[dict[str, Any]]:
        answer = await self.gateway.http.get("/api/chat/messages", params=parameters, headers=self.headers)
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


@asynccontextmanager
async def gateway_with(settings: Settings) -> AsyncIterator[Gateway]:
    server = make_server(settings)
    async with running(server):
        url = f"http://127.0.0.1:{settings.port}"
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            yield Gateway(url, server.config.app.state.parts, http)


@pytest.fixture
async def gateway(store: Engine, settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_with(settings) as running_gateway:
        yield running_gateway


@pytest.fixture
async def lin(gateway: Gateway) -> Visitor:
    """林先生, who writes Chinese."""
    return await gateway.visitor(language="zh")


@pytest.fixture
async def park(gateway: Gateway) -> Visitor:
    """Ms Park, who writes English."""
    return await gateway.visitor(language="en")
