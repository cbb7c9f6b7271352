"""Our processor, graph runner and tracker store leave out waste, and nothing else: Rasa's own answer the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain

from bot.lock_store import WAIT_SECONDS, QuickLockStore
from bot.processor import DeskAgent
from bot.tracker_store import CompactTrackerStore

CONVERSATION = [
    "hello",
    "where is my order",
    "你好",
    "A2003",
    "what",
    "lin@example.com",
    "再见",
    "我的订单到哪了",
    "订单号：2004",
    "bye",
    "chen@example.com",
    "/goodbye",
    '/track_order{"order_number": "77"}',
    "x@example.com",
    "hello",
] * 3


async def replies(agent: Agent, texts: list[str]) -> list[list[dict[str, Any]]]:
    answers = []
    for text in texts:
        output = CollectingOutputChannel()
        message = UserMessage(text, output, "lin", input_channel="desk")
        if isinstance(agent, DeskAgent):
            await agent.converse(message)
        else:
            await agent.handle_message(message)
        answers.append(output.messages)
    return answers


@pytest.fixture
def ours(model: Path, tmp_path: Path) -> DeskAgent:
    store = CompactTrackerStore(Domain.empty(), host=f"sqlite:///{tmp_path / 'rasa.db'}")
    agent = DeskAgent(domain=Domain.empty(), tracker_store=store, lock_store=QuickLockStore())
    agent.load_model(model)
    return agent


def test_the_replies_are_those_of_rasas_own_processor(model: Path, ours: DeskAgent) -> None:
    stock = Agent.load(model, tracker_store=InMemoryTrackerStore(Domain.empty()))
    assert asyncio.run(replies(ours, CONVERSATION)) == asyncio.run(replies(stock, CONVERSATION))


def test_understanding_is_that_of_rasas_own_processor(model: Path, ours: DeskAgent) -> None:
    stock = Agent.load(model, tracker_store=InMemoryTrackerStore(Domain.empty()))
    for text in CONVERSATION[:12]:
        own, rasas = asyncio.run(ours.understand(text)), asyncio.run(stock.parse_message(text))
        assert own["intent"] == rasas["intent"]
        assert own["entities"] == rasas["entities"]
        assert own["intent_ranking"] == rasas["intent_ranking"][:5]


def test_a_burst_is_answered_in_order(ours: DeskAgent) -> None:
    async def burst() -> list[list[str]]:
        outputs = [CollectingOutputChannel() for _ in range(3)]
        messages = [
            UserMessage(text, output, "park", input_channel="desk")
            for text, output in zip(["where is my order", "A2003", "park@example.com"], outputs, strict=True)
        ]
        await asyncio.gather(*(ours.converse(message) for message in messages))
        return [[reply["text"] for reply in output.messages] for output in outputs]

    assert asyncio.run(burst())[-1] == ["Order A2003 of park@example.com is on its way."]
    assert WAIT_SECONDS <= 0.05


def test_a_failing_store_fails_the_call(ours: DeskAgent) -> None:
    async def broken(*_: object) -> None:
        raise OSError("disk full")

    ours.tracker_store.save = broken  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk full"):
        asyncio.run(replies(ours, ["hello"]))
