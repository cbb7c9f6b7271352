"""Saying something and hearing the answer."""

import asyncio

from tests.gateway.conftest import Visitor


async def test_a_message_is_answered_in_one_call(park: Visitor) -> None:
    answer = await park.says("Where is my order?")
    body = answer.json()
    assert answer.status_code == 200
    assert body["message"]["id"] == 1
    assert body["message"]["author"] == "customer"
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
