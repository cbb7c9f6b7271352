"""Telegram's numbers of messages, and how they tell whether a message arrived whose answer got lost.

The Bot API knows no idempotency key. But it gives a bot's private messages rising numbers, and setting the buttons that
a message already has changes nothing: it is refused as "not modified" where the message is the bot's own in that chat,
as "not found" or "can't be edited" anywhere else. So the numbers after the last one known before the try are asked for.
"""

from collections import OrderedDict
from collections.abc import Collection

from telegram import Bot, InlineKeyboardMarkup
from telegram.error import BadRequest

# Other chats' messages take numbers too while one is on its way.
MOST_ASKED_FOR = 40
MOST_REMEMBERED = 2_000


class Numbers:
    """The highest number seen, and the latest ones by chat, whoever wrote them."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._seen: OrderedDict[tuple[int, int], None] = OrderedDict()
        self.last = 0

    def saw(self, chat_id: int, number: int) -> None:
        """A message whose number is known: it cannot be the one that is looked for."""
        self.last = max(self.last, number)
        self._seen[chat_id, number] = None
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)

    async def find(
        self, chat_id: int, keyboard: InlineKeyboardMarkup | None, *, after: int, known: Collection[int] = ()
    ) -> int | None:
        """The number of the bot's message that arrived in the chat after the number ``after``; None if none did.

        ``known`` numbers are left out. Raises TelegramError when Telegram does not say.
        """
        for number in range(after + 1, after + 1 + MOST_ASKED_FOR):
            if number in known or (chat_id, number) in self._seen:
                continue
            try:
                await self._bot.edit_message_reply_markup(chat_id=chat_id, message_id=number, reply_markup=keyboard)
            except BadRequest as answer:
                if "not modified" not in answer.message.lower():
                    continue
            self.saw(chat_id, number)
            return number
        return None
