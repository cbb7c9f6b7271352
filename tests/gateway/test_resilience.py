"""Nothing a customer wrote is lost or answered twice, whoever dies in between."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError

from crm import conversations, session, turns
from crm.conversations import Reply
from crm.models import Author, Channel, Message
from crm.settings import Settings
from crm.types import now
from tests.gateway.conftest import SECRET, Gateway, Visitor, gateway_with
from tests.gateway.test_messages import code_of
from tests.support.fake_rasa import FakeRasa
from tests.support.serving import free_port

ROOT = Path(__file__).parents[2]


def an_unanswered_message(text: str = "hello") -> str:
    """As a gateway leaves it that was killed after storing; the conversation's public id."""
    with session() as opened:
        identity = conversations.identity_of(opened, Channel.WEB, "park", now=now())
        conversation = conversations.open_conversation(opened, identity, language="en", now=now())
        conversations.receive(opened, conversation, text=text, external_id=f"{text}:1", client_id="1", now=now())
        return conversation.public_id


def replies() -> list[str]:
    with session() as opened:
        return list(opened.scalars(select(Message.text).where(Message.author == Author.BOT).order_by(Message.id)))


async def until_replied(count: int = 1, *, seconds: float = 10) -> list[str]:
    async with asyncio.timeout(seconds):
        while len(found := replies()) < count:
            await asyncio.sleep(0.02)
    return found


async def test_what_was_left_unanswered_is_answered_after_the_start(
    store: Engine, settings: Settings, rasa: FakeRasa
) -> None:
    public_id = an_unanswered_message()
    async with gateway_with(settings):
        assert await until_replied() == ["You said: hello"]
    assert rasa.turns[0]["metadata"]["turn_id"] == f"{public_id}:1"


async def test_a_lease_of_a_dead_gateway_is_waited_for(store: Engine, settings: Settings, rasa: FakeRasa) -> None:
    public_id = an_unanswered_message()
    with session() as opened:
        lease = timedelta(seconds=1.0)
        assert conversations.take_turn(opened, public_id, owner="another", now=now(), lease=lease)
    async with gateway_with(settings):
        await asyncio.sleep(0.4)
        assert rasa.turns == []
        assert await until_replied() == ["You said: hello"]


async def test_ones_own_lease_from_before_the_restart_is_not(store: Engine, settings: Settings) -> None:
    public_id = an_unanswered_message()
    async with gateway_with(settings) as gateway:
        name = gateway.parts.relay._name
        await until_replied()
    with session() as opened:
        conversation = conversations.by_public_id(opened, public_id)
        conversations.receive(opened, conversation, text="again", external_id="2", now=now())
        assert conversations.take_turn(opened, public_id, owner=name, now=now(), lease=timedelta(hours=1))
    async with gateway_with(settings):
        assert await until_replied(2) == ["You said: hello", "You said: again"]


async def test_two_gateways_answer_each_message_once(store: Engine, settings: Settings, rasa: FakeRasa) -> None:
    other = settings.model_copy(update={"port": free_port()})
    rasa.takes(0.1)
    async with gateway_with(settings) as one, gateway_with(other) as two:
        park = await one.visitor()
        twin = Visitor(two, park.session)
        answers = await asyncio.gather(*(visitor.says(f"{index}") for index in range(4) for visitor in (park, twin)))
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json()["replies"] for answer in answers)
    said = "\n".join(rasa.texts).split("\n")
    assert sorted(said) == sorted(str(index) for index in range(4) for _ in range(2))
    assert rasa.most_running == 1


async def test_an_answer_given_elsewhere_meanwhile_is_the_only_one(park: Visitor, rasa: FakeRasa) -> None:
    async def slow_while_another_answers(_turn: dict[str, Any]) -> list[dict[str, Any]]:
        with session() as opened:
            conversation = conversations.by_public_id(opened, park.conversation_id)
            conversation.lease_owner = "another"
            lines = conversations.waiting(opened, conversation)
            conversations.answer(opened, conversation, lines, [Reply(text="From the other")], None, now=now())
        return [{"text": "Too late"}]

    rasa.behave = slow_while_another_answers
    assert await park.hears("hello") == ["From the other"]
    assert replies() == ["From the other"]


