"""A customer sees, downloads and deletes their own data in the running product."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.product import RunningDesk, run_desk, running_desk

pytestmark = pytest.mark.product
EMAIL = "j.whitcombe@example.com"


@pytest.fixture(scope="module")
def own_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk of this test's own: customers disappear in it."""
    with running_desk(tmp_path_factory.mktemp("own-data"), DESK_DEMO="1") as running:
        yield running


def remembered(state: Path, conversation: str) -> bool:
    with sqlite3.connect(state / "rasa.db") as rasa:
        found = rasa.execute("SELECT 1 FROM trackers WHERE sender_id = ?", (conversation,)).fetchone()
    rasa.close()
    return found is not None


def test_from_the_first_question_to_the_last_byte(own_desk: RunningDesk) -> None:
    visitor = own_desk.visitor("en")
    visitor.says(f"Where is my order 1383? My email is {EMAIL}")
    assert "1383" in visitor.heard
    visitor.says("what do you know about me?")
    assert "…" in visitor.heard
    assert EMAIL not in visitor.heard
    visitor.presses("copy")
    found = re.search(r"/my-data/[\w-]+", visitor.heard)
    assert found, visitor.heard
    file = httpx.post(own_desk.base_url + found[0], trust_env=False)
    assert file.json()["customer"]["email"] == EMAIL
    assert "1383" in [order["number"] for order in file.json()["orders"]]

    status, out, _ = run_desk("customer", "export", EMAIL, env=own_desk.env)
    assert status == 0
    assert any("what do you know" in m["text"] for c in json.loads(out)["conversations"] for m in c["messages"])

    visitor.says("please delete my data")
    visitor.presses("Yes, delete")
    assert "Your receipt" in visitor.heard, visitor.heard
    assert run_desk("customer", "export", EMAIL, env=own_desk.env)[0] == 2
    visitor.says("where is my order 1383")
    assert "e-mail" in visitor.heard  # nobody is known here any more
    assert run_desk("privacy", "prune", env=own_desk.env)[0] == 0
    assert not remembered(own_desk.state, visitor.conversation)
    for name in ("desk.db", "rasa.db"):
        assert EMAIL.encode() not in (own_desk.state / name).read_bytes(), name
