"""Calls to the desk's own processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.http_client import CallFailed, HttpClient
from tests.support.serving import serving

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(handler: Handler) -> AsyncIterator[HttpClient]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    client = HttpClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server:
        yield client
        await client.close()


async def test_connections_are_used_again() -> None:
    callers = set()

    async def answer(request: Request) -> Response:
        assert request.client is not None
        callers.add(request.client.port)
        return Response((await request.body()) + request.headers["Authorization"].encode())

    async with serving(Starlette(routes=[Route("/deep/echo", answer, methods=["POST"])])) as url:
        client = HttpClient(f"{url}/deep/", {"Authorization": "Bearer secret"})
        for _ in range(5):
            answered = await client.post("/echo", "你好".encode())
            assert (answered.status, answered.body.decode()) == (200, "你好Bearer secret")
        await client.close()
    assert len(callers) == 1


async def test_an_answer_in_chunks_is_put_together() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(50):
            yield str(number).encode() * 1_000

    async def answer(_request: Request) -> Response:
        return StreamingResponse(pieces())

    async with serving(Starlette(routes=[Route("/", answer)])) as url:
        client = HttpClient(url)
        answered = await client.get("/")
        await client.close()
    assert answered.body == b"".join([str(number).encode() * 1_000 for number in range(50)])


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b"220 this is a mail server\r\n"]
)
async def test_a_broken_answer_is_a_failure(said: bytes) -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with raw_server(broken) as client:
        with pytest.raises(CallFailed):
            await client.get("/")


async def test_nobody_there_is_a_failure() -> None:
    with pytest.raises(CallFailed):
        await HttpClient("http://127.0.0.1:9").get("/")


async def test_a_call_that_is_given_up_leaves_no_connection() -> None:
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()
        writer.close()

    async with raw_server(silent) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.get("/")
        async with asyncio.timeout(5):
            await closed.wait()