async def test_a_store_that_fails_for_a_moment_delays_the_answer_only(
    gateway: Gateway, park: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, failures = turns.close, [OperationalError("", {}, Exception("database is locked"))] * 2

    def failing(*args: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return close(*args, **more)

    monkeypatch.setattr(turns, "close", failing)
    assert await park.hears("hello", wait=20) == ["You said: hello"]
    assert replies() == ["You said: hello"]


async def test_a_message_that_cannot_be_stored_is_refused_and_not_quoted(
    gateway: Gateway, park: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    with session() as opened:
        opened.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            if opened.get_bind().dialect.name == "sqlite"
            else text("ALTER TABLE messages RENAME COLUMN text TO gone")
        )
    answer = await park.says("my secret words")
    assert (answer.status_code, code_of(answer)) == (503, "store_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert "secret" not in caplog.text


async def test_logs_never_quote_a_customer(
    gateway: Gateway, park: Visitor, rasa: FakeRasa, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await park.hears("my secret words")
    rasa.status = 500
    await park.hears("my secret words again")
    assert "turn conversation=" in caplog.text
    assert "secret" not in caplog.text
    assert park.session["token"] not in caplog.text


class Process:
    """``python -m gateway`` as the owner runs it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{settings.port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")} | {
            "DESK_DATABASE_URL": settings.database_url,
            "DESK_PORT": str(settings.port),
            "DESK_RASA_URL": settings.rasa_url,
            "DESK_ACTIONS_URL": settings.actions_url,
            "DESK_SECRET_KEY": settings.require("secret_key"),
            "DESK_DATA_KEY": os.environ["DESK_DATA_KEY"],
            "DESK_INTERNAL_SECRET": SECRET,
            "DESK_SHOP": str(settings.shop_file),
            "PYTHONPATH": str(ROOT),
        }
        self.log = folder / "gateway.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway"], env=environment, cwd=folder, stderr=log, stdout=log
            )

    async def up(self) -> None:
        async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as http:
            while True:
                assert self.process.poll() is None, self.log.read_text()
                try:
                    if (await http.get(f"{self.url}/healthz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    async def ended(self, number: int, *, seconds: float) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(seconds):
            while self.process.poll() is None:
                await asyncio.sleep(0.02)
        return int(self.process.returncode)


async def test_killed_in_the_middle_of_a_turn(
    store: Engine, settings: Settings, rasa: FakeRasa, tmp_path: Path
) -> None:
    rasa.takes(1.0)
    first = Process(settings, tmp_path)
    try:
        await first.up()
        async with httpx.AsyncClient(base_url=first.url, trust_env=False) as http:
            token = (await http.post("/api/chat/sessions")).json()["token"]
            said = await http.post(
                "/api/chat/messages",
                json={"text": "hello", "client_id": "a"},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert said.status_code == 202
        while not rasa.turns:
            await asyncio.sleep(0.01)
    finally:
        await first.ended(signal.SIGKILL, seconds=5)
    second = Process(settings, tmp_path)
    try:
        assert await until_replied(seconds=20) == ["You said: hello"]
    finally:
        await second.ended(signal.SIGTERM, seconds=10)
    assert replies() == ["You said: hello"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_quickly_with_streams_open(
    store: Engine, settings: Settings, tmp_path: Path, number: int
) -> None:
    desk = Process(settings, tmp_path)
    try:
        await desk.up()
        async with httpx.AsyncClient(base_url=desk.url, trust_env=False) as http:
            token = (await http.post("/api/chat/sessions")).json()["token"]
            async with http.stream("GET", f"/api/chat/events?token={token}") as stream:
                assert stream.status_code == 200
                code = await desk.ended(number, seconds=3)
    finally:
        desk.process.kill()
    assert code in (0, -signal.SIGTERM)
    assert "Traceback" not in desk.log.read_text()


async def test_a_wrong_setting_stops_the_start_in_one_sentence(
    store: Engine, settings: Settings, tmp_path: Path
) -> None:
    desk = Process(settings.model_copy(update={"shop": tmp_path / "gone.toml"}), tmp_path)
    async with asyncio.timeout(20):
        while desk.process.poll() is None:
            await asyncio.sleep(0.05)
    assert desk.process.returncode == 2
    assert "gone.toml" in desk.log.read_text()
    assert "Traceback" not in desk.log.read_text()
