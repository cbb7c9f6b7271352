"""A scripted desk that speaks the web chat API and misbehaves on demand.

It exists for what the real product cannot be made to show at a chosen moment: an expired token, a rate limit, a stream
that drops, an owner who answers now, product cards with hostile text. It keeps everything it was sent.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

WIDGET = Path(__file__).resolve().parents[2] / "gateway" / "widget"
STRICT_CSP = "default-src 'self'; script-src 'self'; style-src 'self'"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

Reply = dict[str, Any]


@dataclass
class Refusal:
    """One answer the desk gives instead of doing its work."""

    status: int
    retry_after: str | None = None
    code: str = "refused"
    after_work: bool = False  # the work is done, only its answer is lost


@dataclass
class Conversation:
    public_id: str
    token: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    handoff: bool = False
    streams: int = 0


class FaultDesk:
    """The desk itself; tests turn its knobs and read what it got."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.reset()
        desk = self

        class Handler(_Handler):
            pass

        Handler.desk = desk
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def reset(self) -> None:
        with self.changed:
            self.conversations: dict[str, Conversation] = {}
            self.events: list[tuple[str, str, dict[str, Any]]] = []  # conversation, event, data
            self.posts: list[dict[str, Any]] = []
            self.sessions: list[dict[str, Any]] = []
            self.feedback: list[dict[str, Any]] = []
            self.telegram: str | None = None
            self.typing_at: list[float] = []
            self.stream_resumes: list[int] = []
            self.polls = 0
            self.expired_code = "unauthorized"
            self.refused_identities: set[str] = set()
            self.refusals: dict[str, list[Refusal]] = {}
            self.stream_generation = getattr(self, "stream_generation", 0) + 1
            self.streaming = True
            self.answer: Callable[[str, str | None], list[Reply]] = lambda text, payload: [
                {"text": f"You said: {text}"}
            ]
            self.answer_after = 0.0
            self.shop: dict[str, Any] | None = {
                "name": {"en": "Camphor Lane", "zh": "樟树里"},
                "languages": ["en", "zh"],
                "currency": "CNY",
                "products": [],
            }
            self.changed.notify_all()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.reset()
        self._server.shutdown()
        self._server.server_close()

    # knobs

    def refuse(self, call: str, *refusals: Refusal) -> None:
        """The next calls of this kind ("sessions", "messages", "history", "events", "feedback") get these, in order."""
        self.refusals.setdefault(call, []).extend(refusals)

    def expire_tokens(self, *, code: str = "unauthorized") -> None:
        """No token given out so far is taken any more; ``code`` is what their bearers are told."""
        with self.changed:
            self.conversations = {}
            self.expired_code = code
            self.stream_generation += 1
            self.changed.notify_all()

    def drop_streams(self) -> None:
        with self.changed:
            self.stream_generation += 1
            self.changed.notify_all()

    def say(self, author: str, text: str = "", **more: Any) -> dict[str, Any]:
        """A message in the newest conversation, as if the bot or the owner had written it now."""
        return self.store(self.current, {"author": author, "text": text, **more})

    def typing(self, author: str, *, on: bool = True) -> None:
        self._publish(self.current, "typing", {"author": author, "on": on})

    def hand_over(self, *, active: bool = True) -> None:
        self.current.handoff = active
        self._publish(self.current, "handoff", {"active": active})

    # what tests ask

    @property
    def current(self) -> Conversation:
        return list(self.conversations.values())[-1]

    def texts(self, author: str = "customer") -> list[str]:
        return [m["text"] for c in self.conversations.values() for m in c.messages if m["author"] == author]

    # the work

    def store(self, conversation: Conversation, message: dict[str, Any]) -> dict[str, Any]:
        with self.changed:
            stored = {
                "id": len(conversation.messages) + 1,
                "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                **message,
            }
            conversation.messages.append(stored)
            self.changed.notify_all()
        return stored

    def _publish(self, conversation: Conversation, event: str, data: dict[str, Any]) -> None:
        with self.changed:
            self.events.append((conversation.token, event, data))
            self.changed.notify_all()

    def take(self, conversation: Conversation, body: dict[str, Any]) -> dict[str, Any]:
        with self.changed:
            for message in conversation.messages:
                if message.get("client_id") == body["client_id"]:
                    return message
            stored = self.store(
                conversation, {"author": "customer", "text": body["text"], "client_id": body["client_id"]}
            )
        replies = [] if conversation.handoff else self.answer(body["text"], body.get("payload"))
        threading.Thread(target=self._reply, args=(conversation, replies, self.answer_after), daemon=True).start()
        return stored

    def _reply(self, conversation: Conversation, replies: list[Reply], delay: float) -> None:
        if delay:
            self._publish(conversation, "typing", {"author": "bot", "on": True})
            time.sleep(delay)
        for reply in replies:
            self.store(conversation, {"author": "bot", "text": "", **reply})


