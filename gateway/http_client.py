"""Lean HTTP calls to the desk's own processes over kept-alive connections.

Every message of a customer is one such call; a general client's redirects, cookies, proxies and content codings cost
more than the gateway's own work, and none of them occurs here.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

MOST_IDLE = 64
# Rasa's server closes idle connections after five seconds; letting go first avoids writing into a closing one.
IDLE_SECONDS = 3.0
LARGEST_ANSWER = 8 * 1024 * 1024


class CallFailed(Exception):
    """Nobody answered, or the connection broke."""


class Answered:
    """One response; httptools calls the ``on_…`` methods while it arrives."""

    def __init__(self) -> None:
        self.status = 0
        self.keep_alive = False
        self.complete = False
        self.size = 0
        self.parts: list[bytes] = []
        self.parser = httptools.HttpResponseParser(self)

    def on_body(self, part: bytes) -> None:
        self.size += len(part)
        if self.size > LARGEST_ANSWER:
            raise CallFailed("the answer is too large")
        self.parts.append(part)

    def on_message_complete(self) -> None:
        # Afterwards the parser has forgotten whether the connection may stay open.
        self.status, self.keep_alive = self.parser.get_status_code(), self.parser.should_keep_alive()
        self.complete = True

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0


class HttpClient:
    """Calls one server. Time limits are the caller's: a cancelled call closes its connection."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._path = parts.path.rstrip("/")
        fixed = {"Host": parts.netloc, "Accept": "application/json", **(headers or {})}
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in fixed.items()).encode("latin-1")
        self._idle: deque[_Connection] = deque()

    async def get(self, path: str) -> Answered:
        """Raises CallFailed."""
        return await self._call(b"GET", path, b"")

    async def post(self, path: str, body: bytes) -> Answered:
        """Sends JSON. Raises CallFailed."""
        return await self._call(b"POST", path, body)

    async def _call(self, method: bytes, path: str, body: bytes) -> Answered:
        target = (self._path + path).encode("ascii")
        head = b"%b %b HTTP/1.1\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        try:
            connection = self._reusable() or _Connection(*await asyncio.open_connection(self._host, self._port))
        except OSError as error:
            raise CallFailed("no connection") from error
        try:
            connection.writer.write(head % (method, target, self._fixed, len(body)) + body)
            answered = await _read(connection.reader)
        except BaseException as error:
            connection.writer.close()
            if isinstance(error, (OSError, httptools.HttpParserError)):
                raise CallFailed("the connection broke") from error
            raise
        self._give_back(connection, answered.keep_alive)
        return answered

    def _reusable(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            fresh = time.monotonic() - connection.idle_since < IDLE_SECONDS
            if fresh and not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.writer.close()
        return None

    def _give_back(self, connection: _Connection, keep_alive: bool) -> None:
        if keep_alive and len(self._idle) < MOST_IDLE:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.writer.close()

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().writer.close()


async def _read(reader: asyncio.StreamReader) -> Answered:
    answered = Answered()
    while not answered.complete:
        data = await reader.read(65_536)
        if not data:
            raise CallFailed("the connection ended early")
        answered.parser.feed_data(data)
    return answered


async def answers(client: HttpClient, path: str, *, seconds: float = 2.0) -> bool:
    """Whether a GET gets a 200 in time."""
    try:
        async with asyncio.timeout(seconds):
            return (await client.get(path)).status == 200
    except (CallFailed, TimeoutError):
        return False
