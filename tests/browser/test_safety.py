"""What the widget must never do to the page it is on, whatever the network sends."""

import gzip
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.fault_desk import WIDGET, FaultDesk

HOSTILE = [
    "<img src=x onerror=window.broken=1>",
    "<script>window.broken=1</script>",
    "</p><iframe srcdoc='<script>parent.broken=1</script>'></iframe>",
    '"><svg/onload=window.broken=1>',
    "javascript:window.broken=1",
    "&lt;b&gt;bold&lt;/b&gt;",
    "${window.broken=1}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(visitor: Callable[..., ChatPage], fault_desk: FaultDesk, text: str) -> None:
    assert fault_desk.shop
    fault_desk.shop["name"] = {"en": text, "zh": text}
    fault_desk.answer = lambda _text, _payload: [
        {"text": text, "language": text},
        {
            "text": "Cards",
            "image": "javascript:window.broken=1",
            "cards": [
                {
                    "title": text,
                    "subtitle": text,
                    "price": text,
                    "badge": text,
                    "text": text,
                    "image": text,
                    "url": "javascript:window.broken=1",
                }
            ],
        },
        {"text": "Buttons", "buttons": [{"title": text, "payload": "/x"}]},
    ]
    chat = visitor().visit(fault_desk.url, data_title=text, data_color=text, data_identity=text).open()
    chat.say(text)
    chat.sees("Buttons")
    expect(chat.bubble(text)).to_have_count(2)
    expect(chat.cards.locator("strong")).to_have_text(text)
    expect(chat.button(text)).to_have_count(1)
    chat.button(text).click()
    expect(chat.bubble(text)).to_have_count(4)
    fault_desk.say("owner", text)
    fault_desk.typing(text)
    expect(chat.bubble(text)).to_have_count(5)
    assert chat.page.evaluate("window.broken") is None
    assert chat.log.locator("script, iframe, b, svg[onload], [onerror], a[href^='javascript']").count() == 0
    assert chat.log.locator(".bubble > :not(a)").count() == 0


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("See https://shop.example/a?b=1&c=2.", ["https://shop.example/a?b=1&c=2"]),
        (
            "(https://shop.example/a_(b)) and http://shop.example",
            ["https://shop.example/a_(b)", "http://shop.example/"],
        ),
        ("物流：https://shop.example/t/1，请查看。", ["https://shop.example/t/1"]),
        ("javascript:alert(1) data:text/html,x ftp://shop.example mailto:a@b.c www.shop.example", []),
        ("https://", []),
    ],
)
def test_only_web_addresses_become_links(
    chat: ChatPage, fault_desk: FaultDesk, text: str, addresses: list[str]
) -> None:
    fault_desk.answer = lambda _text, _payload: [{"text": text}]
    chat.say("Link?")
    chat.sees(text)
    links = chat.bubble(text).get_by_role("link").all()
    assert [link.get_attribute("href") for link in links] == addresses
    assert all(link.get_attribute("rel") == "noopener noreferrer nofollow" for link in links)


def test_no_element_has_a_style_attribute(chat: ChatPage, fault_desk: FaultDesk) -> None:
    chat.say("Some\nlines")
    chat.sees("You said: Some\nlines")
    chat.pick_from_menu("Rate this chat")
    styled = chat.page.evaluate(
        """() => document.querySelectorAll("[style]").length
             + document.querySelector("solodesk-chat").shadowRoot.querySelectorAll("[style], style").length"""
    )
    assert styled == 0


def test_a_shops_own_style_sheet_does_not_reach_in(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor(reduced_motion="reduce").visit(fault_desk.url).open()
    before = chat.panel.bounding_box()
    chat.page.evaluate(
        """() => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(`* { font-size: 40px; color: red; margin: 30px; display: flex; text-transform: uppercase; }
            body > * { position: static; width: 9px; zoom: 2; }`);
          document.adoptedStyleSheets = [sheet];
        }"""
    )
    assert chat.panel.bounding_box() == before
    assert chat.panel.get_by_role("heading").first.evaluate("e => getComputedStyle(e).textTransform") == "none"


@pytest.mark.parametrize(
    ("color", "accent"),
    [("#a03", "rgb(170 0 51)"), ("#2244aa", "rgb(34 68 170)"), ("red;}", "#1d6b5f"), ("url(x)", "#1d6b5f")],
)
def test_a_colour_is_taken_only_if_it_is_one(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk, color: str, accent: str
) -> None:
    chat = visitor().visit(fault_desk.url, data_color=color)
    assert chat.launcher.evaluate("e => getComputedStyle(e).getPropertyValue('--accent').trim()") == accent


def test_title_and_open_attributes(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor().visit(fault_desk.url, data_title="Mei's desk", data_open="")
    expect(chat.panel).to_have_accessible_name("Mei's desk")
    assert chat.focused() != "Message"


def test_the_page_can_open_it_with_words_to_start_from(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor().visit(fault_desk.url)
    chat.page.evaluate("solodesk.open('About order 1024')")
    expect(chat.input).to_have_value("About order 1024")
    chat.page.evaluate("solodesk.close()")
    expect(chat.panel).to_be_hidden()


def test_loading_it_twice_gives_one_chat(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor().visit(fault_desk.url)
    chat.page.evaluate(
        """() => new Promise((done) => {
          const again = document.createElement("script");
          again.src = "/widget.js"; again.onload = done; document.head.append(again);
        })"""
    )
    expect(chat.launcher).to_have_count(1)


def test_it_is_small_and_whole() -> None:
    source = (WIDGET / "widget.js").read_bytes()
    assert len(gzip.compress(source, 9)) <= 30_000
    text = source.decode()
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\bimport\b", text)
        == []
    )
    addresses = set(re.findall(r"https?://[\w.]+", text))
    # The last is only compared with: where a link to go on with on Telegram may lead.
    assert addresses <= {"https://desk.example", "http://www.w3.org", "https://t.me"}
