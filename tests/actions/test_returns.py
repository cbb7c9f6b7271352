"""What became of a return, as the bot tells it to the customer who asks."""

from datetime import UTC, datetime

import pytest

import crm
from actions.forms import ValidateRefund
from actions.returns import RequestReturn, TellRefundStatus
from crm import orders, returns
from crm.models import ReturnRequest
from tests.actions.conftest import Chat

NOW = datetime.now(UTC)
KNOWN = {"order_number": "2003", "email": "park@example.com"}


async def asks_for_refund(chat: Chat, language: str = "en"):
    chat.form = None
    await chat.hears(
        ValidateRefund(), "where is my refund for 2003", intent="refund_status", language=language, **KNOWN
    )
    return await chat.hears(TellRefundStatus(), intent="refund_status", language=language)


async def returns_it(chat: Chat):
    chat.slots |= {"order_number": "2003", "return_reason": "too small"}
    return await chat.hears(RequestReturn(), "too small")


def decided(chat: Chat, *, approve: bool, note: str = "") -> int:
    with crm.session() as session:
        conversation = crm.conversations.by_public_id(session, chat.public_id)
        request = returns.latest(session, orders.order_of(session, conversation, "2003"))
        assert request is not None
        return returns.decide(
            session, request.id, approve=approve, by="owner", note=note, telling=lambda *_: "told", now=NOW
        ).request.id


@pytest.mark.parametrize(
    ("language", "waits", "approved"), [("en", "waits for the owner", "is approved"), ("zh", "等店主处理", "已通过")]
)
async def test_the_answer_follows_the_decision(chat: Chat, language: str, waits: str, approved: str):
    await asks_for_refund(chat)
    await returns_it(chat)
    assert waits in (await asks_for_refund(chat, language)).text
    decided(chat, approve=True, note="7 Lake Road")
    told = await asks_for_refund(chat, language)
    assert approved in told.text
    assert "7 Lake Road" in told.text


async def test_a_declined_one_is_told_with_the_owners_line_and_a_way_to_her(chat: Chat):
    await asks_for_refund(chat)
    await returns_it(chat)
    decided(chat, approve=False, note="The seal is broken.")
    for told in (await asks_for_refund(chat), await returns_it(chat)):
        assert "not accepted" in told.text
        assert "The seal is broken." in told.text
        assert told.slot("offer") == "action_handoff"
        assert [button["payload"] for button in told.buttons] == ["/talk_to_human"]
    with crm.reading() as session:
        assert session.query(ReturnRequest).count() == 1


async def test_a_refund_that_was_noted_is_told(chat: Chat):
    await asks_for_refund(chat)
    await returns_it(chat)
    number = decided(chat, approve=True)
    with crm.session() as session:
        returns.note_refund(session, number, telling=lambda *_: "told", now=NOW)
    assert "has been refunded" in (await asks_for_refund(chat)).text
