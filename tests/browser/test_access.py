"""The chat without a mouse, without sight of it, in the dark, on a phone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.fault_desk import FaultDesk

CONTRASTS = """() => {
  const root = document.querySelector("solodesk-chat").shadowRoot;
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (color) => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] > 250) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of root.querySelectorAll("*")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(".hush, :disabled")) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    found.push([`${node.tagName}.${node.className} ${node.textContent.trim().slice(0, 30)}`, (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""


def full_conversation(chat: ChatPage, desk: FaultDesk) -> None:
    """Some of everything that a log can hold."""
    desk.answer = lambda text, payload: [
        {"text": f"See https://shop.example/{'long' * 30} for this."},
        {
            "text": "",
            "cards": [
                {
                    "title": "Candle " * 9,
                    "price": "¥128.00",
                    "badge": "New",
                    "image": "/demo/pictures/candle.svg",
                    "url": "https://shop.example",
                }
            ]
            * 4,
        },
        {
            "text": "Anything else?",
            "buttons": [{"title": f"Choice number {n} of several", "payload": f"/{n}"} for n in range(4)],
        },
    ]
    chat.say("W" * 180)
    expect(chat.button("Choice number 3 of several")).to_be_visible()
    desk.hand_over()
    desk.say("owner", "没有空格的很长的中文句子" * 12)
    expect(chat.log.locator(".row.owner")).to_be_visible()
    desk.hand_over(active=False)
    expect(chat.stars).to_have_count(5)
    # Colours are only final when nothing moves any more.
    chat.page.wait_for_function(
        "() => document.querySelector('solodesk-chat').shadowRoot.getAnimations().every(a => a.playState !== 'running')"
    )


def no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    too_wide = page.evaluate(
        """() => [...document.querySelector("solodesk-chat").shadowRoot
             .querySelectorAll(".panel, .log, .list, header, footer")]
             .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.className || node.tagName)"""
    )
    assert too_wide == []


def test_roles_and_names(chat: ChatPage, fault_desk: FaultDesk) -> None:
    full_conversation(chat, fault_desk)
    expect(chat.panel).to_have_accessible_name("Camphor Lane")
    assert chat.panel.get_attribute("aria-modal") is None
    expect(chat.log).to_have_attribute("aria-live", "polite")
    expect(chat.log).to_have_accessible_name("Conversation")
    expect(chat.input).to_have_accessible_name("Message")
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    unnamed = [
        button.evaluate("b => b.outerHTML")
        for button in chat.page.get_by_role("button").all()
        if not (button.get_attribute("aria-label") or button.inner_text().strip())
    ]
    assert unnamed == []
    assert chat.log.locator("img:not([alt])").count() == 0
    assert all(chat.row(text).locator(".hush, .who").count() for text in ("Anything else?",))


def test_opening_puts_the_cursor_in_the_field_and_escape_puts_it_back(chat: ChatPage) -> None:
    assert chat.focused() == "Message"
    chat.page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    assert chat.focused() == "Open chat"
    expect(chat.launcher).to_have_attribute("aria-expanded", "false")


def test_everything_by_keyboard_alone(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    fault_desk.answer = lambda text, payload: (
        [{"text": "Chosen"}] if payload else [{"text": "Which?", "buttons": [{"title": "Track", "payload": "/track"}]}]
    )
    chat = visitor().visit(fault_desk.url)
    press = chat.page.keyboard.press
    press("Tab")
    assert chat.focused() == "First link"
    press("Tab")
    assert chat.focused() == "Open chat"
    press("Enter")
    assert chat.focused() == "Message"
    chat.page.keyboard.type("My order")
    press("Tab")
    assert chat.focused() == "Send"
    press("Enter")
    assert chat.focused() == "Message"
    expect(chat.button("Track")).to_be_enabled()
    press("Shift+Tab")
    assert chat.focused() == "Track"
    press("Enter")
    chat.sees("Chosen")
    assert chat.focused() == "Message"
    press("Shift+Tab")
    assert chat.focused() == "Conversation"
    press("Shift+Tab")
    assert chat.focused() == "Close chat"
    press("Shift+Tab")
    assert chat.focused() == "More options"
    press("Enter")
    assert chat.focused() == "Rate this chat"
    press("ArrowDown")
    assert chat.focused() == "Talk to a person"
    press("End")
    assert chat.focused() == "Forget this chat on this device"
    press("ArrowDown")
    assert chat.focused() == "Rate this chat"
    press("Escape")
    assert chat.focused() == "More options"
    expect(chat.panel).to_be_visible()
    press("Enter")
    press("Enter")
    assert chat.focused() == "1 of 5, Very poor"
    press("Enter")
    expect(chat.log.get_by_text("Thank you!")).to_be_visible()
    assert chat.focused() == "Anything to add? (optional)"
    press("Escape")
    assert chat.focused() == "Open chat"


def test_keys_typed_in_the_chat_are_not_the_pages_shortcuts(chat: ChatPage) -> None:
    chat.page.evaluate("() => { window.heard = []; addEventListener('keydown', (e) => heard.push(e.key)); }")
    chat.page.keyboard.type("s/?")
    assert chat.page.evaluate("heard") == []
    expect(chat.input).to_have_value("s/?")


def test_an_own_message_is_announced_once(chat: ChatPage) -> None:
    chat.page.evaluate(
        """() => {
          window.added = [];
          const list = document.querySelector("solodesk-chat").shadowRoot.querySelector(".list");
          new MutationObserver((changes) => {
            for (const change of changes) for (const node of change.addedNodes) added.push(node.textContent);
          }).observe(list, {childList: true});
        }"""
    )
    chat.say("Say this once")
    chat.sees("You said: Say this once")
    chat.page.wait_for_timeout(300)
    added = chat.page.evaluate("added")
    assert len([text for text in added if text.startswith("You: Say this once")]) == 1
    assert len([text for text in added if "You said:" in text]) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("color", ["", "#ffd400", "#101010", "#e60023"])
def test_words_can_be_read_in_every_colour(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk, scheme: str, color: str
) -> None:
    chat = visitor(color_scheme=scheme, reduced_motion="reduce").visit(fault_desk.url, data_color=color).open()
    full_conversation(chat, fault_desk)
    found = dict(chat.page.evaluate(CONTRASTS))
    assert len(found) > 15
    assert {name: round(ratio, 2) for name, ratio in found.items() if ratio < 4.5} == {}


PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
SCREENS: dict[str, dict[str, Any]] = {
    "desktop-light": {"viewport": {"width": 1280, "height": 860}},
    "desktop-dark": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"},
    "phone-light": PHONE,
    "phone-dark": {**PHONE, "color_scheme": "dark"},
    "phone-small": {**PHONE, "viewport": {"width": 320, "height": 568}},
    "phone-lying": {**PHONE, "viewport": {"width": 740, "height": 360}},
}


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_nothing_overflows(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk, tmp_path: Path, screen: str, language: str
) -> None:
    chat = visitor(**SCREENS[screen]).visit(fault_desk.url, lang=language)
    no_sideways_scrolling(chat.page)
    chat.open()
    no_sideways_scrolling(chat.page)
    full_conversation(chat, fault_desk)
    no_sideways_scrolling(chat.page)
    assert len(chat.page.screenshot(path=tmp_path / f"{screen}-{language}.png")) > 5_000
    box, view = chat.panel.bounding_box(), chat.page.viewport_size
    assert box
    assert view
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= view["width"]
    assert box["y"] + box["height"] <= view["height"]
    if screen.startswith("phone"):
        assert (box["width"], box["height"]) == (view["width"], view["height"])
        expect(chat.launcher).to_be_hidden()
        assert chat.input.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 16


def test_targets_are_large_enough_for_a_finger(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor(**PHONE).visit(fault_desk.url).open()
    full_conversation(chat, fault_desk)
    small = [
        (button.inner_text() or button.get_attribute("aria-label"), box)
        for button in chat.page.get_by_role("button").all()
        if (box := button.bounding_box()) and (box["width"] < 24 or box["height"] < 24)
    ]
    assert small == []


def test_reduced_motion_forced_colours_and_print(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor(reduced_motion="reduce").visit(fault_desk.url).open()
    fault_desk.answer_after = 1.0
    chat.say("Hello")
    dot = chat.log.locator(".dots i").first
    expect(dot).to_be_visible()
    assert dot.evaluate("e => getComputedStyle(e).animationName") == "none"
    chat.page.emulate_media(forced_colors="active")
    assert chat.bubble("Hello").evaluate("e => getComputedStyle(e).borderTopWidth") == "1px"
    chat.page.emulate_media(forced_colors="none", media="print")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_hidden()
