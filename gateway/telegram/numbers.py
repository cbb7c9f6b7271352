"""Telegram's numbers of messages, and how they tell whether a message arrived whose answer got lost.

The Bot API knows no idempotency key. But it gives a bot's private messages rising numbers, and setting the buttons that
a message already has changes nothing: it is refused as "not modified" where the message is the bot's own in that chat,
as "not found" or "can't be edited" anywhere else. So the numbers after the last one known before the try are asked for.
"""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Collection

from telegram import Bot, InlineKeyboardMarkup
from telegram.error import BadRequest, TelegramError

# Other chats' messages take numbers too while one is on its way; those that are known by now do not count.
MOST_ASKED_FOR = 40
MOST_UPDATES_WAITING = 20
MOST_REMEMBERED = 2_000


class Numbers:
    """The highest number seen, and the latest ones, whoever wrote those messages."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        # Who has each: the chat of the bot's own message, None where somebody else wrote it.
        self._seen: OrderedDict[int, int | None] = OrderedDict()
        self.last = 0
        # Set when what an earlier run knew is known again; before, "after the last number" means nothing.
        self.recalled = asyncio.Event()

    def recall(self, last: int) -> None:
        """The highest number in the store."""
        self.last = max(self.last, last)
        self.recalled.set()

    def heard(self, number: int) -> None:
        """Somebody else's message in a private chat."""
        self._note(number, None)

    def sent(self, chat_id: int, number: int) -> None:
        """The bot's own. It may still be looked for in its chat: storing that it arrived may have failed."""
        self._note(number, chat_id)

    def _note(self, number: int, chat_id: int | None) -> None:
        self.last = max(self.last, number)
        self._seen[number] = chat_id
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)

    async def find(
        self, chat_id: int, keyboard: InlineKeyboardMarkup | None, *, after: int, known: Collection[int] = ()
    ) -> int | None:
        """The number of the bot's message that arrived in the chat after the number ``after``; None if none did.

        ``known`` numbers are left out. Raises TelegramError when Telegram does not say, and while so many updates
        wait that their messages' numbers could hide the one that is looked for.
        """
        waiting = (await self._bot.get_webhook_info()).pending_update_count
        if waiting > MOST_UPDATES_WAITING:
            raise TelegramError(f"{waiting} updates wait")
        asked = 0
        for number in itertools.count(after + 1):
            if number in known or self._seen.get(number, chat_id) != chat_id:
                continue
            if asked >= MOST_ASKED_FOR:
                return None
            asked += 1
            try:
                await self._bot.edit_message_reply_markup(chat_id=chat_id, message_id=number, reply_markup=keyboard)
            except BadRequest as answer:
                if "not modified" not in answer.message.lower():
                    continue
            self.sent(chat_id, number)
            return number
        return None
