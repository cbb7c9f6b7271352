"""A visitor at a shop's page: what they do in the chat, and what they see of it."""

import re
from urllib.parse import urlencode

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect


class ChatPage:
    """The chat widget on one page, in the words of its visitor."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _note(self, message: ConsoleMessage) -> None:
        # A refused or cut connection is what these tests are about; the browser reports each one by itself.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def visit(self, base_url: str, path: str = "/page", **attributes: str) -> "ChatPage":
        query = urlencode({name.replace("_", "-"): value for name, value in attributes.items()})
        self.page.goto(f"{base_url}{path}?{query}")
        expect(self.launcher).to_be_visible()
        return self

    # what is there

    @property
    def launcher(self) -> Locator:
        return self.page.locator(".launcher")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def input(self) -> Locator:
        return self.page.locator("form textarea")

    @property
    def send_button(self) -> Locator:
        return self.page.locator(".send")

    @property
    def bubbles(self) -> Locator:
        return self.log.locator(".row:not(.typing) .bubble")

    @property
    def cards(self) -> Locator:
        return self.log.locator(".card")

    @property
    def stars(self) -> Locator:
        return self.log.locator(".star")

    @property
    def badge(self) -> Locator:
        return self.page.locator(".count-badge")

    def bubble(self, text: str) -> Locator:
        return self.bubbles.filter(has_text=re.compile(f"^{re.escape(text)}$"))

    def row(self, text: str) -> Locator:
        return self.log.locator(".row", has=self.page.locator(".bubble", has_text=re.compile(f"^{re.escape(text)}$")))

    def button(self, title: str) -> Locator:
        return self.log.get_by_role("button", name=title, exact=True)

    def texts(self) -> list[str]:
        return self.bubbles.all_inner_texts()

    # what the visitor does

    def open(self) -> "ChatPage":
        self.launcher.click()
        expect(self.panel).to_be_visible()
        return self

    def say(self, text: str) -> None:
        self.input.fill(text)
        self.input.press("Enter")

    def pick_from_menu(self, title: str) -> None:
        self.panel.locator("header [aria-haspopup=menu]").click()
        self.page.get_by_role("menuitem", name=title).click()

    # what the visitor sees

    def sees(self, *texts: str, timeout: float = 10_000) -> None:
        """Each of these exactly once."""
        for text in texts:
            expect(self.bubble(text)).to_have_count(1, timeout=timeout)

    def sees_state(self, text: str, state: str, timeout: float = 10_000) -> None:
        expect(self.row(text)).to_have_attribute("data-state", state, timeout=timeout)

    def focused(self) -> str:
        """The accessible name of what has the focus, looking into the widget."""
        return str(
            self.page.evaluate(
                """() => {
                  let at = document.activeElement;
                  while (at && at.shadowRoot) at = at.shadowRoot.activeElement;
                  return at ? at.getAttribute("aria-label") || at.textContent.trim() : "";
                }"""
            )
        )
