"""How a stored message looks on Telegram: plain texts, photos with captions, buttons with short keys."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from crm.models import Message
from gateway.telegram.bot import is_public

LONGEST_TEXT, LONGEST_CAPTION = 4_096, 1_024
LONGEST_BUTTON = 60
SHORT_BUTTON = 16


@dataclass(frozen=True)
class Piece:
    """One call to Telegram."""

    text: str
    photo: str | None = None
    buttons: list[InlineKeyboardButton] = field(default_factory=list)

    @property
    def keyboard(self) -> InlineKeyboardMarkup | None:
        """Short titles share a row, long ones get a row each."""
        rows: list[list[InlineKeyboardButton]] = []
        for button in self.buttons:
            fits = rows and len(rows[-1]) < 2 and all(len(b.text) <= SHORT_BUTTON for b in (*rows[-1], button))
            if fits:
                rows[-1].append(button)
            else:
                rows.append([button])
        return InlineKeyboardMarkup(rows) if rows else None


def all_buttons(message: Message) -> list[dict[str, Any]]:
    """The buttons of the message and its cards, in the order that the keys count."""
    found = list(message.buttons or [])
    for card in message.cards or []:
        found.extend(card.get("buttons") or [])
    return found


def key_of(message_id: int, index: int) -> str:
    """What a pressed button sends back: short, because Telegram allows 64 bytes and payloads are longer."""
    return f"m:{message_id}:{index}"


def read_key(data: str | None) -> tuple[int, int] | None:
    """The message and button that a key names, if it is one of ours."""
    parts = (data or "").split(":")
    if len(parts) != 3 or parts[0] != "m" or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts[1:]):
        return None
    return int(parts[1]), int(parts[2])


def pieces_of(message: Message, *, base_url: str, open_link: str, choose: str, speaker: str = "") -> list[Piece]:
    """The calls that show the message, in order; ``speaker`` stands in front of the text."""
    keys = iter(range(len(all_buttons(message))))
    own = _buttons(message.id, message.buttons, keys)
    pieces: list[Piece] = []
    photo = _public(message.image, base_url)
    texts = split(speaker + message.text, LONGEST_TEXT) if message.text.strip() else []
    if photo:
        pieces.append(Piece(text="", photo=photo))
    pieces.extend(Piece(text=text) for text in texts)
    if own:
        if texts:
            pieces[-1] = Piece(text=texts[-1], buttons=own)
        else:
            pieces.append(Piece(text=choose, buttons=own))
    for card in message.cards or []:
        pieces.append(_card(message.id, card, keys, base_url=base_url, open_link=open_link))
    return pieces


def _card(message_id: int, card: dict[str, Any], keys: Iterator[int], *, base_url: str, open_link: str) -> Piece:
    last = " · ".join(card[name] for name in ("price", "badge") if card.get(name))
    lines = [card.get("title"), card.get("subtitle"), card.get("text"), last]
    text = "\n".join(line for line in lines if line)
    buttons = _buttons(message_id, card.get("buttons"), keys)
    if url := _public(card.get("url"), base_url):
        buttons.append(InlineKeyboardButton(open_link, url=url))
    photo = _public(card.get("image"), base_url)
    longest = LONGEST_CAPTION if photo else LONGEST_TEXT
    return Piece(text=split(text, longest)[0], photo=photo, buttons=buttons)


def _buttons(message_id: int, buttons: list[dict[str, Any]] | None, keys: Iterator[int]) -> list[InlineKeyboardButton]:
    return [
        InlineKeyboardButton(button["title"][:LONGEST_BUTTON], callback_data=key_of(message_id, next(keys)))
        for button in buttons or []
    ]


def _public(url: str | None, base_url: str) -> str | None:
    absolute = urljoin(base_url + "/", url) if url else ""
    return absolute if absolute and is_public(absolute) else None


def units(text: str) -> int:
    """Length as Telegram counts it: in UTF-16 units, so that most emoji count twice."""
    return len(text) + sum(1 for sign in text if sign > "\uffff")


def split(text: str, longest: int) -> list[str]:
    """The text in pieces of at most ``longest`` units, cut at line ends or spaces where there are any."""
    pieces = []
    while units(text) > longest:
        end, length = 0, 0
        while length + units(text[end]) <= longest:
            length += units(text[end])
            end += 1
        cut = max(text.rfind("\n", 0, end), text.rfind(" ", 0, end))
        cut = cut if cut > end // 2 else end
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [piece for piece in (*pieces, text) if piece.strip()] or [text]
