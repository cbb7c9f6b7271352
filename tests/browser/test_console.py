"""The owner's console in a real browser, with the whole product behind it."""

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.product import RunningDesk

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 820}}
PAGES = (
    "",
    "/customers",
    "/questions",
    "/knowledge",
    "/catalogue",
    "/returns",
    "/follow-ups",
    "/reports",
    "/digests",
    "/settings",
)


class Customer:
    """Somebody in the web chat."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=40, trust_env=False)
        session = self.http.post("/api/chat/sessions", json={"language": "en"}).json()
        self.http.headers["Authorization"] = f"Bearer {session['token']}"

    def says(self, text: str, wait: int = 20) -> list[str]:
        body = {"text": text, "client_id": uuid.uuid4().hex}
        answer = self.http.post(f"/api/chat/messages?wait={wait}", json=body)
        return [reply["text"] for reply in answer.json().get("replies", [])]

    def hears(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.http.get("/api/chat/messages").json()["messages"]
        return messages


@pytest.fixture
def customer(product_url: str) -> Iterator[Customer]:
    somebody = Customer(product_url)
    yield somebody
    somebody.http.close()


@pytest.fixture
def console(
    browser_context: Callable[..., BrowserContext], desk: RunningDesk, product_url: str
) -> Iterator[Callable[..., Page]]:
    """Opens a signed-in console; at the end no page may have complained, of the security policy least of all."""
    complaints: list[str] = []

    def open_console(**options: Any) -> Page:
        page = browser_context(**options).new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{product_url}/owner")
        page.get_by_label("Password").fill(desk.env["DESK_OWNER_PASSWORD"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/owner")
        return page

    yield open_console
    assert complaints == []


def test_the_owner_is_told_answers_and_returns_without_loading_anything(
    console: Callable[..., Page], customer: Customer
) -> None:
    page = console(**DESK)
    word = uuid.uuid4().hex[:8]
    customer.says(f"my teapot {word} is chipped, I want to talk to a person please")
    row = page.locator(".row.waiting", has_text="Wants a person").first
    expect(row).to_be_visible(timeout=15_000)
    expect(page).to_have_title(re.compile(r"^\(\d+\) "))
    row.click()
    expect(page.locator(".log")).to_contain_text(word)
    page.get_by_label("Your answer").fill("Hello, this is the owner. A new one leaves today.")
    page.keyboard.press("Enter")
    expect(page.locator(".line.owner")).to_contain_text("A new one leaves today.")
    assert customer.hears()[-1]["author"] == "owner"
    customer.says("wonderful", wait=0)
    expect(page.locator(".line.customer").last).to_contain_text("wonderful", timeout=10_000)
    page.get_by_role("button", name="Return to bot").click()
    expect(page.locator(".line.bot").last).to_contain_text("handed this chat back")
    assert customer.says("thanks")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_phone(console: Callable[..., Page], product_url: str, scheme: str) -> None:
    page = console(**PHONE, color_scheme=scheme)
    for path in PAGES:
        page.goto(f"{product_url}/owner{path}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
        assert page.locator("h1").count() >= 1, path


def test_a_suggestion_fills_the_answer(console: Callable[..., Page], customer: Customer) -> None:
    customer.says("how long do I have to return something?")
    customer.says("I would like to talk to a person")
    page = console(**PHONE)
    page.locator(".row.waiting").first.click()
    suggestion = page.locator("[data-fill]").first
    suggestion.click()
    expect(page.get_by_label("Your answer")).not_to_have_value("")


def test_language_and_colours_are_one_tap_away(console: Callable[..., Page]) -> None:
    page = console(**DESK)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="收件箱")).to_be_visible()
    page.get_by_role("button", name="深色").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_everything_can_be_reached_by_keyboard_and_has_a_name(console: Callable[..., Page], product_url: str) -> None:
    page = console(**DESK)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    for path in PAGES:
        page.goto(f"{product_url}/owner{path}")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea")]
              .filter((e) => e.offsetParent && !(e.innerText || e.getAttribute("aria-label") || e.title
                || (e.labels && e.labels.length))).map((e) => e.outerHTML.slice(0, 120))"""
        )
        assert nameless == [], path


def test_a_new_article_answers_the_next_question(
    console: Callable[..., Page], customer: Customer, product_url: str
) -> None:
    page = console(**DESK)
    page.goto(f"{product_url}/owner/knowledge/new")
    page.get_by_label("Title", exact=True).fill("Llama parking")
    page.get_by_label("Answer", exact=True).fill("Llamas may be tied to the plum tree behind the studio.")
    page.get_by_label("Questions it answers").fill("Where can I park my llama?\nIs there parking for llamas?")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved")
    assert any("plum tree" in reply for reply in customer.says("Where can I park my llama?"))


def test_a_return_from_the_request_to_the_refund(
    console: Callable[..., Page], customer: Customer, product_url: str
) -> None:
    customer.says("I want to return my order 1380, xinyan.feng@example.net")
    assert "waits for the owner" not in customer.says("It is too small for me")[0]
    assert "waits for the owner" in customer.says("where is my refund for order 1380?")[0]
    page = console(**PHONE)
    page.goto(f"{product_url}/owner/returns")
    card = page.locator(".card", has_text="too small for me")
    card.get_by_label("A line of yours").fill("Send it to 7 Lake Road, please.")
    card.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Approved, not refunded yet")).to_be_visible()
    told = customer.hears()[-1]
    assert "is approved" in told["text"]
    assert "7 Lake Road" in told["text"]
    asked = customer.says("where is my refund for order 1380?")[0]
    assert "approved" in asked
    assert "7 Lake Road" in asked
    page.locator(".card", has_text="too small for me").get_by_role("button", name="Refunded").click()
    expect(page.get_by_role("heading", name="Decided", exact=True)).to_be_visible()
    assert "has been refunded" in customer.says("has order 1380 been refunded?")[0]


def test_a_quote_from_the_request_to_the_yes(
    console: Callable[..., Page], customer: Customer, browser_context: Callable[..., BrowserContext], product_url: str
) -> None:
    customer.says("I need a quote for 40 pieces of the reed diffuser, wholesale")
    customer.says("buyer@example.com")
    page = console(**PHONE)
    page.goto(f"{product_url}/owner/quotes")
    page.get_by_role("link", name="Write a quote").last.click()
    page.get_by_label("Item").first.fill("Reed diffuser, 40 pieces, with engraved lids and a very long name")
    page.get_by_label("Quantity").first.fill("40")
    page.get_by_label("Unit price").first.fill("21.50")
    page.get_by_role("button", name="Reckon up").click()
    expect(page.get_by_text("860.00").first).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/owner/conversations/*")
    link = re.search(r"https?://\S+(/quotes/\S+)", customer.hears()[-1]["text"])
    assert link is not None
    complaints: list[str] = []
    theirs = browser_context(**PHONE).new_page()
    theirs.on("console", lambda m: complaints.append(m.text))
    theirs.goto(product_url + link[1])
    assert theirs.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    theirs.get_by_role("button", name="Accept").click()
    expect(theirs.get_by_role("status")).to_contain_text("You accepted this quote")
    assert complaints == []
    assert "You accepted the quote" in customer.hears()[-1]["text"]
    page.goto(f"{product_url}/owner/quotes")
    expect(page.locator(".card", has_text="Reed diffuser, 40 pieces").get_by_text("Accepted")).to_be_visible()
