"""Several requests in one message: the main one answers, then each of the others with its own words and details."""

from typing import Any

from actions.forms import ValidateOrderTracking
from actions.orders import TakeDetail
from actions.shop_info import TellDelivery
from tests.actions.conftest import Chat


def clause(intent: str, text: str, **details: object) -> dict[str, Any]:
    entities = [{"entity": name, "value": value, "start": 0, "end": 1} for name, value in details.items()]
    return {"intent": intent, "confidence": 0.9, "text": text, "entities": entities}


async def test_the_second_request_starts_when_the_first_is_answered(chat: Chat):
    answer = await chat.hears(
        TellDelivery(),
        "Do you ship to Singapore? And where is order 2003?",
        intent="delivery_info",
        also=[clause("track_order", "where is order 2003?", order_number="2003")],
    )
    assert "2–3 days" in answer.text
    assert answer.next_action == "order_tracking_form"
    assert answer.slot("order_number") == "2003"


async def test_a_question_is_answered_before_a_form_asks_for_a_detail(chat: Chat):
    answer = await chat.hears(
        ValidateOrderTracking(),
        "Where is order 2003, and do you ship to Singapore?",
        intent="track_order",
        also=[clause("delivery_info", "do you ship to Singapore?")],
        order_number="2003",
    )
    assert "2–3 days" in answer.messages[0]["text"]
    assert answer.slot("requested_slot") == "contact"


async def test_a_job_waits_until_the_one_before_it_is_done(chat: Chat):
    answer = await chat.hears(
        ValidateOrderTracking(),
        "Where is order 2003? I want to cancel order 2004.",
        intent="track_order",
        also=[clause("cancel_order", "I want to cancel order 2004.", order_number="2004")],
        order_number="2003",
    )
    assert answer.next_action is None
    assert [job["intent"] for job in answer.slot("waiting")["next"]] == ["cancel_order"]


async def test_what_belongs_to_the_main_request_is_asked_once(chat: Chat):
    answer = await chat.hears(
        TellDelivery(),
        "How long to Singapore and what does it cost?",
        intent="delivery_info",
        also=[clause("product_info", "what does it cost?")],
    )
    assert answer.next_action == "action_listen"


async def test_a_correction_repeats_what_was_done_and_a_mention_only_tells(chat: Chat):
    chat.slots["subject"] = "cancellation_form"
    mentioned = await chat.hears(TakeDetail(), "and what about 2004?", order_number="2004")
    corrected = await chat.hears(TakeDetail(), "sorry, I meant 2004", order_number="2004")
    assert (mentioned.next_action, corrected.next_action) == ("order_tracking_form", "cancellation_form")
