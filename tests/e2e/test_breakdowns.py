"""Parts are killed while somebody waits: the customer hears so, the owner gets it, the desk comes back."""

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from crm.models import Conversation, Handoff
from tests.support.product import RunningDesk, Visitor, running_desk

pytestmark = pytest.mark.product


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk that may be broken."""
    with running_desk(tmp_path_factory.mktemp("fragile"), DESK_DEMO="1") as running:
        yield running


def asked_while_killing(desk: RunningDesk, name: str, visitor: Visitor, text: str) -> list[dict[str, Any]]:
    """The replies to a message that the part had in hand when it was killed."""
    part = desk.child(name)
    part.suspend()
    replies: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: replies.extend(visitor.says(text)))
    asking.start()
    time.sleep(0.7)
    part.send_signal(signal.SIGKILL)
    asking.join()
    return replies


@pytest.mark.parametrize("name", ["rasa", "actions"])
def test_a_killed_part_is_admitted_marked_and_restarted(fragile: RunningDesk, name: str) -> None:
    visitor = fragile.visitor()
    replies = asked_while_killing(fragile, name, visitor, "Where is my order 1383? j.whitcombe@example.com")
    assert replies
    assert "shipped" not in visitor.heard
    assert "owner" in visitor.heard
    with fragile.store() as session:
        handoffs = session.scalars(
            select(Handoff).join(Conversation).where(Conversation.public_id == visitor.conversation)
        ).all()
        assert len(handoffs) == 1
        assert handoffs[0].summary
    fragile.wait_until_ready(within=60)
    assert f"{name:<8} was killed by signal 9; starting it again in 1 s" in fragile.said
    another = fragile.visitor()
    another.says("Where is my order 1383? j.whitcombe@example.com")
    assert "shipped" in another.heard


def test_a_killed_gateway_answers_what_it_had_received(fragile: RunningDesk) -> None:
    visitor = fragile.visitor()
    rasa = fragile.child("rasa")
    rasa.suspend()
    visitor.sends("Where is my order 1383? j.whitcombe@example.com")
    fragile.child("gateway").send_signal(signal.SIGKILL)
    rasa.resume()
    fragile.wait_until_ready(within=60)
    ends = time.monotonic() + 60
    while len(visitor.history()) < 2 and time.monotonic() < ends:
        time.sleep(0.2)
    answers = [message["text"] for message in visitor.history() if message["author"] == "bot"]
    assert sum("shipped" in text for text in answers) == 1


def test_history_and_dialogue_survive_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("restarted")
    with running_desk(state, DESK_DEMO="1") as desk:
        env = desk.env
        visitor = desk.visitor()
        visitor.says("where is my order 1383")
        before, token = visitor.history(), visitor.http.headers["Authorization"]
    again = RunningDesk(state, env)
    try:
        again.wait_until_ready()
        visitor = again.visitor()
        visitor.http.headers["Authorization"] = token
        assert visitor.history() == before
        visitor.says("j.whitcombe@example.com")
        assert "shipped" in visitor.heard
    finally:
        again.stop()
