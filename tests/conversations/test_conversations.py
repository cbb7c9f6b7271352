"""Every conversation of en/ and zh/ with the real model, actions and store, over the web chat API."""

import csv
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conversations.scripts import Line, Outcome, Script, judge, load_scripts, titles, visible
from tests.support.product import ROOT, RunningDesk

AT_ONCE = 2
ANSWER_WITHIN_SECONDS = 30
SCRIPTS = load_scripts()

pytestmark = pytest.mark.product


def _known_names() -> list[str]:
    """Product names stand in both languages' answers as the shop wrote them."""
    names = {
        "Camphor Lane",
        "樟树里",
        "WeChat Pay 微信支付",
        "Alipay 支付宝",
        "Bank transfer 银行转账",
        "Visa",
        "Mastercard",
    }
    names |= {"Apple Pay", "PayPal", "SF Express", "WELCOME10", "FRIDAY20", "CIRCLE8", "STUDENT12"}
    with (ROOT / "demo" / "products_export.csv").open(encoding="utf-8", newline="") as file:
        names |= {row["Title"] for row in csv.DictReader(file) if row["Title"]}
    return sorted(names, key=len, reverse=True)


class Talk:
    """One customer, from an address of their own as customers are."""

    def __init__(self, base_url: str, number: int) -> None:
        address = f"127.1.{number // 200 + 1}.{number % 200 + 10}"
        transport = httpx.HTTPTransport(local_address=address)
        self._http = httpx.Client(base_url=base_url, timeout=60, trust_env=False, transport=transport)
        opened = self._http.post("/api/chat/sessions", json={})
        assert opened.status_code == 201, opened.text
        self._http.headers["Authorization"] = f"Bearer {opened.json()['token']}"
        self._last: list[dict[str, Any]] = []

    def says(self, line: Line) -> list[dict[str, Any]]:
        body = {"text": line.say, "client_id": uuid.uuid4().hex}
        if line.press:
            button = next((b for b in titles(self._last) if line.press in b["title"]), None)
            assert button is not None, f"no button {line.press!r}"
            body |= {"text": button["title"], "payload": button["payload"]}
        answer = self._http.post("/api/chat/messages", params={"wait": ANSWER_WITHIN_SECONDS}, json=body)
        while answer.status_code == 429:
            time.sleep(float(answer.headers.get("Retry-After", "1")))
            answer = self._http.post("/api/chat/messages", params={"wait": ANSWER_WITHIN_SECONDS}, json=body)
        assert answer.status_code == 200, answer.text
        self._last = answer.json()["replies"]
        return self._last

    def close(self) -> None:
        self._http.close()


def hold(script: Script, number: int, base_url: str, names: list[str]) -> Outcome:
    """Talks through a script. A problem does not end it: what follows is part of the picture."""
    outcome = Outcome()
    talk = Talk(base_url, number)
    try:
        for turn, line in enumerate(script.lines, start=1):
            outcome.transcript.append(f"  > {line.say or f'[{line.press}]'}")
            replies = talk.says(line)
            outcome.transcript.append("  < " + visible(replies).replace("\n", "\n    "))
            outcome.problems += [f"turn {turn}: {problem}" for problem in judge(line, replies, names)]
    except AssertionError as error:
        outcome.problems.append(str(error))
    finally:
        talk.close()
    return outcome


@pytest.fixture(scope="module")
def talks(desk: RunningDesk) -> Iterator[dict[str, Future[Outcome]]]:
    """All conversations, held in the background while the tests wait for theirs."""
    names = _known_names()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            script.id: pool.submit(hold, script, number, desk.base_url, names) for number, script in enumerate(SCRIPTS)
        }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
def test_conversation(script: Script, talks: dict[str, Future[Outcome]]) -> None:
    outcome = talks[script.id].result()
    assert not outcome.problems, "\n".join(["", *outcome.problems, *outcome.transcript])
