"""Browser tests: a real Chromium, and a page that complains about nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.chat_page import ChatPage
from tests.browser.fault_desk import FaultDesk
from tests.support.product import RunningDesk

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Four thousand pictures take their time to be laid out on a busy machine; what is right appears sooner or later.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


# One browser per module: Playwright keeps an event loop running while it is open, which asyncio tests could not bear.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = str(CHROMIUM) if CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running_fault_desk() -> Iterator[FaultDesk]:
    desk = FaultDesk()
    desk.start()
    yield desk
    desk.stop()


@pytest.fixture
def fault_desk(running_fault_desk: FaultDesk) -> FaultDesk:
    running_fault_desk.reset()
    return running_fault_desk


@pytest.fixture
def product_url(desk: RunningDesk) -> str:
    """Where the whole running product answers."""
    return desk.base_url


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes a visitor's browser: own storage, own cookies."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = chromium.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(10_000)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def visitor(browser_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., ChatPage]]:
    """Makes a visitor with a page; at the end no page may have complained, of the security policy least of all."""
    pages: list[ChatPage] = []

    def make(context: BrowserContext | None = None, **options: Any) -> ChatPage:
        pages.append(ChatPage(context or browser_context(**options)))
        return pages[-1]

    yield make
    assert [complaint for page in pages for complaint in page.complaints] == []


@pytest.fixture
def chat(visitor: Callable[..., ChatPage], fault_desk: FaultDesk) -> ChatPage:
    """A visitor at an English shop page with the chat open."""
    return visitor().visit(fault_desk.url).open()
