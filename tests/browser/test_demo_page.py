"""The shop page that the widget is first seen on."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.fault_desk import WIDGET, FaultDesk

DEMO = Path(__file__).resolve().parents[2] / "demo"
PAGE = (WIDGET / "demo" / "index.html").read_text(encoding="utf-8")


def test_both_languages_and_the_button_between_them(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor().visit(fault_desk.url, "/", lang="zh")
    page = chat.page
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", level=1)).to_have_accessible_name("把夜晚过得慢一点")
    expect(chat.launcher).to_have_accessible_name("打开聊天")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_accessible_name("Small things for a slow evening")
    expect(chat.launcher).to_have_accessible_name("Open chat")
    assert "lang=en" in page.url


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_every_width(
    visitor: Callable[..., ChatPage], fault_desk: FaultDesk, width: int, language: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}).visit(fault_desk.url, "/", lang=language).page
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_every_picture_is_there(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    page = visitor().visit(fault_desk.url, "/", lang="en").page
    page.locator(".products img").last.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.locator(".products li").count() == 8


def test_a_hint_is_put_into_the_chat(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    chat = visitor().visit(fault_desk.url, "/", lang="en")
    chat.page.get_by_role("button", name="What goes with the Mist Mug?").click()
    expect(chat.input).to_have_value("What goes with the Mist Mug?")
    chat.send_button.click()
    chat.sees("What goes with the Mist Mug?", "You said: What goes with the Mist Mug?")


def test_another_shop_shows_its_own_name_and_products(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    fault_desk.shop = {
        "name": {"en": "Harbour Tea", "zh": "港湾茶"},
        "languages": ["en", "zh"],
        "currency": "SGD",
        "products": [
            {"title": {"en": "Oolong", "zh": "乌龙茶"}, "price": "S$18.00", "url": "https://tea.example/oolong"},
            {"title": {"en": "<b>Plain</b>", "zh": "普通"}, "price": "S$5.00", "url": "javascript:alert(1)"},
        ],
    }
    page = visitor().visit(fault_desk.url, "/", lang="en").page
    expect(page.locator("[data-shop-name]")).to_contain_text("Harbour Tea")
    expect(page.get_by_role("heading", level=1)).to_have_accessible_name("How can we help?")
    expect(page.locator(".products li")).to_have_count(2)
    expect(page.get_by_text("S$18.00")).to_be_visible()
    expect(page.get_by_role("link", name="Oolong")).to_have_attribute("href", "https://tea.example/oolong")
    expect(page.get_by_text("<b>Plain</b>")).to_be_visible()
    assert page.locator("a[href^=javascript]").count() == 0
    expect(page.get_by_text("1383")).to_be_hidden()
    expect(page.get_by_text("made-up shop")).to_be_hidden()


def test_a_shop_without_products_has_no_empty_shelf(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    fault_desk.shop = {"name": {"en": "New Shop", "zh": "新店"}, "products": []}
    page = visitor().visit(fault_desk.url, "/", lang="zh").page
    expect(page.locator("[data-shop-name]")).to_contain_text("新店")
    expect(page.locator(".products")).to_be_hidden()


def test_a_silent_desk_leaves_the_page_usable(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> None:
    fault_desk.shop = None
    page = visitor().visit(fault_desk.url, "/", lang="en").page
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".products li")).to_have_count(8)


def test_the_hints_name_orders_and_products_of_the_demo_shop() -> None:
    with (DEMO / "orders_export.csv").open(encoding="utf-8", newline="") as file:
        orders = {(row["Name"].lstrip("#"), row["Email"]) for row in csv.DictReader(file)}
    asked = re.findall(r"(?:order|订单) (\d+).{1,20}?([\w.]+@[\w.]+\w)", PAGE)
    assert len(asked) == 2
    assert {*asked} <= orders
    with (DEMO / "products_export.csv").open(encoding="utf-8", newline="") as file:
        prices: dict[str, str] = {}
        for row in csv.DictReader(file):
            prices.setdefault(row["Title"], row["Variant Price"])
    shown = re.findall(
        r'lang="en">([^<]+)</span><span class="t" lang="zh-CN">([^<]+)</span></h3><p class="price">¥([\d.]+)', PAGE
    )
    assert len(shown) == 8
    for english, chinese, price in shown:
        assert prices[f"{english} {chinese}"] == price


def test_nothing_inline() -> None:
    assert re.findall(r"<style|style=|<script(?![^>]*src=)|\son\w+=", PAGE) == []
