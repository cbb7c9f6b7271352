"""What a customer hears about their own data, and how it is forgotten from the chat."""

import re

from sqlalchemy import select

import crm
from actions.privacy import DeleteMyData, TellAccountData
from crm import conversations, links, orders, privacy
from crm.models import Customer, Disclosure, Erasure, FulfillmentStatus, LinkPurpose, Order, Ticket, TicketKind
from tests.actions.conftest import NOW, Chat, new_chat


def proven(chat: Chat, number: str, email: str) -> None:
    with crm.session() as session:
        orders.prove(session, conversations.by_public_id(session, chat.public_id), number, email, now=NOW)


async def test_a_copy_comes_by_a_link_that_opens_only_ones_own(chat: Chat) -> None:
    proven(chat, "2003", "park@example.com")
    chat.slots["job"] = "copy"
    answer = await chat.hears(TellAccountData(), intent="account_data")
    found = re.search(r"/my-data/([\w-]+)", answer.text)
    assert found
    with crm.session() as session:
        link = links.use(session, found[1], LinkPurpose.EXPORT, now=NOW)
        subject = privacy.of_conversation(session, conversations.by_public_id(session, chat.public_id))
        assert link.conversation_id
        text = str(privacy.export(session, subject, now=NOW))
    assert "park@example.com" in text
    assert "lin@example.org" not in text


async def test_what_was_told_stands_in_the_audit_log(chat: Chat) -> None:
    await chat.hears(TellAccountData(), "what do you know about me", intent="account_data")
    with crm.reading() as session:
        assert session.scalars(select(Disclosure)).all() == []  # a stranger was told about nobody
    proven(chat, "2003", "park@example.com")
    await chat.hears(TellAccountData(), "what do you know about me", intent="account_data")
    with crm.reading() as session:
        assert session.scalars(select(Disclosure.what)).all() == ["action_account_data"]


async def test_deleting_asks_first_and_then_happens_with_a_receipt(chat: Chat) -> None:
    proven(chat, "2003", "park@example.com")
    asked = await chat.hears(DeleteMyData(), "delete my data", intent="delete_my_data")
    assert [button["title"] for button in asked.buttons] == ["Yes, delete my data", "No, keep it"]
    with crm.reading() as session:
        assert session.scalars(select(Erasure)).all() == []
    chat.slots["job"] = "confirmed"
    done = await chat.hears(DeleteMyData(), intent="delete_my_data")
    with crm.reading() as session:
        erasure = session.scalars(select(Erasure)).one()
        assert erasure.pseudonym in done.text
        assert erasure.asked_by == "customer"
        names = session.scalars(select(Customer.name).order_by(Customer.id)).all()
        assert names == [None, "林先生"]
        assert session.scalars(select(Order.email).where(Order.number == "2003")).one() is None
        conversations.by_public_id(session, chat.public_id)  # the receipt still reaches them


async def test_while_an_order_is_under_way_the_owner_is_asked(chat: Chat) -> None:
    proven(chat, "2004", "lin@example.org")
    with crm.reading() as session:
        waiting = session.scalars(select(Order).where(Order.number == "2004")).one()
        assert waiting.fulfillment_status is FulfillmentStatus.UNFULFILLED
    chat.slots["job"] = "confirmed"
    answer = await chat.hears(DeleteMyData(), intent="delete_my_data")
    assert "still under way" in answer.text
    with crm.reading() as session:
        assert session.scalars(select(Ticket.kind)).all() == [TicketKind.DATA_DELETION]
        assert "林先生" in session.scalars(select(Customer.name)).all()


async def test_a_stranger_deletes_only_their_own_conversation(chat: Chat) -> None:
    other = new_chat("visitor-2")
    chat.slots["job"] = "confirmed"
    answer = await chat.hears(DeleteMyData(), intent="delete_my_data", language="zh")
    assert "已完成" in answer.text
    with crm.reading() as session:
        assert set(session.scalars(select(Customer.name))) == {"Ms Park", "林先生"}
        conversations.by_public_id(session, other.public_id)
