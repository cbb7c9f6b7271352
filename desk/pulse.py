"""Whether a process that lives still answers: its health address is asked over and over, without waiting for it."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

ASK_EVERY_SECONDS = 5.0
# A supervisor that was itself held up must not take its own absence for the silence of others.
LONGEST_STEP_SECONDS = 2.0


class Pulse:
    """Any HTTP answer counts, an error too: what matters is that somebody is there.

    ``silent_seconds`` counts from the last answer. It stays 0 before the first one, so that a slow start is no hang.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode("ascii")
        self.begin()

    def begin(self) -> None:
        """The process was started anew."""
        self._close()
        self.silent_seconds = 0.0
        self._answered_once = False
        self._looked_at: float | None = None
        self._asked_at = float("-inf")

    _socket: socket.socket | None = None
    _sent = False

    def look(self, now: float) -> None:
        """To be called about once a second, ``now`` being a monotonic clock's seconds. Never blocks."""
        if self._answered_once and self._looked_at is not None:
            self.silent_seconds += min(now - self._looked_at, LONGEST_STEP_SECONDS)
        self._looked_at = now
        if now - self._asked_at >= ASK_EVERY_SECONDS:
            self._ask(now)
        elif self._socket is not None:
            self._listen(self._socket)

    def _ask(self, now: float) -> None:
        self._close()
        self._asked_at, self._sent = now, False
        self._socket = socket.socket(socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET)
        self._socket.setblocking(False)
        with suppress(OSError):  # under way, or refused: the next look finds out
            self._socket.connect(self._address)

    def _listen(self, asked: socket.socket) -> None:
        try:
            if not self._sent:
                asked.sendall(self._request)
                self._sent = True
            if asked.recv(64):
                self.silent_seconds, self._answered_once = 0.0, True
            self._close()
        except BlockingIOError:
            return  # nothing yet
        except OSError:
            self._close()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