class _Handler(BaseHTTPRequestHandler):
    desk: FaultDesk
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests read what arrived, not a log."""

    def do_OPTIONS(self) -> None:
        self._send(204)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/api/chat/messages":
            self._history()
        elif path == "/api/chat/events":
            self._events()
        elif path == "/api/shop":
            self._json(200, self.desk.shop) if self.desk.shop else self._refused(Refusal(404))
        elif path == "/page":
            self._page()
        elif path == "/widget.js":
            self._file(WIDGET / "widget.js")
        elif path == "/":
            self._file(WIDGET / "demo" / "index.html")
        elif path.startswith("/demo/"):
            self._file(WIDGET / "demo" / path.removeprefix("/demo/"))
        else:
            self._send(404)

    def do_POST(self) -> None:
        call = urlsplit(self.path).path.rsplit("/", 1)[-1]
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        desk = self.desk
        if call == "messages":
            desk.posts.append(body)
        refusal = desk.refusals[call].pop(0) if desk.refusals.get(call) else None
        if refusal and not refusal.after_work:
            self._refused(refusal)
            return
        if call == "sessions":
            self._new_session(body)
            return
        conversation = self._conversation()
        if not conversation:
            self._refused(Refusal(401, code=self.desk.expired_code))
        elif call == "messages":
            stored = desk.take(conversation, body)
            self._refused(refusal) if refusal else self._json(202, {"message": stored})
        elif call == "typing":
            desk.typing_at.append(time.monotonic())
            self._send(204)
        elif call == "telegram":
            self._json(200, {"url": desk.telegram, "wording": "The shop then knows <b>both</b>.", "expires_in": 3600})
        elif call == "feedback":
            desk.feedback.append(body)
            self._send(204)
        else:
            self._send(404)

    def _conversation(self) -> Conversation | None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        return self.desk.conversations.get(token)

    def _new_session(self, body: dict[str, Any]) -> None:
        if body.get("identity") in self.desk.refused_identities:
            self._refused(Refusal(401))
            return
        number = len(self.desk.sessions) + 1
        self.desk.sessions.append(body)
        conversation = Conversation(f"conversation-{number}", f"token-{number}-{id(self.desk)}")
        self.desk.conversations[conversation.token] = conversation
        name = (self.desk.shop or {}).get("name", {}).get(body.get("language", "en"), "")
        shop = {"name": name, "languages": ["en", "zh"]}
        self._json(
            201,
            {
                "token": conversation.token,
                "conversation_id": conversation.public_id,
                "language": body.get("language"),
                "shop": shop,
                "handoff": False,
                "telegram": self.desk.telegram is not None,
            },
        )

    def _history(self) -> None:
        self.desk.polls += 1
        if self.desk.refusals.get("history"):
            self._refused(self.desk.refusals["history"].pop(0))
            return
        conversation = self._conversation()
        if not conversation:
            self._refused(Refusal(401, code=self.desk.expired_code))
            return
        query = parse_qs(urlsplit(self.path).query)
        after, limit = int(query.get("after", ["0"])[0]), int(query.get("limit", ["100"])[0])
        found = [m for m in conversation.messages if m["id"] > after]
        # As the gateway does: without "after" the latest, not the first.
        found = found[:limit] if after else found[-limit:]
        self._json(200, {"messages": found, "handoff": conversation.handoff})

    def _events(self) -> None:
        desk = self.desk
        conversation = self._conversation()
        if desk.refusals.get("events"):
            self._refused(desk.refusals["events"].pop(0))
            return
        if not conversation or not desk.streaming:
            self._refused(Refusal(503) if conversation else Refusal(401, code=desk.expired_code))
            return
        sent = int(self.headers.get("Last-Event-ID") or len(conversation.messages))
        desk.stream_resumes.append(sent)
        self.send_response(200)
        self._common_headers()
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with desk.changed:
            generation, seen = desk.stream_generation, len(desk.events)
        conversation.streams += 1
        try:
            self._write(": hello\n\n")
            while True:
                with desk.changed:
                    waiting = [m for m in conversation.messages if m["id"] > sent]
                    events = [e for e in desk.events[seen:] if e[0] == conversation.token]
                    seen = len(desk.events)
                    if not waiting and not events:
                        desk.changed.wait(0.5)
                    if desk.stream_generation != generation:
                        return
                for _, event, data in events:
                    self._write(f"event: {event}\ndata: {json.dumps(data)}\n\n")
                for message in waiting:
                    sent = message["id"]
                    self._write(f"id: {sent}\nevent: message\ndata: {json.dumps(message, ensure_ascii=False)}\n\n")
                if not waiting and not events:
                    self._write(": heartbeat\n\n")
        except OSError:
            return
        finally:
            conversation.streams -= 1

    def _page(self) -> None:
        """A shop's page of nothing but the embed line; what is called data-… in the query are attributes on it."""
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        language = query.get("lang", ["en"])[0]
        origin = query.get("origin", [""])[0]
        attributes = " ".join(f'{k}="{escape(v[0])}"' for k, v in query.items() if k.startswith("data-"))
        html = (
            f'<!doctype html><html lang="{escape(language)}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
            '<title>A shop</title><main><h1>A shop</h1><p><a href="#x">First link</a></p></main>'
            f'<script src="{escape(origin)}/widget.js" {attributes} async></script></html>'
        )
        csp = STRICT_CSP.replace("script-src", f"connect-src {origin}; script-src {origin}") if origin else STRICT_CSP
        self._send(200, html.encode(), "text/html", {"Content-Security-Policy": csp})

    def _file(self, path: Path) -> None:
        if not path.is_file():
            self._send(404)
            return
        self._send(
            200, path.read_bytes(), TYPES.get(path.suffix, "text/plain"), {"Content-Security-Policy": STRICT_CSP}
        )

    def _json(self, status: int, data: object) -> None:
        self._send(status, json.dumps(data, ensure_ascii=False).encode(), "application/json")

    def _refused(self, refusal: Refusal) -> None:
        body = json.dumps({"error": {"code": refusal.code, "message": "Refused by the test."}}).encode()
        extra = {"Retry-After": refusal.retry_after} if refusal.retry_after else {}
        self._send(refusal.status, body, "application/json", extra)

    def _common_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin") or "*")
        self.send_header("Access-Control-Allow-Headers", "authorization, content-type, last-event-id")
        self.send_header("Access-Control-Expose-Headers", "retry-after")

    def _send(
        self, status: int, body: bytes = b"", kind: str = "text/plain", extra: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self._common_headers()
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def _write(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()
