"""Requests made up from the API's own description, good and bad: every answer is one that the description promises."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crm import bind
from crm.database import unbind
from crm.settings import Settings
from gateway.__main__ import make_server
from tests.support.fake_rasa import FakeRasa
from tests.support.product import ROOT
from tests.support.serving import free_port, running, serving

SECRET = "between gateway and rasa"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 40
HURRIED = list(HealthCheck)


async def serve(config: Settings, ready: threading.Event, stop: threading.Event) -> None:
    rasa = FakeRasa(SECRET)
    async with serving(rasa.app) as url:
        config = config.model_copy(update={"rasa_url": url, "actions_url": url})
        async with running(make_server(config)):
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[str]:
    """A gateway in a thread of its own: what asks it here does not wait in an event loop."""
    file = tmp_path_factory.mktemp("api") / "desk.db"
    file.write_bytes(empty_store.read_bytes())
    config = Settings(
        _env_file=None,
        database_url=f"sqlite:///{file}",
        port=free_port(),
        secret_key="a key for the tests",
        internal_secret=SECRET,
        shop=ROOT / "tests" / "gateway" / "shop.toml",
        messages_per_minute=1_000_000,
        sessions_per_minute=1_000_000,
    )
    bind(config.database_url)
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve(config, ready, stop)))
    thread.start()
    assert ready.wait(30)
    yield f"http://127.0.0.1:{config.port}"
    stop.set()
    thread.join()
    unbind()


@pytest.fixture(scope="module")
def token(url: str) -> str:
    opened = httpx.post(f"{url}/api/chat/sessions", trust_env=False)
    assert opened.status_code == 201
    return str(opened.json()["token"])


OPERATIONS = [
    ("POST", "/api/chat/sessions"),
    ("POST", "/api/chat/messages"),
    ("GET", "/api/chat/messages"),
    ("POST", "/api/chat/typing"),
    ("POST", "/api/chat/feedback"),
    ("POST", "/api/chat/telegram"),
    ("GET", "/api/shop"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]
ENDLESS = ("GET", "/api/chat/events")


@pytest.fixture(scope="module")
def described(url: str) -> Any:
    return schemathesis.openapi.from_url(f"{url}/api/openapi.json")


def test_everything_described_is_tried(described: Any) -> None:
    found = {(found.ok().method.upper(), found.ok().path) for found in described.get_all_operations()}
    assert found == {*OPERATIONS, ENDLESS}


def once(case: Any) -> None:
    """A new name for each message, or the first answer would be given again; and no long waits."""
    if isinstance(case.body, dict) and isinstance(case.body.get("client_id"), str):
        case.body["client_id"] = f"{case.body['client_id'][:90]}{uuid.uuid4().hex}"
    if isinstance((case.query or {}).get("wait"), float | int):
        case.query["wait"] = min(case.query["wait"], 1)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_described(described: Any, token: str, method: str, path: str, mode: GenerationMode) -> None:
    operation = described[path][method]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=HURRIED)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        once(case)
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        pytest.skip("nothing can be wrong in a request without parts")


@pytest.mark.parametrize(("method", "path"), [*OPERATIONS[1:6], ENDLESS])
def test_without_a_session_nothing_of_the_chat_is_answered(described: Any, method: str, path: str) -> None:
    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=HURRIED)
    @given(case=described[path][method].as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(headers={"Authorization": "Bearer forged"})
        assert answer.status_code in (400, 401, 422), answer.text

    ask()
