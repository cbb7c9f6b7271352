"""What a customer can send besides plain words: commands, buttons, and things that are not text."""

import re

from telegram import Message as TelegramMessage

OWN_COMMANDS = ("start", "help", "privacy")
HUMAN = "human"
HUMAN_PAYLOAD = "/talk_to_human"
LINKED, EXPIRED = "linked", "expired"
MENU = ("start", "help", HUMAN, "privacy")
_COMMAND = re.compile(r"/([a-z]+)(?:@\w+)?(?:\s.*)?", re.IGNORECASE | re.DOTALL)
_START = re.compile(r"/start(?:@\w+)? ([A-Za-z0-9_-]{16,64})")
_KINDS = (
    "photo",
    "voice",
    "video",
    "video_note",
    "audio",
    "animation",
    "document",
    "sticker",
    "location",
    "venue",
    "contact",
    "poll",
    "dice",
    "story",
)
_NOTE = re.compile(rf"\[(?:{'|'.join(_KINDS)}|message)\] ?")


def command_in(text: str) -> str | None:
    """The known command that a text is, without what follows it."""
    found = _COMMAND.fullmatch(text.strip())
    name = found.group(1).lower() if found else None
    return name if name in MENU else None


def token_in(text: str) -> str | None:
    """What a link to the bot carries: "/start TOKEN"."""
    found = _START.fullmatch(text.strip())
    return found[1] if found else None


def outcome_of_start(text: str) -> str | None:
    """How following a link ended, as it was noted behind the command."""
    word = text.strip().partition(" ")[2]
    return f"start_{word}" if text.startswith("/start ") and word in (LINKED, EXPIRED) else None


def words_of(message: TelegramMessage) -> str:
    """The text to store: the words, and in front of them a note about anything that is not text."""
    if message.text is not None:
        return message.text
    kind = next((kind for kind in _KINDS if getattr(message, kind, None)), "message")
    return f"[{kind}] {message.caption}" if message.caption else f"[{kind}]"


def without_note(text: str) -> str:
    """The customer's own words; empty where there were none."""
    return _NOTE.sub("", text, count=1) if _NOTE.match(text) else text
