"""What a visitor does in the chat: writing, reading, choosing, rating."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.fault_desk import FaultDesk, Refusal

CARDS = [
    {
        "title": "First Frost Candle",
        "subtitle": "Pine needle and wood smoke",
        "price": "¥128.00",
        "badge": "Best seller",
        "image": "/demo/pictures/candle.svg",
        "url": "https://shop.example/first-frost",
        "buttons": [{"title": "What goes with it?", "payload": '/recommend_products{"product":"First Frost Candle"}'}],
    },
    {"title": "Mist Mug", "price": "¥108.00", "image": "/demo/pictures/mug.svg"},
    {"title": "One-Stem Vase", "price": "¥138.00", "image": "/demo/pictures/vase.svg"},
]


def test_a_message_is_answered(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Where is my order?")
    chat.sees("Where is my order?", "You said: Where is my order?")
    assert fault_desk.texts() == ["Where is my order?"]
    expect(chat.input).to_have_value("")


def test_nothing_is_asked_of_the_desk_before_somebody_writes(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk
) -> None:
    visitor().visit(fault_desk.url).open()
    assert fault_desk.sessions == []


def test_both_languages(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    lin = visitor().visit(fault_desk.url, lang="zh-CN")
    assert lin.launcher.get_attribute("aria-label") == "打开聊天"
    lin.open()
    expect(lin.panel).to_have_accessible_name("樟树里")
    expect(lin.input).to_have_attribute("placeholder", "输入消息…")
    lin.say("我的订单到哪了？")
    lin.sees("You said: 我的订单到哪了？")
    assert fault_desk.sessions[0]["language"] == "zh"

    park = visitor().visit(fault_desk.url, lang="en").open()
    expect(park.panel).to_have_accessible_name("Camphor Lane")
    park.say("Hello")
    park.sees("You said: Hello")
    assert fault_desk.sessions[1]["language"] == "en"


def test_the_attribute_decides_over_page_and_browser(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor().visit(fault_desk.url, lang="en", data_language="zh").open()
    expect(chat.input).to_have_attribute("placeholder", "输入消息…")


def test_without_a_language_on_the_page_the_browser_decides(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk
) -> None:
    chat = visitor(locale="zh-CN").visit(fault_desk.url, lang="", data_language="auto").open()
    expect(chat.input).to_have_attribute("placeholder", "输入消息…")


def test_the_words_follow_a_page_that_changes_its_language(chat: ChatPage) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.page.evaluate("document.documentElement.lang = 'zh-CN'")
    expect(chat.input).to_have_attribute("placeholder", "输入消息…")
    expect(chat.log).to_have_accessible_name("对话内容")
    chat.sees("Hello", "You said: Hello")


def test_a_quick_reply_sends_its_words_and_its_payload(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.answer = lambda text, payload: (
        [{"text": f"Chosen: {text}"}]
        if payload
        else [
            {"text": "Old", "buttons": [{"title": "Old button", "payload": "/old"}]},
            {
                "text": "Which?",
                "buttons": [
                    {"title": "Track", "payload": "/track_order"},
                    {"title": "Cancel", "payload": "/cancel_order"},
                ],
            },
        ]
    )
    chat.say("My order")
    expect(chat.button("Track")).to_be_enabled()
    expect(chat.button("Old button")).to_have_count(0)
    chat.button("Track").click()
    chat.sees("Track", "Chosen: Track")
    assert fault_desk.posts[-1]["text"] == "Track"
    assert fault_desk.posts[-1]["payload"] == "/track_order"
    expect(chat.button("Cancel")).to_have_count(0)


def test_quick_replies_are_spent_once_one_is_chosen(chat: ChatPage, fault_desk: FaultDesk) -> None:
    replies = iter(
        [
            [
                {
                    "text": "Which?",
                    "buttons": [{"title": "Track", "payload": "/a"}, {"title": "Cancel", "payload": "/b"}],
                }
            ],
            [],
        ]
    )
    fault_desk.answer = lambda text, payload: next(replies)
    chat.say("My order")
    chat.button("Track").click()
    for title in ("Track", "Cancel"):
        expect(chat.button(title)).to_be_disabled()
    chat.page.reload()
    chat.open()
    expect(chat.button("Cancel")).to_be_disabled()
    assert len(fault_desk.posts) == 2


def test_cards_show_what_a_product_is(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.answer = lambda text, payload: (
        [{"text": "For you:", "cards": CARDS}] if not payload else [{"text": "Pairs well"}]
    )
    chat.say("What do you recommend?")
    expect(chat.cards).to_have_count(3)
    first = chat.cards.first
    for words in ("First Frost Candle", "Pine needle and wood smoke", "¥128.00", "Best seller"):
        expect(first.get_by_text(words, exact=True).first).to_be_visible()
    expect(first.get_by_role("link")).to_have_attribute("href", "https://shop.example/first-frost")
    chat.page.wait_for_function(
        """() => [...document.querySelector("solodesk-chat").shadowRoot.querySelectorAll(".card img")]
             .every((image) => image.naturalWidth > 0)"""
    )
    row = chat.log.get_by_role("list", name="Products")
    assert row.evaluate("e => e.scrollWidth > e.clientWidth")
    chat.log.get_by_role("button", name="Next products").click()
    chat.page.wait_for_function(
        "() => document.querySelector('solodesk-chat').shadowRoot.querySelector('.cards').scrollLeft > 40"
    )
    chat.button("What goes with it?").click()
    chat.sees("Pairs well")
    assert fault_desk.posts[-1]["payload"].startswith("/recommend_products")


def test_shift_enter_makes_a_new_line_and_the_field_grows(chat: ChatPage, fault_desk: FaultDesk) -> None:
    low = chat.input.bounding_box()
    chat.input.fill("One")
    for line in ("Two", "Three"):
        chat.input.press("Shift+Enter")
        chat.page.keyboard.type(line)
    high = chat.input.bounding_box()
    assert low
    assert high
    assert high["height"] > low["height"] + 30
    assert fault_desk.posts == []
    chat.input.press("Enter")
    chat.sees("One\nTwo\nThree")
    assert chat.bubble("One\nTwo\nThree").evaluate("e => e.getBoundingClientRect().height") > 60


def test_the_enter_that_picks_a_chinese_word_does_not_send(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.input.focus()
    devtools = chat.page.context.new_cdp_session(chat.page)
    devtools.send("Input.imeSetComposition", {"text": "dingdan", "selectionStart": 7, "selectionEnd": 7})
    devtools.send(
        "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    )
    chat.page.wait_for_timeout(150)
    assert fault_desk.posts == []
    devtools.send("Input.insertText", {"text": "订单"})
    expect(chat.input).to_have_value("订单")
    # Safari ends the composition first and then reports the same Enter, marked only by its key code.
    chat.input.evaluate(
        """(field) => field.dispatchEvent(
             new KeyboardEvent("keydown", {key: "Enter", keyCode: 229, bubbles: true, cancelable: true}))"""
    )
    chat.page.wait_for_timeout(150)
    assert fault_desk.posts == []
    # Shown at once and sent a moment later, which must not be in the next test.
    with chat.page.expect_response("**/api/chat/messages*"):
        chat.input.press("Enter")
    chat.sees("订单")


def test_too_long_a_text_is_held_back_with_a_count(chat: ChatPage, fault_desk: FaultDesk) -> None:
    count = chat.page.locator(".count")
    chat.input.fill("a" * 3_500)
    expect(count).to_be_hidden()
    chat.input.fill("a" * 3_990)
    expect(count).to_have_text("10 characters left")
    chat.input.fill("a" * 4_001)
    expect(count).to_have_text("1 character too many")
    expect(chat.send_button).to_be_disabled()
    chat.input.press("Enter")
    assert fault_desk.posts == []
    chat.input.fill("😀" * 4_000)
    expect(count).to_have_text("0 characters left")
    expect(chat.send_button).to_be_enabled()
    chat.send_button.click()
    expect(chat.bubbles).to_have_count(2)
    assert len(fault_desk.posts[0]["text"]) == 4_000


def test_a_blank_text_is_not_sent(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("   \n ")
    expect(chat.send_button).to_be_disabled()
    assert fault_desk.sessions == []


def test_the_desk_hears_that_somebody_types_every_two_seconds_at_most(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    began = time.monotonic()
    while time.monotonic() - began < 4.6:
        chat.page.keyboard.type("word ")
        chat.page.wait_for_timeout(100)
    times = fault_desk.typing_at
    assert 2 <= len(times) <= 3
    assert all(later - earlier > 1.8 for earlier, later in pairwise(times))


def test_typing_dots_come_and_go(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.answer_after = 2.5
    chat.say("Hello")
    expect(chat.log.locator(".typing")).to_contain_text("The assistant is typing")
    chat.sees("You said: Hello")
    expect(chat.log.locator(".typing")).to_have_count(0)


def test_the_owner_steps_in_and_hands_back(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Can I talk to a person?")
    chat.sees("You said: Can I talk to a person?")
    fault_desk.hand_over()
    expect(chat.log.get_by_text("You are now talking with the owner of Camphor Lane")).to_be_visible()
    expect(chat.panel.locator(".state")).to_have_text("You are talking with the owner")
    fault_desk.typing("owner")
    expect(chat.log.locator(".typing")).to_contain_text("The owner is typing")
    fault_desk.say("owner", "Hello, this is Mei.")
    chat.sees("Hello, this is Mei.")
    expect(chat.row("Hello, this is Mei.")).to_contain_text("Owner")
    chat.page.reload()
    chat.open()
    expect(chat.panel.locator(".state")).to_have_text("You are talking with the owner")
    fault_desk.hand_over(active=False)
    expect(chat.log.get_by_text("The assistant is back in this chat")).to_be_visible()
    expect(chat.stars).to_have_count(5)


def test_one_tap_rates_the_chat_and_a_comment_may_follow(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.pick_from_menu("Rate this chat")
    chat.log.get_by_role("button", name="4 of 5, Good").click()
    expect(chat.log.get_by_text("Thank you!")).to_be_visible()
    assert fault_desk.feedback == [{"score": 4, "message_id": 2}]
    chat.log.get_by_label("Anything to add? (optional)").fill("Quick answer")
    chat.button("Send comment").click()
    expect(chat.log.locator(".rating textarea")).to_have_count(0)
    assert fault_desk.feedback[-1] == {"score": 4, "message_id": 2, "comment": "Quick answer"}


@pytest.mark.parametrize(
    ("language", "words", "goodbye"),
    [("en", "Thanks, bye!", "Come again soon."), ("zh-CN", "谢谢，再见", "感谢光临，祝您生活愉快！")],
)
def test_a_goodbye_asks_for_a_rating_once(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk, language: str, words: str, goodbye: str
) -> None:
    chat = visitor().visit(fault_desk.url, lang=language).open()
    fault_desk.answer = lambda text, payload: [{"text": goodbye}]
    chat.say(words)
    expect(chat.stars).to_have_count(5)
    chat.stars.nth(4).click()
    expect(chat.log.locator(".rating textarea")).to_be_visible()
    chat.page.reload()
    chat.open()
    chat.sees(goodbye)
    chat.say(words)
    expect(chat.bubbles).to_have_count(4)
    expect(chat.stars).to_have_count(0)


def test_a_rating_that_fails_can_be_tapped_again(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    fault_desk.refuse("feedback", Refusal(503, retry_after="1"))
    chat.pick_from_menu("End chat")
    chat.stars.nth(1).click()
    expect(chat.log.get_by_role("alert")).to_be_visible()
    chat.stars.nth(1).click()
    expect(chat.log.get_by_text("Thank you!")).to_be_visible()
    assert fault_desk.feedback == [{"score": 2, "message_id": 2}]


def test_unread_messages_are_counted_on_the_button(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.page.keyboard.press("Escape")
    expect(chat.badge).to_be_hidden()
    fault_desk.say("owner", "One more thing")
    fault_desk.say("owner", "We are closed on Monday")
    expect(chat.badge).to_have_text("2")
    expect(chat.launcher).to_have_accessible_name("Open chat, 2 new messages")
    chat.page.reload()
    expect(chat.badge).to_have_text("2")
    chat.open()
    chat.sees("One more thing", "We are closed on Monday")
    expect(chat.badge).to_be_hidden()


def test_messages_carry_day_and_local_time(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor(timezone_id="Asia/Shanghai").visit(fault_desk.url).open()
    chat.say("Hello")
    chat.sees("You said: Hello")
    fault_desk.current.messages[0]["created_at"] = "2026-01-04T20:05:00.000Z"
    fault_desk.say("owner", "Old news", created_at="2026-01-05T15:30:00.000Z")
    chat.sees("Old news")
    expect(chat.row("Old news").locator("time")).to_have_text("23:30")
    expect(chat.log.locator(".day", has_text="January")).to_contain_text("5 January")
    expect(chat.log.locator(".day", has_text="Today")).to_have_count(1)


def test_a_long_conversation_opens_at_its_end_and_reaches_back(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    for number in range(250):
        fault_desk.say("bot" if number % 2 else "owner", f"Line {number}")
    chat.sees("Line 249", timeout=20_000)
    chat.page.evaluate("localStorage.clear = null")
    chat.page.reload()
    chat.open()
    chat.sees("Line 249")
    expect(chat.bubble("Line 249")).to_be_in_viewport()
    expect(chat.bubble("Line 10")).to_have_count(0)
    for _ in range(3):
        earlier = chat.log.get_by_role("button", name="Earlier messages")
        if not earlier.count():
            break
        count = chat.bubbles.count()
        earlier.click()
        expect(chat.bubbles).not_to_have_count(count)
    chat.sees("Hello", "Line 0", "Line 249")
    assert len(chat.texts()) == 252


def test_somebody_reading_above_is_not_pulled_down(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    for number in range(30):
        fault_desk.say("bot", f"Line {number}")
    chat.sees("Line 29")
    chat.log.evaluate("e => { e.scrollTop = 0; }")
    chat.page.wait_for_timeout(100)
    fault_desk.say("owner", "Down here")
    chat.sees("Down here")
    assert chat.log.evaluate("e => e.scrollTop") < 50
    chat.page.get_by_role("button", name="Newest messages").click()
    expect(chat.bubble("Down here")).to_be_in_viewport()


def test_a_draft_outlives_a_reload(chat: ChatPage) -> None:
    chat.input.fill("I was about to ask")
    chat.page.reload()
    chat.open()
    expect(chat.input).to_have_value("I was about to ask")
    expect(chat.send_button).to_be_enabled()


def test_the_chat_goes_on_on_telegram_where_the_shop_has_it(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk
) -> None:
    fault_desk.telegram = "https://t.me/desk_bot?start=abc"
    chat = visitor().visit(fault_desk.url).open()
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.pick_from_menu("Continue on Telegram")
    notice = chat.log.locator(".notice").last
    expect(notice).to_contain_text("The shop then knows <b>both</b>.")  # wording is text, never markup
    way = notice.get_by_role("link", name="Open Telegram")
    expect(way).to_have_attribute("href", "https://t.me/desk_bot?start=abc")
    expect(way).to_have_attribute("rel", "noopener noreferrer")


def test_no_way_to_telegram_is_shown_where_there_is_none(chat: ChatPage) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.panel.locator("header [aria-haspopup=menu]").click()
    expect(chat.page.get_by_role("menuitem", name="Rate this chat")).to_be_visible()
    expect(chat.page.get_by_role("menuitem", name="Continue on Telegram")).to_have_count(0)
