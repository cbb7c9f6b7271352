"""``desk chat``: a conversation with the running desk, in the terminal."""

import sys
import uuid
from typing import Any

import httpx

from crm.errors import ConfigError
from crm.settings import load_settings
from desk.places import enter_root, gateway_url

WAIT_SECONDS = 30
Button = dict[str, str]


class Talk:
    """One conversation over the web chat API."""

    def __init__(self, url: str, language: str | None) -> None:
        self._http = httpx.Client(base_url=url, timeout=WAIT_SECONDS + 10, trust_env=False)
        opened = self._post("/api/chat/sessions", {"language": language} if language else {})
        self._http.headers["Authorization"] = f"Bearer {opened['token']}"
        self.shop = opened["shop"]["name"]
        self.buttons: list[Button] = []

    def say(self, text: str) -> list[dict[str, Any]] | None:
        """The replies; None if none came in time. A number presses the button of that number."""
        pressed = self._pressed(text)
        body = {"text": pressed["title"] if pressed else text, "client_id": uuid.uuid4().hex}
        if pressed:
            body["payload"] = pressed["payload"]
        answer = self._post(f"/api/chat/messages?wait={WAIT_SECONDS}", body)
        replies: list[dict[str, Any]] | None = answer.get("replies")
        self.buttons = [button for reply in replies or [] for button in _buttons_of(reply)]
        return replies

    def _pressed(self, text: str) -> Button | None:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        return self.buttons[number - 1] if 0 < number <= len(self.buttons) else None

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._http.post(path, json=body)
        except httpx.TransportError as error:
            raise ConfigError(f"No desk answers at {self._http.base_url} ({error}); start it with `desk up`.") from None
        if response.is_error:
            try:
                reason = response.json()["error"]["message"]
            except (ValueError, KeyError, TypeError):
                reason = f"status {response.status_code}"
            raise ConfigError(f"The desk refused: {reason}")
        found: dict[str, Any] = response.json()
        return found


def chat(*, url: str | None, language: str | None) -> None:
    """Until the input ends. Raises ConfigError if no desk answers."""
    enter_root()
    settings = load_settings()
    talk = Talk(url or gateway_url(settings.host, settings.port), language)
    print(f"{_name(talk.shop)}. A number presses a button; Ctrl-D ends.")
    while (text := _line()) is not None:
        if not text.strip():
            continue
        replies = talk.say(text.strip())
        if replies is None:
            print("… no answer yet; it will be in the history.")
        number = 0
        for reply in replies or []:
            number = _show(reply, number)


def _line() -> str | None:
    try:
        return input("> " if sys.stdin.isatty() else "")
    except EOFError:
        return None


def _show(reply: dict[str, Any], number: int) -> int:
    """Prints a reply; its buttons are counted on from ``number``. Returns the last number used."""
    if reply.get("text"):
        print(reply["text"])
    for card in reply.get("cards") or []:
        print("  * " + " · ".join(str(card[key]) for key in ("title", "subtitle", "price", "badge") if card.get(key)))
    if reply.get("image"):
        print(f"  {reply['image']}")
    for button in _buttons_of(reply):
        number += 1
        print(f"  [{number}] {button['title']}")
    return number


def _buttons_of(reply: dict[str, Any]) -> list[Button]:
    cards = [button for card in reply.get("cards") or [] for button in card.get("buttons") or []]
    return [*(reply.get("buttons") or []), *cards]


def _name(text: str | dict[str, str]) -> str:
    return text if isinstance(text, str) else " ".join(text.values())
