"""The channel over real HTTP, with Rasa behind it and a recording action server behind Rasa."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
SECRET = "the-internal-secret"


@dataclass
class ActionServer:
    """Remembers what Rasa asked for, and answers as it is told."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    status: int = 200
    port: int = 0

    def handler(recorder) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                recorder.paths.append(self.path)
                recorder.calls.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                answer = {"events": [], "responses": [{"text": "from the action"}]}
                body = json.dumps(answer if recorder.status == 200 else {"error": "the customer's words"}).encode()
                self.send_response(recorder.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return None

        return Handler


@pytest.fixture(scope="module")
def actions() -> Iterator[ActionServer]:
    recorder = ActionServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), recorder.handler())
    recorder.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield recorder
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Desk:
    url: str
    log: Path

    def call(
        self, path: str, body: Any = None, *, secret: str | None = SECRET, method: str = "POST"
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {secret}", "Connection": "close"} if secret else {"Connection": "close"}
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
        return requests.request(method, f"{self.url}/{path}", data=data, headers=headers, timeout=60)

    def says(self, sender: str, text: str, payload: str | None = None, **metadata: object) -> dict[str, Any]:
        response = self.call("turn", {"sender": sender, "text": text, "payload": payload, "metadata": metadata})
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def desk(model: Path, actions: ActionServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("served")
    log, port = folder / "log", free_port()
    environment = {
        **os.environ,
        "DESK_INTERNAL_SECRET": SECRET,
        "DESK_ACTIONS_URL": f"http://127.0.0.1:{actions.port}",
        "DESK_TRACKER_URL": f"sqlite:///{folder / 'rasa.db'}",
    }
    command = [sys.executable, "-m", "bot", "serve", "--port", str(port), "--model", str(model)]
    with log.open("w") as errors:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert server.stdout is not None
            ready = server.stdout.readline()
            assert ready.startswith(f"bot ready on http://127.0.0.1:{port}"), log.read_text()
            yield Desk(f"http://127.0.0.1:{port}/webhooks/desk", log)
        finally:
            server.terminate()
            server.wait(20)
            server.stdout.close()


def test_a_greeting_is_answered_in_its_language(desk: Desk) -> None:
    answer = desk.says("lin", "你好")
    assert answer["replies"] == [{"text": "你好", "buttons": [{"title": "查订单", "payload": "/track_order"}]}]
    assert answer["nlu"]["intent"] == "greet"
    assert answer["nlu"]["language"] == "zh"
    assert len(answer["nlu"]["ranking"]) == 3
    assert desk.says("lin", "hello")["replies"][0]["text"] == "Hello"
    assert answer["model_id"]
    assert answer["milliseconds"] > 0


def test_details_and_form_work_across_turns(desk: Desk) -> None:
    first = desk.says("park", "where is my order")
    # One answer stays one message, blank line and all.
    assert [reply["text"] for reply in first["replies"]] == ["Which order?\n\nThe number is in your e-mail."]
    assert desk.says("park", "12")["nlu"]["entities"] == [
        {"entity": "order_number", "value": "12", "start": 0, "end": 2}
    ]
    last = desk.says("park", "park@example.com")
    assert last["replies"][0]["text"] == "Order 12 of park@example.com is on its way."


def test_the_bot_goes_on_from_where_the_owner_left(desk: Desk) -> None:
    desk.says("chen", "where is my order")
    meanwhile = [{"author": "customer", "text": "order 12"}, {"author": "owner", "text": "It arrives tomorrow."}]
    # The open form would have asked for the number again.
    assert desk.says("chen", "hello", meanwhile=meanwhile)["replies"][0]["text"] == "Hello"
    assert desk.says("chen", "你好")["nlu"]["intent"] == "greet"


def test_an_address_that_only_the_owner_wrote_proves_nothing() -> None:
    from rasa.shared.core.events import SlotSet

    from bot.meanwhile import events_of

    lines = [{"author": "owner", "text": "Is it 12?"}]
    events = events_of(lines, [{"entity": "order_number", "value": "12"}])
    slots = {event.key: event.value for event in events if isinstance(event, SlotSet)}
    assert slots["last_order"] == "12"
    assert "contact" not in slots


def test_a_payload_is_a_command_and_a_text_never_is(desk: Desk) -> None:
    command = '/track_order{"email": "no address"}'
    typed = desk.says("chen", command)
    assert typed["nlu"]["entities"] == []
    assert typed["nlu"]["confidence"] < 1
    clicked = desk.says("chen2", "Track", payload=command)
    assert clicked["nlu"]["entities"] != []
    assert clicked["nlu"]["intent"] == "track_order"
    assert clicked["nlu"]["confidence"] == 1


@pytest.mark.parametrize("text", ["/restart", "  /restart", "/session_start", "/back", "//restart", "/greet"])
def test_typed_commands_do_nothing(desk: Desk, text: str) -> None:
    sender = f"typed-{text}"
    desk.says(sender, "where is my order")
    desk.says(sender, "A2003")
    desk.says(sender, text)
    assert desk.says(sender, "x@example.com")["replies"][0]["text"] == "Order A2003 of x@example.com is on its way."


def test_metadata_reaches_the_action_server(desk: Desk, actions: ActionServer) -> None:
    answer = desk.says("lin", "what is the capital of france", turn_id="t-17", channel="telegram")
    call = actions.calls[-1]
    assert answer["replies"] == [{"text": "from the action"}]
    assert call["tracker"]["latest_message"]["metadata"] == {"turn_id": "t-17", "channel": "telegram"}
    assert call["sender_id"] == "lin"
    assert actions.paths[-1] == f"/webhook?token={SECRET}"
    assert call["domain"]["forms"]
    assert call["domain"]["responses"] == {}


def test_a_failing_action_is_reported_without_the_customers_words(desk: Desk, actions: ActionServer) -> None:
    actions.status = 500
    try:
        answer = desk.says("lin", "what is the capital of france")
    finally:
        actions.status = 200
    assert answer["replies"] == []
    assert answer["failed_actions"] == ["action_remote"]
    assert "the customer's words" not in desk.log.read_text()
    assert "capital" not in desk.log.read_text()


def test_the_secret_is_required(desk: Desk) -> None:
    turn = {"sender": "x", "text": "hello"}
    assert desk.call("turn", turn, secret=None).status_code == 401
    assert desk.call("turn", turn, secret="wrong").status_code == 401
    assert desk.call("turn", turn, secret="ü").status_code == 401
    assert desk.call("parse", {"text": "hello"}, secret="wrong").status_code == 401
    assert desk.call("trackers/x", secret="wrong", method="DELETE").status_code == 401
    assert desk.call("health", secret=None, method="GET").json()["status"] == "ok"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        {},
        {"sender": "x"},
        {"sender": "", "text": "hello"},
        {"sender": 7, "text": "hello"},
        {"sender": "x", "text": None},
        {"sender": "x", "text": "  "},
        {"sender": "x", "text": "a", "payload": "greet"},
        {"sender": "x", "text": "a", "payload": 1},
        {"sender": "x", "text": "a", "metadata": []},
    ],
)
def test_a_malformed_call_is_refused(desk: Desk, body: Any) -> None:
    response = desk.call("turn", body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "malformed"


@pytest.mark.parametrize(
    "text", ["\0", "😀" * 4000, "１" * 4000, "a" * 10_000, "{}[]'\";--", "\u202e\u200b", "{language}"]
)
def test_any_text_gets_an_answer(desk: Desk, text: str) -> None:
    assert desk.call("turn", {"sender": "odd", "text": text}).status_code == 200


def test_parse_understands_without_a_conversation(desk: Desk) -> None:
    assert desk.call("parse", {"text": "order ＃２００３"}).json()["entities"][0]["value"] == "2003"
    assert desk.call("parse", {"text": ""}).json()["intent"] == "out_of_scope"
    assert desk.call("parse", {"text": "/greet"}).status_code == 200


def test_a_conversation_can_be_forgotten(desk: Desk) -> None:
    desk.says("gone/with space", "where is my order")
    assert desk.call("trackers/gone%2Fwith%20space", method="DELETE").status_code == 204
    # Without its memory the form is not active any more.
    assert desk.says("gone/with space", "hello")["replies"][0]["text"] == "Hello"
    assert desk.call("trackers/never-seen", method="DELETE").status_code == 204


def test_rasas_own_api_is_not_there(desk: Desk) -> None:
    root = desk.url.removesuffix("/webhooks/desk")
    for path in ("/", "/status", "/domain", "/conversations/lin/tracker", "/webhooks/rest/webhook", "/model/parse"):
        assert requests.get(root + path, headers={"Connection": "close"}, timeout=10).status_code in (404, 405)
