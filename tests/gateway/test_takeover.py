"""The owner steps into a conversation: the bot is silent, the customer hears her, and nobody is forgotten."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from crm import conversations, handoffs, preferences, satisfaction, session, takeover
from crm.models import Author, Conversation, Feedback, HandoffReason, Message
from crm.preferences import Preferences
from crm.settings import Settings
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor, gateway_with
from tests.support.fake_rasa import FakeRasa


def hand_over(public_id: str, reason: HandoffReason = HandoffReason.ASKED) -> None:
    with session() as opened:
        conversation = conversations.by_public_id(opened, public_id)
        handoffs.hand_off(opened, conversation, reason=reason, summary="…", now=now())


def conversation_of(visitor: Visitor) -> Conversation:
    with session() as opened:
        return conversations.by_public_id(opened, visitor.conversation_id)


async def until(holds: Callable[[], bool], *, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def says(gateway: Gateway, visitor: Visitor, text: str, key: str = "1") -> Message:
    return await gateway.parts.owner_side.say(visitor.conversation_id, text, key=key)


async def test_the_owners_words_reach_the_customer_and_silence_the_bot(
    gateway: Gateway, park: Visitor, rasa: FakeRasa
) -> None:
    await park.hears("hello")
    await says(gateway, park, "This is Lan, the owner. I'll see to it.")
    answer = await park.says("thank you")
    assert answer.json()["replies"] == []
    assert rasa.texts == ["hello"]
    authors = [(m["author"], m["text"]) for m in await park.history()]
    assert ("owner", "This is Lan, the owner. I'll see to it.") in authors


async def test_the_same_words_delivered_twice_are_said_once(gateway: Gateway, park: Visitor) -> None:
    await park.hears("hello")
    first = await says(gateway, park, "One moment", key="tg:1:7")
    again = await says(gateway, park, "One moment", key="tg:1:7")
    assert first.id == again.id
    assert [m["author"] for m in await park.history()].count("owner") == 1


async def test_the_bot_is_told_once_what_was_said_without_it(gateway: Gateway, park: Visitor, rasa: FakeRasa) -> None:
    await park.hears("where is my order")
    await says(gateway, park, "Which number is it?")
    await park.says("It is 2003")
    await says(gateway, park, "It arrives tomorrow.", key="2")
    await gateway.parts.owner_side.give_back(park.conversation_id)
    assert await park.hears("and can I cancel it?") == ["You said: and can I cancel it?"]
    await park.hears("ok")
    meanwhile = [turn["metadata"].get("meanwhile") for turn in rasa.turns]
    assert meanwhile[0] is None
    assert meanwhile[2] is None
    said = [(line["author"], line["text"]) for line in meanwhile[1]]
    assert said[:3] == [
        ("owner", "Which number is it?"),
        ("customer", "It is 2003"),
        ("owner", "It arrives tomorrow."),
    ]


async def test_the_bot_says_that_it_is_back(gateway: Gateway, lin: Visitor) -> None:
    await lin.hears("你好")
    await says(gateway, lin, "我是店主")
    await gateway.parts.owner_side.give_back(lin.conversation_id)
    last = (await lin.history())[-1]
    assert last["author"] == "bot"
    assert "店主" in last["text"]
    assert (await lin.post("typing")).status_code == 204
    assert await lin.hears("谢谢") == ["You said: 谢谢"]


async def test_a_restart_changes_nothing(store: Engine, settings: Settings, rasa: FakeRasa) -> None:
    async with gateway_with(settings) as first:
        park = await first.visitor(language="en")
        await park.hears("hello")
        await says(first, park, "I am here")
    async with gateway_with(settings) as second:
        again = Visitor(second, park.session)
        assert (await again.says("are you there?")).json()["replies"] == []
    assert rasa.texts == ["hello"]


async def test_what_the_bot_was_thinking_is_dropped_when_the_owner_speaks(
    gateway: Gateway, park: Visitor, rasa: FakeRasa
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_turn: dict[str, Any]) -> list[dict[str, Any]]:
        asked.set()
        await go_on.wait()
        return [{"text": "too late"}]

    rasa.behave = slowly
    await park.says("hello", wait=None)
    await asked.wait()
    await says(gateway, park, "Mine is the word")
    go_on.set()
    await until(lambda: conversation_of(park).lease_owner is None)
    assert [m["text"] for m in await park.history()] == ["hello", "Mine is the word"]


async def test_after_a_silence_the_bot_returns_with_an_honest_line(gateway: Gateway, park: Visitor) -> None:
    await park.hears("hello")
    await says(gateway, park, "All done!")
    _set_back(park, minutes=40)
    gateway.parts.owner_side.wake()
    await until(lambda: not _is_held(park))
    assert "handed this chat back" in (await park.history())[-1]["text"]
    assert await park.hears("thanks") == ["You said: thanks"]


async def test_who_was_left_waiting_gets_the_bot_and_stays_on_the_owners_list(
    gateway: Gateway, park: Visitor, rasa: FakeRasa
) -> None:
    await park.hears("hello")
    await says(gateway, park, "I'll look")
    await park.says("any news?")
    _set_back(park, minutes=40)
    gateway.parts.owner_side.wake()
    await until(lambda: rasa.texts == ["hello", "any news?"])
    await until(lambda: conversation_of(park).lease_owner is None)
    texts = [m["text"] for m in await park.history()]
    assert "has not seen your last message" in texts[-2]
    assert texts[-1] == "You said: any news?"
    with session() as opened:
        conversation = conversations.by_public_id(opened, park.conversation_id)
        waiting = handoffs.open_handoff(opened, conversation)
        assert waiting is not None
        assert waiting.taken_at is None


async def test_the_page_is_told_who_speaks(gateway: Gateway, park: Visitor) -> None:
    hand_over(park.conversation_id)
    answer = await gateway.http.get("/api/chat/messages", headers=park.headers)
    assert (answer.json()["handoff"], answer.json()["owner_speaks"]) == (True, False)
    await gateway.parts.owner_side.take(park.conversation_id)
    answer = await gateway.http.get("/api/chat/messages", headers=park.headers)
    assert (answer.json()["handoff"], answer.json()["owner_speaks"]) == (True, True)


async def test_one_tap_satisfaction_is_asked_of_a_chat_with_the_bot_alone(gateway: Gateway, park: Visitor) -> None:
    await park.hears("where is my order 2003")
    _all_happened(park, minutes_ago=15)
    gateway.parts.owner_side.wake()
    await until(lambda: conversation_of(park).satisfaction_asked_at is not None)
    asked = (await park.history())[-1]
    assert [button["payload"] for button in asked["buttons"]] == [f"/rate:{score}" for score in (5, 4, 3, 2, 1)]
    replies = await park.hears("🙂 4", payload="/rate:4")
    assert "Thank you" in replies[0]
    with session() as opened:
        scores = [f.score for f in opened.query(Feedback).all()]
    assert scores == [4]


async def test_satisfaction_is_not_asked_where_the_owner_does_not_want_it(gateway: Gateway, park: Visitor) -> None:
    with session() as opened:
        preferences.save(opened, Preferences(ask_satisfaction=False), now=now())
    await park.hears("where is my order 2003")
    _all_happened(park, minutes_ago=15)
    with session() as opened:
        assert satisfaction.due(opened, now=now()) == []


@pytest.mark.parametrize("reason", [HandoffReason.ASKED, HandoffReason.DESK_DOWN])
async def test_a_handoff_without_a_paired_phone_still_waits_in_the_store(
    gateway: Gateway, park: Visitor, reason: HandoffReason
) -> None:
    hand_over(park.conversation_id, reason)
    gateway.parts.owner_side.wake()

    def announced() -> bool:
        with session() as opened:
            handoff = handoffs.open_handoff(opened, conversations.by_public_id(opened, park.conversation_id))
            return handoff is not None and handoff.notified_at is not None

    await until(announced)


def _is_held(visitor: Visitor) -> bool:
    with session() as opened:
        return takeover.is_held(opened, conversations.by_public_id(opened, visitor.conversation_id))


def _set_back(visitor: Visitor, *, minutes: int) -> None:
    """The owner's last words were that long ago."""
    with session() as opened:
        handoff = handoffs.open_handoff(opened, conversations.by_public_id(opened, visitor.conversation_id))
        assert handoff is not None
        handoff.spoke_at = now() - timedelta(minutes=minutes)


def _all_happened(visitor: Visitor, *, minutes_ago: int) -> None:
    moment: datetime = now() - timedelta(minutes=minutes_ago)
    with session() as opened:
        conversation = conversations.by_public_id(opened, visitor.conversation_id)
        conversation.last_message_at = moment
        for message in opened.query(Message).where(Message.conversation_id == conversation.id):
            message.created_at = moment
            assert message.author in (Author.CUSTOMER, Author.BOT)
