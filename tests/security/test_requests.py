"""Requests that are meant to be read in two ways, to be too large or to last for ever."""

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import Engine, func, select

import crm
from crm.models import Conversation
from crm.settings import Settings
from gateway.__main__ import make_server
from gateway.connections import ConnectionLimits
from tests.gateway.conftest import Gateway
from tests.security.conftest import Raw, statuses
from tests.support.serving import running

# What an attacker hides behind a first request; if it is carried out, a conversation is opened.
HIDDEN = b"POST /api/chat/sessions HTTP/1.1\r\nHost: desk\r\nContent-Length: 2\r\n\r\n{}"
SHORT = ConnectionLimits(
    head_seconds=0.4, body_seconds=0.4, taking_seconds=0.4, largest_head=4_096, most=6, most_per_address=4
)


def opened() -> int:
    with crm.session() as session:
        return session.scalar(select(func.count()).select_from(Conversation)) or 0


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /api/chat/typing HTTP/1.1", *headers, b"", b""]) + body


HOST = b"Host: desk"
CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
LENGTH_OF_END = b"Content-Length: %d" % len(END + HIDDEN)


@pytest.mark.parametrize(
    "request_head",
    [
        pytest.param(post(HOST, LENGTH_OF_END, CHUNKED, body=END), id="length, then chunked"),
        pytest.param(post(HOST, CHUNKED, LENGTH_OF_END, body=END), id="chunked, then length"),
        pytest.param(post(HOST, b"Content-Length: 0", LENGTH_OF_END), id="two lengths"),
        pytest.param(post(HOST, b"Content-Length: 0, 5"), id="two lengths in one"),
        pytest.param(post(HOST, b"Content-Length: +0"), id="a length with a sign"),
        pytest.param(post(HOST, b"Content-Length: -1"), id="a negative length"),
        pytest.param(post(HOST, b"Content-Length: 0x0"), id="a hexadecimal length"),
        pytest.param(post(HOST, b"Content-Length: 99999999999999999999999"), id="a length beyond numbers"),
        pytest.param(post(HOST, b"Transfer-Encoding: xchunked", b"Content-Length: 0"), id="an unknown encoding"),
        pytest.param(post(HOST, b"Transfer-Encoding: chunked, identity", body=END), id="chunked not last"),
        pytest.param(post(HOST, b"Transfer-Encoding: identity, chunked", b"Content-Length: 0", body=END), id="a list"),
        pytest.param(post(HOST, b"Transfer-Encoding : chunked", body=END), id="a space before the colon"),
        pytest.param(post(HOST, b" Transfer-Encoding: chunked", body=END), id="a folded header"),
        pytest.param(post(HOST, b"Transfer-Encoding:\x0bchunked", body=END), id="a vertical tab"),
        pytest.param(post(HOST, b"Transfer-Encoding: chunked\x00", body=END), id="a zero byte"),
        pytest.param(post(HOST, b"X: 1\nTransfer-Encoding: chunked", body=END), id="a bare line feed"),
        pytest.param(post(HOST, b"X: 1\rTransfer-Encoding: chunked", body=END), id="a bare carriage return"),
        pytest.param(post(HOST, CHUNKED, body=b"+0\r\n\r\n"), id="a chunk size with a sign"),
        pytest.param(post(HOST, CHUNKED, body=b"0x0\r\n\r\n"), id="a hexadecimal chunk size"),
        pytest.param(post(HOST, CHUNKED, body=b"fffffffffffffffff\r\n"), id="a chunk size beyond numbers"),
        pytest.param(post(HOST, CHUNKED, body=b"3\r\nabcdefg\r\n"), id="a chunk longer than it says"),
        pytest.param(post(HOST, b"Host: evil.example"), id="two hosts"),
        pytest.param(post(b"X: 1"), id="no host"),
        pytest.param(b"POST /api/chat/typing HTTP/1.1\r\nHost: a\r\n: nameless\r\n\r\n", id="a header without a name"),
        pytest.param(b"GET /healthz\r\nHost: desk HTTP/1.1\r\n\r\n", id="no version"),
        pytest.param(b"GET /healthz HTTP/9.9\r\nHost: desk\r\n\r\n", id="an unknown version"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"G\x00T /healthz HTTP/1.1\r\nHost: desk\r\n\r\n", id="a zero byte in the method"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
    ],
)
async def test_what_can_be_read_in_two_ways_is_refused_and_hides_nothing(
    gateway: Gateway, raw: Raw, request_head: bytes
) -> None:
    heard = await raw(request_head + HIDDEN)
    assert statuses(heard) == [400]
    assert b"connection: close" in heard.lower()
    assert opened() == 0


async def test_a_request_to_another_host_gets_no_other_site(gateway: Gateway, raw: Raw) -> None:
    heard = await raw(b"GET http://evil.example/owner HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert statuses(heard) == [303]
    assert b"location: /owner/sign-in" in heard.lower()


@pytest.mark.parametrize("end", [b"%0d%0aX-Evil:%201", b"%0aX-Evil:%201", b"%E5%98%8A%E5%98%8DX-Evil:%201"])
@pytest.mark.parametrize("path", [b"/owner/conversations/1", b"/owner/sign-in?next=/owner", b"/demo", b"/my-data/x"])
async def test_a_line_end_in_an_address_makes_no_header(gateway: Gateway, raw: Raw, path: bytes, end: bytes) -> None:
    heard = await raw(b"GET " + path + end + b" HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n")
    head = heard.partition(b"\r\n\r\n")[0].lower()
    assert b"\nx-evil" not in head
    assert statuses(heard)[0] < 500


class TestLimits:
    """Against a gateway with short limits."""

    @pytest.fixture
    async def hurried(self, store: Engine, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
        async with (
            running(make_server(settings, SHORT)),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", trust_env=False) as http,
        ):
            yield http

    async def test_a_head_that_trickles_in_is_given_up(self, hurried: httpx.AsyncClient, raw: Raw) -> None:
        heard = await raw(b"GET /healthz HTTP/1.1\r\n", *[b"X: 1\r\n"] * 20, pause=0.1)
        assert statuses(heard) == [408]

    async def test_a_body_that_trickles_in_is_given_up(self, hurried: httpx.AsyncClient, raw: Raw) -> None:
        start = b"POST /api/chat/sessions HTTP/1.1\r\nHost: desk\r\nContent-Length: 60\r\n\r\n"
        heard = await raw(start, *[b" "] * 20, pause=0.1)
        assert statuses(heard) == [408]
        assert opened() == 0

    async def test_chunks_that_trickle_in_are_given_up(self, hurried: httpx.AsyncClient, raw: Raw) -> None:
        start = b"POST /api/chat/sessions HTTP/1.1\r\nHost: desk\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert statuses(await raw(start, *[b"1\r\n \r\n"] * 20, pause=0.1)) == [408]

    async def test_a_connection_that_says_nothing_is_closed(self, hurried: httpx.AsyncClient, raw: Raw) -> None:
        assert await raw(b"", silence=3) == b""
        assert (await hurried.get("/healthz")).status_code == 200

    async def test_empty_lines_keep_no_connection(self, hurried: httpx.AsyncClient, raw: Raw) -> None:
        first = b"GET /healthz HTTP/1.1\r\nHost: desk\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", hurried.base_url.port or 0)
        writer.write(first)
        assert await reader.readuntil(b"}")
        closed = asyncio.create_task(reader.read())
        for _ in range(30):
            if closed.done():
                break
            writer.write(b"\r\n")
            await asyncio.sleep(0.1)
        assert closed.done()
        writer.close()

    @pytest.mark.parametrize(
        "head",
        [
            pytest.param(b"GET /healthz HTTP/1.1\r\nHost: desk\r\nX: " + b"a" * 8_000, id="one that never ends"),
            pytest.param(b"GET /healthz HTTP/1.1\r\nHost: desk\r\n" + b"X: 1\r\n" * 2_000, id="many without an end"),
            pytest.param(b"GET /healthz HTTP/1.1\r\nHost: desk\r\nX: " + b"a" * 8_000 + b"\r\n\r\n", id="a long one"),
            pytest.param(b"GET /healthz?" + b"a" * 8_000 + b" HTTP/1.1\r\nHost: desk\r\n\r\n", id="a long address"),
        ],
    )
    async def test_a_large_head_is_refused(self, hurried: httpx.AsyncClient, raw: Raw, head: bytes) -> None:
        assert statuses(await raw(head)) in ([431], [400])

    async def test_an_answer_that_nobody_takes_is_given_up(self, store: Engine, settings: Settings) -> None:
        server = make_server(settings, dataclasses.replace(SHORT, largest_head=32_768))
        async with running(server):
            with socket.create_connection(("127.0.0.1", settings.port)) as reads_nothing:
                reads_nothing.setblocking(False)
                asked = b"GET /widget.js HTTP/1.1\r\nHost: desk\r\n\r\n" * 500
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(60):
                    with contextlib.suppress(ConnectionError):
                        while True:
                            await loop.sock_sendall(reads_nothing, asked)
                async with asyncio.timeout(10):
                    while server.server_state.connections:
                        await asyncio.sleep(0.05)

    async def test_one_address_holds_only_so_many_connections(
        self, hurried: httpx.AsyncClient, settings: Settings, raw: Raw
    ) -> None:
        asked = b"GET /healthz HTTP/1.1\r\nHost: desk\r\n\r\n"
        held = [await asyncio.open_connection("127.0.0.1", settings.port) for _ in range(SHORT.most_per_address)]
        assert await raw(asked) == b""
        for _, other in held:
            other.close()
        await asyncio.sleep(0.1)
        assert statuses(await raw(asked)) == [200]

    async def test_patient_work_is_not_cut_off(self, hurried: httpx.AsyncClient) -> None:
        session = (await hurried.post("/api/chat/sessions")).json()
        headers = {"Authorization": f"Bearer {session['token']}"}
        async with hurried.stream("GET", "/api/chat/events", headers=headers, timeout=5) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 2000"
            await asyncio.sleep(1)  # longer than any limit above
            await hurried.post(
                "/api/chat/messages?wait=5", json={"text": "Hello", "client_id": "1"}, headers=headers, timeout=10
            )
            async for line in lines:
                if line.startswith("data:") and "Hello" in line:
                    return
        raise AssertionError("the stream ended")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/chat/sessions"),
        ("POST", "/api/chat/messages"),
        ("POST", "/api/chat/feedback"),
        ("POST", "/owner/sign-in"),
        ("POST", "/owner/do/x"),
        ("POST", "/my-data/x"),
        ("POST", "/owner/knowledge"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_no_body_over_64_kb_is_read(gateway: Gateway, raw: Raw, method: str, path: str, chunked: bool) -> None:
    start = f"{method} {path} HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n".encode()
    if chunked:
        heard = await raw(start + b"Transfer-Encoding: chunked\r\n\r\n", *[b"4000\r\n" + b"a" * 0x4000 + b"\r\n"] * 8)
    else:
        heard = await raw(start + b"Content-Length: 9000000000\r\n\r\n", b"a" * 1_000)
    # Those who are not signed in or know no link are refused before anything is read.
    assert statuses(heard)[:1] in ([413], [401], [404])
    assert (await gateway.http.get("/healthz")).status_code == 200
