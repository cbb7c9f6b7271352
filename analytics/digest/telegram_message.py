"""The digest on Telegram: one picture with a short text under it, or the text alone."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.orm import Session
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from crm import owners
from crm.models import Digest

READ_SECONDS = 20.0


class NotSent(Exception):
    """Telegram did not take it; the message says what it answered."""


def owner_chats(session: Session) -> list[int]:
    """The chats that were paired with the owner by a one-time code."""
    return [int(chat) for chat in owners.telegram_chats(session)]


def send(digest: Digest, chats: Sequence[int], *, token: str, api: str) -> None:
    """Raises NotSent when any of the chats did not get it."""
    asyncio.run(_send(digest, chats, token, api))


async def _send(digest: Digest, chats: Sequence[int], token: str, api: str) -> None:
    base = f"{api.rstrip('/').removesuffix('/bot')}/bot"
    try:
        async with Bot(token, base_url=base, request=HTTPXRequest(read_timeout=READ_SECONDS)) as bot:
            for chat in chats:
                if digest.pictures:
                    await bot.send_photo(chat, digest.pictures[0].png, caption=digest.short_text)
                else:
                    await bot.send_message(chat, digest.short_text)
    except TelegramError as error:
        raise NotSent(type(error).__name__) from error
