"""Asking more often than people do: each counter stops it with 429 and says when to come again."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import Engine

from crm.settings import Settings
from gateway import events, own_data, web
from gateway.links import routes as links
from tests.gateway.conftest import Gateway, Visitor, gateway_with

MANY = {"text": "hello", "client_id": "x"}


@pytest.fixture
async def strict(store: Engine, settings: Settings) -> AsyncIterator[Gateway]:
    """Three messages a minute, and three sessions."""
    limited = settings.model_copy(update={"messages_per_minute": 3, "sessions_per_minute": 3})
    async with gateway_with(limited) as running:
        yield running


def is_refused(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["error"]["code"] == "too_many_requests"
    return True


async def says(gateway: Gateway, visitor: Visitor, times: int) -> list[bool]:
    answers = [await visitor.says("hello", wait=None) for _ in range(times)]
    assert {answer.status_code for answer in answers} <= {202, 429}
    return [is_refused(answer) for answer in answers]


async def test_new_chats_of_one_address(strict: Gateway) -> None:
    answers = [await strict.http.post("/api/chat/sessions") for _ in range(5)]
    assert [is_refused(answer) for answer in answers] == [False] * 3 + [True] * 2


async def test_new_chats_of_all_addresses_together(strict: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ADDRESSES_AT_ONCE", 2)
    refused = []
    for n in range(8):
        elsewhere = httpx.AsyncHTTPTransport(local_address=f"127.0.0.{n + 10}")
        async with httpx.AsyncClient(base_url=strict.url, transport=elsewhere) as http:
            refused.append(is_refused(await http.post("/api/chat/sessions")))
    assert refused == [False] * 6 + [True] * 2


async def test_messages_of_one_visitor(strict: Gateway) -> None:
    park, lin = await strict.visitor(), await strict.visitor()
    assert await says(strict, park, 5) == [False] * 3 + [True] * 2
    assert await says(strict, lin, 1) == [False]


async def test_messages_of_one_address(strict: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "VISITORS_PER_ADDRESS", 1)
    park, lin = await strict.visitor(), await strict.visitor()
    assert await says(strict, park, 3) == [False] * 3
    assert await says(strict, lin, 1) == [True]
    elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.9")
    async with httpx.AsyncClient(base_url=strict.url, transport=elsewhere, headers=lin.headers) as http:
        assert not is_refused(await http.post("/api/chat/messages", json=MANY))


async def test_messages_of_all_together(strict: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "VISITORS_AT_ONCE", 1)
    park, lin = await strict.visitor(), await strict.visitor()
    assert await says(strict, park, 3) == [False] * 3
    elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.9")
    async with httpx.AsyncClient(base_url=strict.url, transport=elsewhere, headers=lin.headers) as http:
        assert is_refused(await http.post("/api/chat/messages", json=MANY))


async def test_scores_of_one_visitor(strict: Gateway) -> None:
    park = await strict.visitor()
    answers = [await park.post("feedback", {"score": 5}) for _ in range(5)]
    assert [is_refused(answer) for answer in answers] == [False] * 3 + [True] * 2


@pytest.mark.parametrize(("method", "path"), [("GET", "messages"), ("POST", "typing")])
async def test_looking_and_typing_of_one_visitor(strict: Gateway, method: str, path: str) -> None:
    park = await strict.visitor()
    allowed = 3 * web.READS_PER_MESSAGE
    answers = [await strict.http.request(method, f"/api/chat/{path}", headers=park.headers) for _ in range(allowed + 2)]
    assert [is_refused(answer) for answer in answers] == [False] * allowed + [True] * 2


async def test_streams_of_one_conversation(strict: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_TABS", 1)
    park = await strict.visitor()
    async with strict.http.stream("GET", "/api/chat/events", headers=park.headers) as first:
        assert await anext(first.aiter_lines()) == "retry: 2000"
        assert is_refused(await strict.http.get("/api/chat/events", headers=park.headers))


async def test_streams_opened_again_and_again(strict: Gateway) -> None:
    park = await strict.visitor()
    for _ in range(3 * web.READS_PER_MESSAGE):
        async with strict.http.stream("GET", "/api/chat/events", headers=park.headers) as stream:
            assert stream.status_code == 200
    assert is_refused(await strict.http.get("/api/chat/events", headers=park.headers))


@pytest.mark.parametrize("path", ["/my-data/guess", "/owner/do/guess"])
async def test_guesses_of_one_time_links(strict: Gateway, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(own_data, "USES_PER_MINUTE", 4)
    monkeypatch.setattr(links, "USES_PER_MINUTE", 4)
    answers = [await strict.http.get(path) for _ in range(3)] + [await strict.http.post(path) for _ in range(3)]
    assert [answer.status_code for answer in answers[:4]] == [404] * 4
    assert all(is_refused(answer) for answer in answers[4:])


async def test_links_to_telegram(strict: Gateway) -> None:
    park = await strict.visitor()
    answers = [await park.post("telegram") for _ in range(4)]
    assert [answer.status_code for answer in answers[:3]] == [404] * 3
    assert is_refused(answers[3])


async def test_a_forged_token_empties_nobodys_bucket(strict: Gateway) -> None:
    park = await strict.visitor()
    for _ in range(20):
        answer = await strict.http.post(
            "/api/chat/messages", json=MANY, headers={"Authorization": park.headers["Authorization"] + "x"}
        )
        assert answer.status_code == 401
    assert await says(strict, park, 1) == [False]


async def test_what_is_refused_leaves_no_trace_in_the_conversation(strict: Gateway) -> None:
    park = await strict.visitor()
    await says(strict, park, 6)
    said = [message for message in await park.history() if message["author"] == "customer"]
    assert len(said) == 3
