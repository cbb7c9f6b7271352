"""What a customer can send besides plain words: commands, buttons, and things that are not text."""

import re

from telegram import Message as TelegramMessage

OWN_COMMANDS = ("start", "help", "privacy")
HUMAN = "human"
HUMAN_PAYLOAD = "/talk_to_human"
MENU = ("start", "help", HUMAN, "privacy")
_COMMAND = re.compile(r"/([a-z]+)(?:@\w+)?(?:\s.*)?", re.IGNORECASE | re.DOTALL)
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


def words_of(message: TelegramMessage) -> str:
    """The text to store: the words, and in front of them a note about anything that is not text."""
    if message.text is not None:
        return message.text
    kind = next((kind for kind in _KINDS if getattr(message, kind, None)), "message")
    return f"[{kind}] {message.caption}" if message.caption else f"[{kind}]"


def without_note(text: str) -> str:
    """The customer's own words; empty where there were none."""
    return _NOTE.sub("", text, count=1) if _NOTE.match(text) else text
