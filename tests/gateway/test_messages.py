"""Saying something and hearing the answer: once, in order, whatever is sent."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crm import conversations, handoffs, session
from crm.models import Author, ConversationStatus, Handoff, HandoffReason, Message
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor
from tests.support.fake_rasa import FakeRasa


def code_of(answer: httpx.Response) -> str:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    return str(body["error"]["code"])


async def test_a_message_is_answered_in_one_call(park: Visitor) -> None:
    answer = await park.says("Where is my order?")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["message"]["id"], body["message"]["author"]) == (1, "customer")
    assert body["message"]["created_at"].endswith("Z")
    assert [(reply["id"], reply["author"], reply["text"]) for reply in body["replies"]] == [
        (2, "bot", "You said: Where is my order?")
    ]


async def test_without_waiting_the_message_is_only_acknowledged(park: Visitor) -> None:
    answer = await park.says("hello", wait=None)
    assert answer.status_code == 202
    assert set(answer.json()) == {"message"}
    while len(messages := await park.history()) < 2:
        await asyncio.sleep(0.01)
    assert [message["author"] for message in messages] == ["customer", "bot"]


async def test_a_wait_that_is_too_short_ends_with_202(park: Visitor, rasa: FakeRasa) -> None:
    rasa.takes(0.5)
    answer = await park.says("hello", wait=0.05)
    assert answer.status_code == 202
    while len(await park.history()) < 2:
        await asyncio.sleep(0.02)


async def test_what_the_bot_understood_is_kept(park: Visitor, lin: Visitor) -> None:
    await park.hears("Where is my order?")
    await lin.hears("我的订单到哪了？")
    with session() as opened:
        found = opened.scalars(select(Message).where(Message.author == Author.CUSTOMER).order_by(Message.id)).all()
    assert [(m.intent, m.language, m.model_id) for m in found] == [
        ("track_order", "en", "test"),
        ("track_order", "zh", "test"),
    ]
    assert [message.get("language") for message in await lin.history()] == [None, "zh"]


async def test_the_bot_is_told_who_asks_and_where(park: Visitor, rasa: FakeRasa) -> None:
    await park.hears("/restart")
    assert rasa.turns == [
        {
            "sender": park.conversation_id,
            "text": "/restart",
            "payload": None,
            "metadata": {
                "turn_id": f"{park.conversation_id}:1",
                "conversation_id": park.conversation_id,
                "channel": "web",
                "language": "en",
            },
        }
    ]


class TestRepeats:
    async def test_the_same_client_id_gives_the_first_result(self, park: Visitor, rasa: FakeRasa) -> None:
        first = await park.says("hello", client_id="a")
        again = await park.says("something else", client_id="a")
        assert again.json() == first.json()
        assert rasa.texts == ["hello"]
        assert len(await park.history()) == 2

    async def test_also_when_sent_at_the_same_moment(self, park: Visitor, rasa: FakeRasa) -> None:
        answers = await asyncio.gather(*(park.says("hello", client_id="a") for _ in range(12)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert rasa.texts == ["hello"]

    async def test_two_visitors_may_choose_the_same(self, park: Visitor, lin: Visitor, rasa: FakeRasa) -> None:
        await park.hears("hello", client_id="a")
        assert await lin.hears("你好", client_id="a") == ["You said: 你好"]


class TestOrder:
    async def test_lines_of_a_running_turn_make_the_next_one(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.takes(0.3)
        first = asyncio.create_task(park.hears("one"))
        while not rasa.turns:
            await asyncio.sleep(0.01)
        # One after the other, so that their order is certain.
        waiting = []
        for line in ("two", "three", "four"):
            waiting.append(asyncio.create_task(park.says(line)))
            while not any(message["text"] == line for message in await park.history()):
                await asyncio.sleep(0.005)
        assert await first == ["You said: one"]
        replies = [answer.json()["replies"] for answer in await asyncio.gather(*waiting)]
        assert rasa.texts == ["one", "two\nthree\nfour"]
        assert replies[0] == replies[1] == replies[2]
        assert [reply["text"] for reply in replies[0]] == ["You said: two\nthree\nfour"]

    async def test_one_conversation_never_has_two_turns_at_once(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.takes(0.03)
        await asyncio.gather(*(park.says(f"line {number}") for number in range(20)))
        assert rasa.most_running == 1
        assert sorted("\n".join(rasa.texts).split("\n")) == sorted(f"line {number}" for number in range(20))

    async def test_conversations_do_not_wait_for_each_other(self, gateway: Gateway, rasa: FakeRasa) -> None:
        visitors = [await gateway.visitor() for _ in range(8)]
        rasa.takes(0.4)
        began = time.monotonic()
        await asyncio.gather(*(visitor.hears("hello") for visitor in visitors))
        assert time.monotonic() - began < 2.0
        assert rasa.most_running == 8

    async def test_a_customer_who_goes_on_typing_is_waited_for(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.takes(0.2)
        first = asyncio.create_task(park.says("one"))
        while not rasa.turns:
            await asyncio.sleep(0.01)
        await park.says("two", wait=None)
        assert (await park.post("typing")).status_code == 204
        await first
        await asyncio.sleep(0.3)
        await park.hears("three")
        assert rasa.texts == ["one", "two\nthree"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"{", 400, "malformed_json"),
            (b"\xff\xfe\x00", 400, "bad_request"),
            (b"[" * 50_000, 400, "bad_request"),
            (b"", 422, "invalid"),
            (b"null", 422, "invalid"),
            (b"[]", 422, "invalid"),
            (b'"text"', 422, "invalid"),
            (b"{}", 422, "invalid"),
            (b'{"text": "hello"}', 422, "invalid"),
            (b'{"text": "hello", "client_id": ""}', 422, "invalid"),
            (b'{"text": "hello", "client_id": 7}', 422, "invalid"),
            (b'{"text": 7, "client_id": "a"}', 422, "invalid"),
            (b'{"text": null, "client_id": "a"}', 422, "invalid"),
            (b'{"text": ["hello"], "client_id": "a"}', 422, "invalid"),
            (b'{"text": "", "client_id": "a"}', 422, "blank"),
            (b'{"text": " \\t\\n ", "client_id": "a"}', 422, "blank"),
            ('{"text": "\u3000\u200b\u2060\ufeff\u00ad", "client_id": "a"}'.encode(), 422, "blank"),
            (b'{"text": "\\u0000\\u0007", "client_id": "a"}', 422, "blank"),
            (b'{"text": "hello", "client_id": "a", "payload": 5}', 422, "invalid"),
            (json.dumps({"text": "x" * 4_001, "client_id": "a"}).encode(), 413, "too_long"),
            (json.dumps({"text": "x" * 20_000, "client_id": "a"}).encode(), 413, "too_long"),
            (json.dumps({"text": "x" * 70_000, "client_id": "a"}).encode(), 413, "too_large"),
        ],
    )
    async def test_bad_bodies(self, park: Visitor, body: bytes, status: int, code: str) -> None:
        answer = await park.gateway.http.post(
            "/api/chat/messages", content=body, headers={**park.headers, "Content-Type": "application/json"}
        )
        assert (answer.status_code, code_of(answer)) == (status, code)
        assert await park.history() == []

    async def test_a_body_that_hides_its_length_is_bounded_too(self, park: Visitor) -> None:
        async def endless() -> Any:
            for _ in range(100):
                yield b" " * 1_024

        answer = await park.gateway.http.post("/api/chat/messages", content=endless(), headers=park.headers)
        assert (answer.status_code, code_of(answer)) == (413, "too_large")

    @pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon"])
    async def test_bad_waits(self, park: Visitor, wait: str) -> None:
        answer = await park.post(f"messages?wait={wait}", {"text": "hello", "client_id": "a"})
        assert (answer.status_code, code_of(answer)) == (422, "invalid")

    @pytest.mark.parametrize("query", ["after=x", "after=-1", "after=99999999999999999999", "limit=0", "limit=501"])
    async def test_bad_history_questions(self, park: Visitor, query: str) -> None:
        answer = await park.gateway.http.get(f"/api/chat/messages?{query}", headers=park.headers)
        assert (answer.status_code, code_of(answer)) == (422, "invalid")

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/api/chat/nothing", 404, "not_found"),
            ("GET", "/nothing", 404, "not_found"),
            ("GET", "/demo/../../pyproject.toml", 404, "not_found"),
            ("GET", "/demo/%2e%2e/%2e%2e/pyproject.toml", 404, "not_found"),
            ("DELETE", "/api/chat/messages", 405, "method_not_allowed"),
            ("GET", "/api/chat/sessions", 405, "method_not_allowed"),
        ],
    )
    async def test_unknown_places(self, gateway: Gateway, method: str, path: str, status: int, code: str) -> None:
        answer = await gateway.http.request(method, path)
        assert (answer.status_code, code_of(answer)) == (status, code)


class TestTexts:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("x" * 4_000, "x" * 4_000),
            ("<b>&amp;</b><script>", "<b>&amp;</b><script>"),
            ("a\tb\nc", "a\tb\nc"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
            (" 你好 👩‍👩‍👧 ", " 你好 👩‍👩‍👧 "),
        ],
    )
    async def test_are_kept_as_typed_without_control_signs(self, park: Visitor, typed: str, kept: str) -> None:
        assert (await park.says(typed)).json()["message"]["text"] == kept
        assert (await park.history())[0]["text"] == kept

    async def test_half_a_surrogate_pair_does_no_harm(self, park: Visitor) -> None:
        answer = await park.gateway.http.post(
            "/api/chat/messages?wait=5",
            content=b'{"text": "hi \\ud83d there", "client_id": "\\ud83d"}',
            headers={**park.headers, "Content-Type": "application/json"},
        )
        assert answer.status_code == 200
        assert answer.json()["message"]["text"] == "hi \ufffd there"

    async def test_what_the_bot_shows_is_made_safe(self, park: Visitor, rasa: FakeRasa) -> None:
        card = {
            "title": "Gaiwan",
            "price": "S$42.00",
            "url": "javascript:alert(1)",
            "image": "//evil.example/x.png",
            "buttons": [{"title": "Buy", "payload": "/buy"}, {"title": "Bad"}],
        }
        rasa.answers({"text": "a\x00b"}, {"custom": {"cards": [card, {"no": "title"}, 5]}}, {}, {"image": "/ok.png"})
        replies = (await park.says("hello")).json()["replies"]
        assert [reply["text"] for reply in replies] == ["ab", "", ""]
        assert replies[1]["cards"] == [
            {"title": "Gaiwan", "price": "S$42.00", "buttons": [{"title": "Buy", "payload": "/buy"}]}
        ]
        assert replies[2]["image"] == "/ok.png"


class TestButtons:
    OFFER = {"text": "Which?", "buttons": [{"title": "Order 2003", "payload": '/track_order{"order_number":"2003"}'}]}  # noqa: RUF012

    async def test_a_shown_button_can_be_pressed(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.answers(self.OFFER)
        await park.hears("where is it")
        await park.hears("Order 2003", payload='/track_order{"order_number":"2003"}')
        assert rasa.turns[1]["payload"] == '/track_order{"order_number":"2003"}'

    async def test_typing_its_title_is_a_press(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.answers(self.OFFER)
        await park.hears("where is it")
        await park.hears(" Order 2003 ")
        assert rasa.turns[1]["payload"] == '/track_order{"order_number":"2003"}'

    async def test_a_button_on_a_card_counts(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.answers({"custom": {"cards": [{"title": "Gaiwan", "buttons": [{"title": "Buy", "payload": "/buy"}]}]}})
        await park.hears("hello")
        await park.hears("Buy", payload="/buy")
        assert rasa.turns[1]["payload"] == "/buy"

    async def test_a_made_up_payload_is_refused(self, park: Visitor, lin: Visitor, rasa: FakeRasa) -> None:
        rasa.answers(self.OFFER)
        await park.hears("where is it")
        for visitor, payload in ((park, "/restart"), (lin, '/track_order{"order_number":"2003"}')):
            answer = await visitor.says("Order 2003", payload=payload)
            assert (answer.status_code, code_of(answer)) == (422, "unknown_button")
        assert len(rasa.turns) == 1

    async def test_a_press_in_a_burst_is_a_turn_of_its_own(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.answers(self.OFFER)
        await park.hears("where is it")
        rasa.takes(0.3)
        first = asyncio.create_task(park.says("hm"))
        while len(rasa.turns) < 2:
            await asyncio.sleep(0.01)
        await park.says("Order 2003", wait=None)
        await park.says("please", wait=None)
        await park.hears("now")
        await first
        assert [(turn["payload"] or turn["text"]) for turn in rasa.turns[1:]] == [
            "hm",
            '/track_order{"order_number":"2003"}',
            "please\nnow",
        ]


class TestNoAnswer:
    async def _apologised(self, visitor: Visitor, text: str, words: str) -> None:
        replies = await visitor.hears(text)
        assert len(replies) == 1
        assert words in replies[0]
        with session() as opened:
            conversation = conversations.by_public_id(opened, visitor.conversation_id)
            handoff = handoffs.open_handoff(opened, conversation)
            assert handoff is not None
            assert handoff.reason is HandoffReason.DESK_DOWN
            assert text in handoff.summary
        assert [message["text"] for message in await visitor.history()] == [text, replies[0]]

    async def test_an_empty_answer(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.answers()
        await self._apologised(park, "where is my order", "Sorry")

    async def test_an_error(self, lin: Visitor, rasa: FakeRasa) -> None:
        rasa.status = 500
        await self._apologised(lin, "订单呢", "抱歉")

    async def test_a_bot_that_is_too_slow_is_not_heard_later(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.takes(2.5)
        await self._apologised(park, "where is my order", "Sorry")
        await asyncio.sleep(1.0)
        assert len(await park.history()) == 2

    async def test_a_bot_that_is_gone(self, gateway: Gateway, park: Visitor, rasa: FakeRasa) -> None:
        gateway.parts.rasa._http._port = 9
        await self._apologised(park, "where is my order", "Sorry")

    async def test_nonsense(self, park: Visitor, rasa: FakeRasa) -> None:
        rasa.answers({"text": 7}, {"text": "  "}, {"custom": "x"})
        await self._apologised(park, "where is my order", "Sorry")


class TestHandoff:
    async def _hand_off(self, visitor: Visitor, *, taken: bool) -> None:
        with session() as opened:
            conversation = conversations.by_public_id(opened, visitor.conversation_id)
            handoffs.hand_off(opened, conversation, reason=HandoffReason.ASKED, summary="…", now=now())
            if taken:
                assert handoffs.take(opened, conversation, now=now()) is not None

    async def test_while_it_waits_the_bot_goes_on(self, park: Visitor) -> None:
        await self._hand_off(park, taken=False)
        assert await park.hears("hello") == ["You said: hello"]

    async def test_once_the_owner_has_it_the_bot_is_silent(self, park: Visitor, rasa: FakeRasa) -> None:
        await self._hand_off(park, taken=True)
        assert await park.hears("hello") == []
        assert rasa.turns == []
        with session() as opened:
            message = opened.scalars(select(Message)).one()
            assert message.turn == 1

    async def test_afterwards_it_speaks_again(self, park: Visitor) -> None:
        await self._hand_off(park, taken=True)
        await park.hears("hello")
        with session() as opened:
            handoffs.give_back(opened, conversations.by_public_id(opened, park.conversation_id), now=now())
        assert await park.hears("hello") == ["You said: hello"]

    async def test_the_history_says_whether_it_is_handed_off(self, park: Visitor) -> None:
        async def handed_off() -> bool:
            answer = await park.gateway.http.get("/api/chat/messages", headers=park.headers)
            return bool(answer.json()["handoff"])

        assert not await handed_off()
        await self._hand_off(park, taken=False)
        assert await handed_off()


class TestHistory:
    async def test_pages(self, park: Visitor) -> None:
        for number in range(3):
            await park.hears(str(number))
        assert [m["id"] for m in await park.history()] == [1, 2, 3, 4, 5, 6]
        assert [m["id"] for m in await park.history(after=4)] == [5, 6]
        assert [m["id"] for m in await park.history(after=1, limit=2)] == [2, 3]
        assert [m["id"] for m in await park.history(limit=2)] == [5, 6]

    async def test_nobody_sees_anothers(self, park: Visitor, lin: Visitor) -> None:
        await park.hears("my secret")
        assert await lin.history() == []

    async def test_an_erased_conversation_asks_for_a_new_session(self, park: Visitor) -> None:
        await park.hears("hello")
        with session() as opened:
            conversation = conversations.by_public_id(opened, park.conversation_id)
            for message in list(conversation.messages):
                opened.delete(message)
            opened.delete(conversation)
        assert (await park.says("hello")).status_code == 401


class TestFeedback:
    async def test_a_score_is_kept(self, park: Visitor) -> None:
        await park.hears("hello")
        assert (await park.post("feedback", {"score": 5, "comment": "好", "message_id": 2})).status_code == 204
        assert (await park.post("feedback", {"score": 1})).status_code == 204

    @pytest.mark.parametrize(
        "body",
        [
            None,
            {},
            {"score": 0},
            {"score": 6},
            {"score": "5"},
            {"score": 4.5},
            {"score": True},
            {"score": None},
            {"score": 10**30},
            {"score": 5, "comment": 3},
            {"score": 5, "message_id": "x"},
            {"score": 5, "message_id": 0},
            {"score": 5, "message_id": 99},
        ],
    )
    async def test_wrong_ones_are_refused(self, park: Visitor, body: Any) -> None:
        answer = await park.post("feedback", body)
        assert answer.status_code == 422
        code_of(answer)


async def test_a_handoff_by_an_action_is_seen(park: Visitor, rasa: FakeRasa) -> None:
    async def hand_off(_turn: dict[str, Any]) -> list[dict[str, Any]]:
        with session() as opened:
            conversation = conversations.by_public_id(opened, park.conversation_id)
            handoffs.hand_off(opened, conversation, reason=HandoffReason.ASKED, summary="…", now=now())
        return [{"text": "I will get somebody."}]

    rasa.behave = hand_off
    assert await park.hears("a person please") == ["I will get somebody."]
    with session() as opened:
        assert opened.scalars(select(Handoff)).one().reason is HandoffReason.ASKED
        conversation = conversations.by_public_id(opened, park.conversation_id)
        assert conversation.status is ConversationStatus.HANDED_OFF


async def test_the_same_answer_twice_in_one_turn_is_given_once(gateway: Gateway, rasa: FakeRasa) -> None:
    rasa.answers({"text": "You might like these:"}, {"text": "Yes."}, {"text": "You might like these:"})
    assert await (await gateway.visitor()).hears("what is good, and what is good?") == ["You might like these:", "Yes."]
