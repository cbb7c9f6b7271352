"""The widget on the demo page of the whole running product."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

pytestmark = pytest.mark.product
ANSWER_MS = 30_000


def history(chat: ChatPage) -> list[dict[str, Any]]:
    """The conversation as the desk has it."""
    found: list[dict[str, Any]] = chat.page.evaluate(
        """async () => {
          const key = Object.keys(localStorage).find((name) => name.endsWith(":session"));
          const {token} = JSON.parse(localStorage[key]);
          const answer = await fetch("/api/chat/messages?limit=200", {headers: {Authorization: `Bearer ${token}`}});
          return (await answer.json()).messages;
        }"""
    )
    return found


def hears(chat: ChatPage, pattern: str) -> None:
    """A reply with these words comes."""
    reply = chat.log.locator(".row.bot .bubble").filter(has_text=re.compile(pattern))
    expect(reply.last).to_be_visible(timeout=ANSWER_MS)


def visit(visitor: Callable[..., ChatPage], url: str, language: str, **options: Any) -> ChatPage:
    return visitor(**options).visit(url, "/", lang=language).open()


def test_an_order_in_english(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "en")
    chat.say("Where is order 1383? My email is j.whitcombe@example.com")
    hears(chat, "1383")


def test_an_order_in_chinese(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "zh", locale="zh-CN")
    chat.say("订单 1384 到哪了？我的邮箱是 siqi.chen@example.net")
    hears(chat, "1384.*[一-鿿]|[一-鿿].*1384")


def test_a_reload_in_mid_conversation(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "en")
    chat.say("How long does delivery to Singapore take?")
    hears(chat, "Singapore|Asia|days")
    chat.say("What can you do?")
    expect(chat.log.locator(".choices button").first).to_be_visible(timeout=ANSWER_MS)
    before = chat.texts()
    chat.page.reload()
    chat.open()
    expect(chat.bubbles).to_have_count(len(before), timeout=ANSWER_MS)
    assert chat.texts() == before
    assert len(history(chat)) >= 4


def test_quick_replies_lead_on(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "en")
    chat.say("What can you do?")
    choices = chat.log.locator(".row.bot .choices button")
    expect(choices.first).to_be_enabled(timeout=ANSWER_MS)
    title, replies = choices.first.inner_text(), chat.log.locator(".row.bot:not(.typing)").count()
    choices.first.click()
    chat.sees(title)
    expect(chat.log.locator(".row.bot:not(.typing)").nth(replies)).to_be_visible(timeout=ANSWER_MS)
    assert [message["text"] for message in history(chat)].count(title) == 1


@pytest.mark.parametrize(("language", "wish"), [("en", "What do you recommend?"), ("zh", "有什么推荐的吗？")])
def test_recommendations_come_as_cards(
    visitor: Callable[..., ChatPage], product_url: str, language: str, wish: str
) -> None:
    chat = visit(visitor, product_url, language)
    chat.say(wish)
    expect(chat.cards.first).to_be_visible(timeout=ANSWER_MS)
    expect(chat.cards.first.locator("strong")).not_to_be_empty()
    expect(chat.cards.first.locator(".price")).to_contain_text(re.compile(r"\d"))
    assert chat.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_cut_network_loses_and_doubles_nothing(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "en")
    chat.say("Hello")
    expect(chat.log.locator(".row.bot .bubble").first).to_be_visible(timeout=ANSWER_MS)
    network = chat.page.context
    network.set_offline(True)
    written = ["How do returns work?", "Which ways to pay are there?"]
    for words in written:
        chat.say(words)
        chat.sees_state(words, "waiting")
    network.set_offline(False)
    for words in written:
        chat.sees_state(words, "sent", timeout=ANSWER_MS)
        chat.sees(words)
    said = [message["text"] for message in history(chat) if message["author"] == "customer"]
    assert said == ["Hello", *written]


def test_hostile_words_come_back_as_words(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "en")
    words = "<img src=x onerror=window.broken=1> /restart"
    chat.say(words)
    expect(chat.log.locator(".row.bot .bubble").first).to_be_visible(timeout=ANSWER_MS)
    chat.sees(words)
    chat.page.reload()
    chat.open()
    chat.sees(words)
    assert chat.page.evaluate("window.broken") is None


def test_asking_for_a_person_and_rating(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "en")
    chat.say("I want to talk to a person")
    expect(chat.panel.locator(".state")).to_have_text("Assistant · the owner has been told", timeout=ANSWER_MS)
    chat.pick_from_menu("Rate this chat")
    chat.stars.nth(4).click()
    expect(chat.log.get_by_text("Thank you!")).to_be_visible()


def test_a_goodbye_asks_how_it_was(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "zh")
    chat.say("再见")
    expect(chat.stars).to_have_count(5, timeout=ANSWER_MS)


def test_a_whole_conversation_by_keyboard(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visitor().visit(product_url, "/", lang="en")
    chat.launcher.focus()
    chat.page.keyboard.press("Enter")
    chat.page.keyboard.type("What can you do?")
    chat.page.keyboard.press("Enter")
    expect(chat.log.locator(".row.bot .choices button").last).to_be_enabled(timeout=ANSWER_MS)
    chat.page.keyboard.press("Shift+Tab")
    title = chat.focused()
    chat.page.keyboard.press("Enter")
    chat.sees(title)
    assert chat.focused() == "Message"


def test_a_burst_of_lines_keeps_its_order(visitor: Callable[..., ChatPage], product_url: str) -> None:
    chat = visit(visitor, product_url, "zh")
    lines = ["你好", "我想问一下", "退货怎么办理"]
    for line in lines:
        chat.say(line)
    for line in lines:
        chat.sees_state(line, "sent")
    deadline = time.monotonic() + 30
    while (said := history(chat))[-1]["author"] == "customer" and time.monotonic() < deadline:
        chat.page.wait_for_timeout(200)
    assert said[-1]["author"] == "bot"
    assert [message["text"] for message in said if message["author"] == "customer"] == lines
    assert chat.log.locator(".row.mine .bubble").all_inner_texts() == lines
