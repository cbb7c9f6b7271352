"""Cut networks, refusals and lost answers: every message arrives, once, and in order."""

import base64
import json
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.fault_desk import FaultDesk, Refusal


def _streams(fault_desk: FaultDesk, page: Page, wanted: int) -> None:
    for _ in range(50):
        if fault_desk.current.streams == wanted:
            return
        page.wait_for_timeout(100)
    assert fault_desk.current.streams == wanted


def test_a_reload_shows_the_same_conversation(chat: ChatPage, fault_desk: FaultDesk) -> None:
    for words in ("One", "Two"):
        chat.say(words)
        chat.sees(f"You said: {words}")
    before = chat.texts()
    chat.page.reload()
    chat.open()
    chat.sees("You said: Two")
    assert chat.texts() == before
    chat.say("Three")
    chat.sees("You said: Three")
    assert chat.texts() == [*before, "Three", "You said: Three"]
    assert len(fault_desk.sessions) == 1


def test_a_reload_while_the_answer_is_on_its_way_loses_nothing(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.answer_after = 0.7
    chat.say("Slow one")
    chat.sees_state("Slow one", "sent")
    chat.page.reload()
    chat.open()
    chat.sees("Slow one", "You said: Slow one")
    assert fault_desk.texts() == ["Slow one"]


def test_what_is_written_offline_is_sent_once_and_in_order(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Before")
    chat.sees("You said: Before")
    network = chat.page.context
    network.set_offline(True)
    for words in ("First", "Second", "Third"):
        chat.say(words)
    for words in ("First", "Second", "Third"):
        chat.sees_state(words, "waiting")
    expect(chat.log.get_by_text("Waiting to send").first).to_be_visible()
    expect(chat.page.get_by_text("No connection.")).to_be_visible()
    network.set_offline(False)
    chat.sees("You said: First", "You said: Second", "You said: Third", timeout=20_000)
    assert fault_desk.texts() == ["Before", "First", "Second", "Third"]
    expect(chat.page.get_by_text("No connection.")).to_be_hidden()
    assert sorted(chat.texts()) == sorted({*chat.texts()})


def test_the_outbox_outlives_a_reload(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.refuse("sessions", Refusal(503, retry_after="60"))
    chat.say("Kept for later")
    chat.sees_state("Kept for later", "waiting")
    chat.page.reload()
    chat.open()
    chat.sees("Kept for later", "You said: Kept for later")
    assert fault_desk.texts() == ["Kept for later"]


def test_an_answer_that_gets_lost_does_not_send_twice(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.refuse("messages", Refusal(502, after_work=True))
    chat.say("Only once")
    chat.sees("Only once", "You said: Only once")
    chat.sees_state("Only once", "sent")
    chat.page.wait_for_timeout(1_500)
    assert fault_desk.texts() == ["Only once"]
    assert len({post["client_id"] for post in fault_desk.posts}) == 1


def test_a_rate_limit_is_waited_out(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    fault_desk.refuse("messages", Refusal(429, retry_after="2"))
    began = time.monotonic()
    chat.say("Too fast")
    chat.sees_state("Too fast", "waiting")
    chat.page.wait_for_timeout(1_200)
    assert len(fault_desk.posts) == 2
    chat.sees("You said: Too fast")
    assert time.monotonic() - began >= 2
    assert len(fault_desk.posts) == 3


def test_an_expired_token_gets_a_new_session_and_keeps_what_was_said(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Old times")
    chat.sees("You said: Old times")
    fault_desk.expire_tokens()
    chat.say("New times")
    chat.sees("Old times", "You said: Old times", "New times", "You said: New times")
    assert fault_desk.texts() == ["New times"]
    assert len(fault_desk.sessions) == 2
    chat.page.reload()
    chat.open()
    chat.sees("Old times", "You said: Old times", "New times", "You said: New times")


def test_a_token_that_expired_between_visits_is_replaced_silently(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Yesterday")
    chat.sees("You said: Yesterday")
    fault_desk.expire_tokens()
    chat.page.reload()
    chat.open()
    chat.sees("Yesterday")
    chat.say("Today")
    chat.sees("You said: Today")
    assert fault_desk.texts() == ["Today"]


def test_a_button_of_an_expired_conversation_sends_its_words_only(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.answer = lambda text, payload: [
        {"text": f"On {text}", "buttons": [{"title": "Track", "payload": "/track"}]}
    ]
    chat.say("Hello")
    expect(chat.button("Track")).to_be_enabled()
    fault_desk.streaming = False
    fault_desk.conversations = {}
    chat.button("Track").click()
    chat.sees("On Track", timeout=20_000)
    assert "payload" not in fault_desk.posts[-1]


def test_a_refused_message_says_so_and_can_be_tried_again(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.refuse("messages", Refusal(413))
    chat.say("Refused at first")
    chat.sees_state("Refused at first", "failed")
    chat.say("Not held up by it")
    chat.sees("You said: Not held up by it")
    chat.row("Refused at first").get_by_role("button", name="Try again").click()
    chat.sees("You said: Refused at first")
    chat.sees_state("Refused at first", "sent")


def test_a_refused_message_can_be_removed(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.refuse("messages", Refusal(422))
    chat.say("Never mind")
    chat.row("Never mind").get_by_role("button", name="Remove").click()
    expect(chat.bubble("Never mind")).to_have_count(0)
    chat.page.reload()
    chat.open()
    expect(chat.bubble("Never mind")).to_have_count(0)


def test_a_dropped_stream_resumes_where_it_was(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    for number in range(6):
        fault_desk.drop_streams()
        fault_desk.say("owner", f"Note {number}")
    chat.sees(*[f"Note {number}" for number in range(6)])
    assert [text for text in chat.texts() if text.startswith("Note")] == [f"Note {number}" for number in range(6)]
    chat.page.wait_for_timeout(1_500)
    fault_desk.say("owner", "Live again")
    chat.sees("Live again")
    assert fault_desk.stream_resumes[-1] >= 8


def test_where_streams_do_not_pass_it_asks_now_and_then(chat: ChatPage, fault_desk: FaultDesk) -> None:
    fault_desk.streaming = False
    chat.say("Hello")
    chat.sees("You said: Hello", timeout=15_000)
    fault_desk.say("owner", "By post")
    chat.sees("By post", timeout=15_000)
    before = fault_desk.polls
    chat.page.wait_for_timeout(3_000)
    assert fault_desk.polls - before <= 3


def test_a_desk_that_comes_back_is_found_again(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    _streams(fault_desk, chat.page, 1)
    fault_desk.refuse("history", *[Refusal(503, retry_after="1")] * 2)
    fault_desk.drop_streams()
    expect(chat.panel.locator(".state")).to_have_text("Reconnecting…")
    fault_desk.say("owner", "Back")
    chat.sees("Back")
    expect(chat.panel.locator(".state")).to_have_text("Assistant · answers right away")


def test_a_blocked_storage_costs_only_the_history(
    browser_context: Callable[..., BrowserContext], visitor: Callable[..., ChatPage], fault_desk: FaultDesk
) -> None:
    context = browser_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('blocked', 'SecurityError'); }})"
    )
    chat = visitor(context).visit(fault_desk.url).open()
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.say("Again")
    chat.sees("You said: Again")
    assert fault_desk.texts() == ["Hello", "Again"]


def test_a_damaged_storage_is_survived(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.page.evaluate(
        """() => { for (const key of Object.keys(localStorage))
             localStorage[key] = key.endsWith("log") ? '{"messages":[null,{"id":"x"}],"archive":7}' : "{nonsense"; }"""
    )
    chat.page.reload()
    chat.open()
    chat.say("Still works")
    chat.sees("You said: Still works")


def test_two_tabs_share_one_conversation(
    browser_context: Callable[..., BrowserContext], visitor: Callable[..., ChatPage], fault_desk: FaultDesk
) -> None:
    context = browser_context()
    left = visitor(context).visit(fault_desk.url).open()
    right = visitor(context).visit(fault_desk.url).open()
    left.say("From the left")
    for tab in (left, right):
        tab.sees("From the left", "You said: From the left")
    right.say("From the right")
    for tab in (left, right):
        tab.sees("From the right", "You said: From the right")
    context.set_offline(True)
    left.say("Left, offline")
    right.say("Right, offline")
    context.set_offline(False)
    for tab in (left, right):
        tab.sees("You said: Left, offline", "You said: Right, offline", timeout=20_000)
    assert sorted(fault_desk.texts()) == ["From the left", "From the right", "Left, offline", "Right, offline"]
    assert len(fault_desk.sessions) == 1


def test_forgetting_leaves_nothing_behind(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("A private matter")
    chat.sees("You said: A private matter")
    chat.panel.locator("header [aria-haspopup=menu]").click()
    chat.page.get_by_role("menuitem", name="Forget this chat on this device").click()
    chat.page.get_by_role("menuitem", name="Tap again to forget it").click()
    expect(chat.bubbles).to_have_count(0)
    assert "private" not in str(chat.page.evaluate("JSON.stringify(localStorage)"))
    chat.say("A new start")
    chat.sees("You said: A new start")
    assert len(fault_desk.sessions) == 2


def _signed(customer: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"customer_id": customer, "exp": time.time() + 600}).encode()).decode()
    return f"{body.rstrip('=')}.{'0' * 64}"


def test_who_signs_out_takes_the_conversation_along(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    token = _signed("lin")
    chat = visitor().visit(fault_desk.url, data_identity=token).open()
    chat.say("My order, please")
    chat.sees("You said: My order, please")
    assert fault_desk.sessions[0]["identity"] == token
    chat.visit(fault_desk.url, data_identity=_signed("lin")).open()
    chat.sees("My order, please")
    chat.visit(fault_desk.url, data_identity=_signed("chen")).open()
    expect(chat.bubbles).to_have_count(0)
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.visit(fault_desk.url).open()
    expect(chat.bubbles).to_have_count(0)


def test_an_identity_that_has_run_out_still_gets_an_answer(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk
) -> None:
    token = _signed("lin")
    fault_desk.refused_identities.add(token)
    chat = visitor().visit(fault_desk.url, data_identity=token).open()
    chat.say("Hello")
    chat.sees("You said: Hello")
    chat.page.reload()
    chat.open()
    chat.sees("Hello", "You said: Hello")
    assert [session.get("identity") for session in fault_desk.sessions] == [None]


def test_what_the_shop_has_erased_is_gone_here_too(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Delete my data")
    chat.sees("You said: Delete my data")
    chat.input.fill("Thank")
    fault_desk.expire_tokens(code="conversation_erased")
    expect(chat.bubbles).to_have_count(0)
    assert "Delete" not in str(chat.page.evaluate("JSON.stringify(localStorage)"))
    expect(chat.input).to_have_value("Thank")
    chat.say("Hello again")
    chat.sees("You said: Hello again")


def test_a_page_elsewhere_embeds_it_with_one_line(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    shop = FaultDesk()
    shop.start()
    try:
        chat = visitor().visit(shop.url, origin=fault_desk.url).open()
        chat.say("Across origins")
        chat.sees("You said: Across origins")
        assert fault_desk.texts() == ["Across origins"]
        assert shop.sessions == []
    finally:
        shop.stop()


def test_one_visitor_holds_one_stream(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Hello")
    chat.sees("You said: Hello")
    _streams(fault_desk, chat.page, 1)
    chat.page.reload()
    chat.launcher.wait_for()
    _streams(fault_desk, chat.page, 1)
    chat.page.goto("about:blank")
    _streams(fault_desk, chat.page, 0)
