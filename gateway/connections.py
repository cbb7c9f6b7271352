"""What a connection may cost: requests that trickle in or never end are closed, and there is a most of them."""

import asyncio
import logging
import resource
from asyncio.events import TimerHandle
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

log = logging.getLogger(__name__)
FILES_FOR_THE_REST = 256


@dataclass(frozen=True)
class ConnectionLimits:
    """Seconds a request may take to arrive and an answer to be taken, the largest head in bytes, most connections."""

    head_seconds: float = 15.0
    body_seconds: float = 30.0
    taking_seconds: float = 60.0
    largest_head: int = 32 * 1024
    most: int = 8_000
    most_per_address: int = 2_000


class Phase(StrEnum):
    """How far the request being read has come."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"


class BadHead(Exception):
    """A head that other servers may understand in another way, or one that is too large."""


class BoundedConnection(HttpToolsProtocol):
    """HTTP/1.1 with limits. ``limits``, ``held`` and ``proxied`` are set by ``bounded``."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    held: ClassVar[Counter[str]] = Counter()
    proxied: ClassVar[bool] = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._phase = Phase.IDLE
        self._head = 0
        self._reading: TimerHandle | None = None
        self._writing: TimerHandle | None = None
        self._address: str | None = None

    # the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.most or not self._counted():
            log.warning("too many connections")
            transport.abort()
            return
        self._wait(self.limits.head_seconds)

    def _counted(self) -> bool:
        """Whether the address may have one more. A proxy of ours brings everybody's."""
        if self.proxied or self.client is None:
            return True
        self._address = self.client[0]
        self.held[self._address] += 1
        return self.held[self._address] <= self.limits.most_per_address

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._took()
        if self._address is not None:
            self.held[self._address] -= 1
            if self.held[self._address] <= 0:
                del self.held[self._address]
            self._address = None
        super().connection_lost(exc)

    # reading

    def data_received(self, data: bytes) -> None:
        if self._reading is None and self._phase is Phase.IDLE and (self.cycle is None or self.cycle.response_complete):
            self._wait(self.limits.head_seconds)
        if self._phase is not Phase.BODY:
            self._head += len(data)
        super().data_received(data)
        if self._phase is Phase.HEAD and self._head > self.limits.largest_head and not self.transport.is_closing():
            self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = Phase.HEAD

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        hosts = sum(1 for name, _ in self.headers if name == b"host")
        if version not in ("1.0", "1.1") or hosts > 1 or (hosts == 0 and version == "1.1"):
            raise BadHead
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.limits.largest_head:
            raise BadHead
        super().on_headers_complete()
        self._phase, self._head = Phase.BODY, 0
        self._wait(self.limits.body_seconds)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._phase = Phase.IDLE
        self._stop_waiting()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._reading = self.loop.call_later(seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _too_slow(self) -> None:
        self._reading = None
        if self.transport.is_closing():
            return
        if self._phase is Phase.IDLE or (self._phase is Phase.BODY and self.cycle.response_started):
            self.transport.close()
        else:
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Says so and closes. Not while another answer is being written, which this would cut in two."""
        running = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not running:
            lines = [STATUS_LINE[status], b"content-length: 0\r\n", b"connection: close\r\n", b"\r\n"]
            self.transport.write(b"".join(lines))
        self.transport.close()

    # writing

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self.limits.taking_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._took()

    def _took(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None


def bounded(limits: ConnectionLimits, *, trusted_proxies: str) -> type[asyncio.Protocol]:
    """A protocol for one server, with counts of its own."""
    within_files = min(limits.most, max(64, open_files() - FILES_FOR_THE_REST))
    named = {
        "limits": ConnectionLimits(**{**vars(limits), "most": within_files}),
        "held": Counter[str](),
        "proxied": bool(trusted_proxies.strip()),
    }
    return type("BoundedConnection", (BoundedConnection,), named)


def open_files() -> int:
    """How many files this process may have open, after asking for as many as the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return wanted if soft == resource.RLIM_INFINITY else soft
