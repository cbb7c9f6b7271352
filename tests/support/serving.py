"""Serving an ASGI app over real HTTP on a free port, in this process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def serving(app: Any, port: int | None = None) -> AsyncIterator[str]:
    """The base URL, while it serves."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http="httptools", ws="none", log_config=None, timeout_graceful_shutdown=1)
    )
    async with running(server):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def running(server: uvicorn.Server) -> AsyncIterator[None]:
    task = asyncio.create_task(server._serve(None))
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("the server did not start")
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await task
