"""Messages as the chat API shows them, and the bot's replies as they may be stored."""

from datetime import UTC
from typing import Any, NotRequired

from typing_extensions import TypedDict

from crm.conversations import Reply
from crm.models import Author, Message
from gateway.texts import clean, language_of, safe_link

MOST_BUTTONS, MOST_CARDS, LONGEST_TITLE = 12, 10, 200


class Button(TypedDict):
    title: str
    payload: str


class Card(TypedDict):
    title: str
    subtitle: NotRequired[str]
    text: NotRequired[str]
    price: NotRequired[str]
    image: NotRequired[str]
    url: NotRequired[str]
    badge: NotRequired[str]
    buttons: NotRequired[list[Button]]


class ShownMessage(TypedDict):
    """One message of the chat API; ``id`` counts within the conversation from 1."""

    id: int
    author: str
    text: str
    created_at: str
    buttons: NotRequired[list[dict[str, Any]]]
    cards: NotRequired[list[dict[str, Any]]]
    image: NotRequired[str]
    client_id: NotRequired[str]
    language: NotRequired[str]


def shown(message: Message) -> ShownMessage:
    out: ShownMessage = {
        "id": message.seq,
        "author": message.author.value,
        "text": message.text,
        "created_at": message.created_at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
    }
    if message.buttons:
        out["buttons"] = message.buttons
    if message.cards:
        out["cards"] = message.cards
    if message.image:
        out["image"] = message.image
    if message.author is Author.CUSTOMER:
        # Its language is found out while it is answered; leaving it out keeps the message the same before and after.
        if message.client_id:
            out["client_id"] = message.client_id
    elif message.language in ("zh", "en"):
        out["language"] = message.language
    return out


def reply_from(raw: dict[str, Any], *, language: str) -> Reply | None:
    """A reply of Rasa's as it may be shown; None if there is nothing to show."""
    custom = raw.get("custom")
    custom = custom if isinstance(custom, dict) else {}
    text = _text(raw.get("text"))
    buttons = _buttons(raw.get("buttons"))
    cards = _cards(custom.get("cards"))
    image = safe_link(raw.get("image")) or safe_link(custom.get("image"))
    if not (text or buttons or cards or image):
        return None
    return Reply(
        text=text,
        buttons=[dict(button) for button in buttons] or None,
        cards=[dict(card) for card in cards] or None,
        image=image,
        language=language_of(text, language),
    )


def _text(value: object) -> str:
    return clean(value).strip() if isinstance(value, str) else ""


def _items(value: object, most: int) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)][:most] if isinstance(value, list) else []


def _buttons(value: object) -> list[Button]:
    found = [
        Button(title=_text(item.get("title"))[:LONGEST_TITLE], payload=_text(item.get("payload")))
        for item in _items(value, MOST_BUTTONS)
    ]
    return [button for button in found if button["title"] and button["payload"]]


def _cards(value: object) -> list[Card]:
    found: list[Card] = []
    for item in _items(value, MOST_CARDS):
        title = _text(item.get("title"))[:LONGEST_TITLE]
        if not title:
            continue
        card = Card(title=title)
        if subtitle := _text(item.get("subtitle")):
            card["subtitle"] = subtitle
        if text := _text(item.get("text")):
            card["text"] = text
        if price := _text(item.get("price")):
            card["price"] = price
        if badge := _text(item.get("badge")):
            card["badge"] = badge
        if image := safe_link(item.get("image")):
            card["image"] = image
        if url := safe_link(item.get("url")):
            card["url"] = url
        if buttons := _buttons(item.get("buttons")):
            card["buttons"] = buttons
        found.append(card)
    return found
