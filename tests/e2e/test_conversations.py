"""One message through gateway, Rasa, actions and store, with the demo shop's own orders and products."""

import re

import pytest
from sqlalchemy import select

from crm.models import Author, Conversation, ConversationStatus, Handoff, Message
from tests.support.product import RunningDesk

pytestmark = pytest.mark.product
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_ms_park_is_answered_in_english_about_her_order(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("Where is my order 1383? My email is j.whitcombe@example.com")
    assert "1383" in visitor.heard
    assert "shipped" in visitor.heard
    assert not CHINESE.search(visitor.heard)


def test_lin_is_answered_in_chinese_about_his_order(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("我的订单 1384 到哪了？邮箱 siqi.chen@example.net")
    assert "1384" in visitor.heard
    assert "发货" in visitor.heard


def test_who_one_is_can_be_said_afterwards(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("where is my order 1383")
    assert "shipped" not in visitor.heard
    visitor.says("j.whitcombe@example.com")
    assert "shipped" in visitor.heard


def test_a_strangers_order_and_a_wrong_number_get_the_same_answer(desk: RunningDesk) -> None:
    strangers, wrong = desk.visitor(), desk.visitor()
    strangers.says("Where is my order 1383? My email is siqi.chen@example.net")
    wrong.says("Where is my order 9983? My email is siqi.chen@example.net")
    assert strangers.heard.replace("1383", "N") == wrong.heard.replace("9983", "N")
    assert "shipped" not in strangers.heard


def test_both_sides_are_in_the_store_with_what_was_understood(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("订单 1398 发货了吗？ruoxi.song@example.org")
    with desk.store() as session:
        asked, *answered = session.scalars(
            select(Message)
            .join(Conversation)
            .where(Conversation.public_id == visitor.conversation)
            .order_by(Message.seq)
        ).all()
        assert asked.author is Author.CUSTOMER
        assert asked.intent == "track_order"
        assert asked.confidence is not None
        assert 0.5 < asked.confidence <= 1
        assert {"order_number", "email"} <= {entity["entity"] for entity in asked.entities or []}
        assert asked.language == "zh"
        assert asked.model_id
        assert asked.answer_ms is not None
        assert asked.answer_ms > 0
        assert [message.author for message in answered] == [Author.BOT] * len(answered)
        assert [message.text for message in answered] == [reply["text"] for reply in visitor.last]
        assert {message.turn for message in answered} == {asked.turn}


def test_a_price_comes_from_the_catalogue(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("how much is the Mountain Incense Burner?")
    said = visitor.heard + str(visitor.last)
    assert re.search(r"\d", said)
    assert "Mountain Incense Burner" in said or "incense burner" in said.lower()


def test_a_product_that_is_sold_out_is_said_to_be(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("晾衣日蜡烛还有货吗？")
    assert CHINESE.search(visitor.heard)
    assert re.search("售罄|没有?货|缺货|卖完|无货", visitor.heard), visitor.heard


def test_recommendations_are_products_of_the_shop(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("Can you recommend a gift?")
    cards = [card for reply in visitor.last for card in reply.get("cards", [])]
    assert cards
    assert all(card["title"] for card in cards)


def test_a_question_is_answered_from_an_article(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("Which size robe for 175 cm?")
    assert re.search(r"\b(L|M|S|XL|large|medium)\b", visitor.heard), visitor.heard


def test_asking_for_a_person_is_a_handoff(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("我要找人工客服")
    assert visitor.last
    with desk.store() as session:
        handoff, status = session.execute(
            select(Handoff, Conversation.status)
            .join(Conversation, Conversation.id == Handoff.conversation_id)
            .where(Conversation.public_id == visitor.conversation)
        ).one()
        assert status is ConversationStatus.HANDED_OFF
        assert handoff.returned_at is None


def test_a_burst_is_answered_once_and_completely(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.sends("hi")
    visitor.sends("where is my order 1383")
    visitor.says("j.whitcombe@example.com")
    history = visitor.history()
    assert [m["text"] for m in history if m["author"] == "customer"] == [
        "hi",
        "where is my order 1383",
        "j.whitcombe@example.com",
    ]
    answers = [m["text"] for m in history if m["author"] == "bot"]
    assert sum("shipped" in text for text in answers) == 1
    with desk.store() as session:
        waiting = select(Message).where(Message.author == Author.CUSTOMER, Message.turn.is_(None))
        assert session.scalars(waiting).first() is None


def test_a_button_does_what_it_says(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("hello")
    visitor.presses("order")
    assert re.search("order number", visitor.heard, re.IGNORECASE), visitor.heard


def test_language_switches_with_the_customer(desk: RunningDesk) -> None:
    visitor = desk.visitor()
    visitor.says("hello")
    assert not CHINESE.search(visitor.heard)
    visitor.says("运费是多少？")
    assert CHINESE.search(visitor.heard)
