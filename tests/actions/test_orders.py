from sqlalchemy import select

import crm
from actions.forms import ValidateCancellation, ValidateOrderTracking
from actions.orders import CancelOrder, TellOrderStatus
from crm.models import ConversationStatus, Disclosure, Ticket, TicketKind
from tests.actions.conftest import Chat, new_chat

TRACKING = "order_tracking_form"


async def track(chat: Chat, text: str = "", **details: object):
    chat.form = None
    return await chat.hears(ValidateOrderTracking(), text, intent="track_order", **details)


async def test_an_order_with_its_e_mail_is_told(chat: Chat):
    asked = await track(chat, "where is 2003", order_number="2003", email="park@example.com")
    assert asked.slot("requested_slot") is None
    told = await chat.hears(TellOrderStatus(), intent="track_order")
    assert "2003 was shipped" in told.text
    assert "Jasmine Pearls" in told.text
    assert "arrive between" in told.text


async def test_the_same_in_chinese(chat: Chat):
    await track(chat, "订单2004", language="zh", order_number="2004", phone="13900001111")
    told = await chat.hears(TellOrderStatus(), intent="track_order", language="zh")
    assert "尚未发货" in told.text
    assert "青瓷盖碗" in told.text


async def test_without_a_contact_it_asks_for_one_and_tells_nothing(chat: Chat):
    asked = await track(chat, "where is 2004", order_number="2004")
    assert asked.slot("requested_slot") == "contact"
    assert "e-mail" in asked.text
    assert "Gaiwan" not in asked.text


async def test_a_strangers_order_and_a_wrong_number_get_the_same_answer(chat: Chat):
    strangers = await track(chat, order_number="2004", email="park@example.com")
    wrong = await track(new_chat("visitor-2"), order_number="2999", email="park@example.com")
    assert strangers.text.replace("2004", "N") == wrong.text.replace("2999", "N")
    assert [e["name"] for e in strangers.events] == [e["name"] for e in wrong.events]


async def test_guessing_ends_with_a_person(chat: Chat):
    for guess in range(4):
        answer = await track(chat, order_number=str(5000 + guess), email="park@example.com")
        assert "can't find" in answer.text
    answer = await track(chat, order_number="5004", email="park@example.com")
    assert "owner" in answer.text
    assert answer.left_form
    assert answer.next_action == "action_listen"
    with crm.reading() as session:
        conversation = crm.conversations.by_public_id(session, chat.public_id)
        assert conversation.status is ConversationStatus.HANDED_OFF
    # From here on even the right details are refused: a person has to look.
    right = await track(chat, order_number="2003", email="park@example.com")
    assert "Jasmine" not in right.text


async def test_once_proven_the_next_order_needs_no_proof(chat: Chat):
    await track(chat, order_number="2003", email="park@example.com")
    await chat.hears(TellOrderStatus(), intent="track_order")
    again = await track(chat, "and 2001?", order_number="2001")
    assert again.slot("requested_slot") is None
    others = await track(chat, "and 2004?", order_number="2004")
    assert others.slot("requested_slot") == "contact"


async def test_it_means_the_order_that_was_told_last(chat: Chat):
    await track(chat, order_number="2004", email="lin@example.org")
    await chat.hears(TellOrderStatus(), intent="track_order")
    asked = await chat.hears(ValidateCancellation(), "cancel it", intent="cancel_order")
    assert asked.slot("order_number") == "2004"
    done = await chat.hears(CancelOrder(), "cancel it", intent="cancel_order")
    assert "passed your request" in done.text
    with crm.reading() as session:
        ticket = session.scalars(select(Ticket)).one()
        assert ticket.kind is TicketKind.CANCELLATION


async def test_a_repeated_turn_opens_no_second_ticket(chat: Chat):
    await track(chat, order_number="2004", email="lin@example.org")
    chat.turns = 7
    await chat.hears(CancelOrder(), intent="cancel_order")
    chat.slots["last_order"], chat.turns = "2004", 7
    await chat.hears(CancelOrder(), intent="cancel_order")
    with crm.reading() as session:
        assert len(session.scalars(select(Ticket)).all()) == 1


async def test_a_shipped_order_is_not_cancelled(chat: Chat):
    await track(chat, order_number="2003", email="park@example.com")
    answer = await chat.hears(CancelOrder(), intent="cancel_order")
    assert "already been shipped" in answer.text
    with crm.reading() as session:
        assert session.scalars(select(Ticket)).all() == []


async def test_what_was_told_is_in_the_audit_log(chat: Chat):
    await track(chat, order_number="2003", email="park@example.com")
    await chat.hears(TellOrderStatus(), intent="track_order")
    with crm.reading() as session:
        assert session.scalars(select(Disclosure.what)).all() == ["action_order_status"]


async def test_a_question_in_the_middle_is_answered_and_the_form_goes_on(chat: Chat):
    await track(chat, order_number="2004")
    chat.form, chat.slots["requested_slot"] = TRACKING, "contact"
    answer = await chat.hears(ValidateOrderTracking(), "do you ship to Singapore?", intent="delivery_info")
    assert "2–3 days" in answer.text
    assert "e-mail" in answer.messages[-1]["text"]
    assert answer.slot("requested_slot") == "contact"


async def test_refusing_a_detail_is_respected(chat: Chat):
    await track(chat, order_number="2004")
    chat.form, chat.slots["requested_slot"] = TRACKING, "contact"
    answer = await chat.hears(ValidateOrderTracking(), "I'd rather not say", intent="deny")
    assert "No problem" in answer.text
    assert answer.left_form
    assert answer.slot("order_number") is None


async def test_changing_ones_mind_starts_the_other_job_with_what_is_known(chat: Chat):
    await track(chat, order_number="2004")
    chat.form, chat.slots["requested_slot"] = TRACKING, "contact"
    answer = await chat.hears(ValidateOrderTracking(), "actually just cancel it", intent="cancel_order")
    assert answer.next_action == "cancellation_form"
    assert answer.slot("order_number") == "2004"


async def test_two_misses_in_a_form_get_a_person(chat: Chat):
    await track(chat, order_number="2004")
    chat.form, chat.slots["requested_slot"] = TRACKING, "contact"
    first = await chat.hears(ValidateOrderTracking(), "blorp", intent="nlu_fallback", confidence=0.2)
    assert "didn't get that" in first.text
    second = await chat.hears(ValidateOrderTracking(), "blorp blorp", intent="nlu_fallback", confidence=0.2)
    assert "asked the owner" in second.text
    assert second.left_form
