"""Liveness, readiness, counters, pages and headers."""

import re

import httpx
import pytest

from gateway import readiness
from gateway.wording import LANGUAGES, Wording
from tests.gateway.conftest import Gateway, Visitor
from tests.support.fake_rasa import FakeRasa


async def test_it_lives(gateway: Gateway) -> None:
    assert (await gateway.http.get("/healthz")).json() == {"status": "ok"}


async def test_it_is_ready_when_every_part_answers(
    gateway: Gateway, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "CACHED_SECONDS", 0.0)
    answer = await gateway.http.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]) == (200, {"store": "ok", "rasa": "ok", "actions": "ok"})
    rasa.ready = False
    answer = await gateway.http.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["rasa"]) == (503, "down")
    assert answer.headers["Retry-After"] == "1"
    assert (await gateway.http.get("/healthz")).status_code == 200


async def test_the_counters_count_and_say_nothing_private(gateway: Gateway, park: Visitor, rasa: FakeRasa) -> None:
    await park.hears("my secret words")
    rasa.answers()
    await park.hears("more")
    text = (await gateway.http.get("/metrics")).text
    assert 'desk_turns_total{channel="web",outcome="answered"} 1.0' in text
    assert 'desk_turns_total{channel="web",outcome="apology"} 1.0' in text
    assert 'desk_errors_total{kind="rasa_empty"} 1.0' in text
    assert "desk_turn_seconds_count 2.0" in text
    assert "secret" not in text


async def test_anybody_may_know_the_shop(gateway: Gateway) -> None:
    assert (await gateway.http.get("/api/shop")).json() == {
        "name": {"en": "Otter & Quire", "zh": "獭与纸"},
        "languages": ["en", "zh"],
        "default_language": "en",
        "currency": "SGD",
        "contact_email": "hello@otter.example",
    }


async def test_the_widget_is_cached_shortly_and_by_tag(gateway: Gateway) -> None:
    answer = await gateway.http.get("/widget.js")
    assert answer.status_code == 200
    assert "javascript" in answer.headers["Content-Type"]
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = await gateway.http.get("/widget.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


async def test_the_first_page_is_strict(gateway: Gateway) -> None:
    answer = await gateway.http.get("/")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api/chat/messages", "/api/chat/sessions"])
async def test_any_shop_may_embed_it(gateway: Gateway, path: str) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    allowed = await gateway.http.options(path, headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"
    refused: httpx.Response = await gateway.http.post(
        path, content=b"{", headers={"Origin": "https://shop.example", "Authorization": "Bearer x"}
    )
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in refused.headers


def test_every_sentence_is_there_in_both_languages() -> None:
    wording = Wording.load()
    for name, sentence in wording.sentences.items():
        assert set(sentence) == set(LANGUAGES), name
        assert all(text.strip() for text in sentence.values()), name
        assert len({frozenset(re.findall(r"{(\w+)}", text)) for text in sentence.values()}) == 1, name
