"""Telegram as a whole: logs in, starts receiver and outbox, and never gets in the way of the web chat."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, BotCommand, Update
from telegram.constants import ChatAction
from telegram.error import InvalidToken, TelegramError

from crm import outbox
from crm.conversations import Reply
from crm.logs import safe_trace
from crm.models import Author, Channel, Message
from gateway.parts import Parts
from gateway.telegram import commands
from gateway.telegram.bot import make_bot
from gateway.telegram.notices import NoticeOutbox
from gateway.telegram.numbers import Numbers
from gateway.telegram.outbox import Outbox
from gateway.telegram.owner_chat import OwnerChat
from gateway.telegram.receiver import ALLOWED_UPDATES, Receiver
from gateway.telegram.rendering import Piece, pieces_of
from gateway.wording import LANGUAGES

log = logging.getLogger(__name__)
WEBHOOK_PATH = "/telegram/webhook"
LONGEST_PAUSE_SECONDS = 60.0


def webhook_secret(secret_key: str) -> str:
    """What Telegram has to send along, so that nobody else can pretend to be it."""
    return hmac.new(secret_key.encode(), b"telegram webhook", hashlib.sha256).hexdigest()


class TelegramService:
    """The relay's outlet to Telegram and everything behind it."""

    def __init__(self, parts: Parts, token: str) -> None:
        settings = parts.settings
        self._parts = parts
        self._bot: Bot = make_bot(token, settings.telegram_api)
        self._polls = settings.telegram_mode == "polling"
        self._numbers = Numbers(self._bot)
        self._outbox = Outbox(self._bot, parts.store, parts.metrics, self._render, self._numbers)
        self._notices = NoticeOutbox(
            self._bot, parts.store, parts.owner_side, parts.metrics, self._outbox, self._numbers
        )
        self._receiver = Receiver(
            self._bot,
            parts.store,
            parts.relay,
            parts.limiter,
            OwnerChat(self._bot, parts.store, parts.owner_side, parts.wording, parts.shop),
            self._numbers,
            per_minute=settings.messages_per_minute,
            default_language=parts.shop.default_language,
            consent=lambda language: parts.wording.say(
                "link_consent", language, shop=parts.shop.name.in_language(language)
            ),
        )
        self._secret = webhook_secret(settings.require("secret_key"))
        self._username: str | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @classmethod
    def from_parts(cls, parts: Parts) -> "TelegramService | None":
        """None without a token."""
        token = parts.settings.telegram_token
        if token is None or not token.get_secret_value():
            return None
        service = cls(parts, token.get_secret_value())
        parts.answering.outlets[Channel.TELEGRAM] = service
        return service

    @property
    def address(self) -> str | None:
        """The bot's page, once Telegram has told its name."""
        return f"https://t.me/{self._username}" if self._username else None

    def start(self) -> None:
        self._run(self._serve())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._receiver.stop()
        await self._outbox.stop()
        await self._bot.shutdown()

    def accepts(self, secret: str) -> bool:
        """Whether a webhook call is Telegram's."""
        return not self._polls and hmac.compare_digest(secret.encode(), self._secret.encode())

    async def take(self, update: dict[str, Any]) -> None:
        """An update that came through the webhook."""
        await self._receiver.take(Update.de_json(update, self._bot))

    async def _serve(self) -> None:
        if not await self._logged_in():
            return
        await self._recall_numbers()
        self._run(self._outbox.resume_forever())
        self._run(self._notices.carry_forever())
        await self._announce()
        if self._polls:
            await self._receiver.poll_forever()

    async def _recall_numbers(self) -> None:
        """What an earlier run knew of Telegram's numbers."""
        pause = 1.0
        while True:
            try:
                last = await self._parts.store.read(lambda session: outbox.last_number(session, Channel.TELEGRAM))
            except SQLAlchemyError as error:
                log.error("could not read the log %s", safe_trace(error))
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
            else:
                self._numbers.recall(last)
                return

    async def _logged_in(self) -> bool:
        pause = 1.0
        while True:
            try:
                await self._bot.initialize()
            except InvalidToken:
                log.error("Telegram does not accept DESK_TELEGRAM_TOKEN; the web chat goes on without Telegram.")
                return False
            except TelegramError as error:
                log.warning("telegram is out of reach error=%s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
            else:
                self._username = self._bot.username
                return True

    async def _announce(self) -> None:
        """Tells Telegram where updates go and what the menu shows."""
        pause = 1.0
        while True:
            try:
                if self._polls:
                    await self._bot.delete_webhook()
                else:
                    await self._bot.set_webhook(
                        self._parts.settings.base_url + WEBHOOK_PATH,
                        secret_token=self._secret,
                        allowed_updates=list(ALLOWED_UPDATES),
                    )
                for language in LANGUAGES:
                    menu = [
                        BotCommand(name, self._parts.wording.say(f"command_{name}", language)) for name in commands.MENU
                    ]
                    await self._bot.set_my_commands(menu, language_code=None if language == "en" else language)
            except TelegramError as error:
                log.warning("telegram is not set up yet error=%s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
            else:
                return

    def typing(self, address: str) -> None:
        self._run(self._show_typing(int(address)))

    async def _show_typing(self, chat_id: int) -> None:
        try:
            await self._bot.send_chat_action(chat_id, ChatAction.TYPING)
        except TelegramError as error:
            log.debug("typing not shown error=%s", type(error).__name__)

    def deliver(self, conversation_id: int) -> None:
        self._outbox.wake(conversation_id)

    def stands_alone(self, line: Message) -> bool:
        return commands.command_in(line.text) is not None

    def as_typed(self, line: Message) -> str:
        return commands.without_note(line.text)

    def own_answer(self, lines: Sequence[Message], language: str) -> list[Reply] | None:
        """For /start, /help and /privacy, and for messages that hold no words at all."""
        command = commands.command_in(lines[0].text)
        if command in commands.OWN_COMMANDS:
            name = commands.outcome_of_start(lines[0].text) or command
        elif not any(commands.without_note(line.text).strip() for line in lines):
            name = "text_only"
        else:
            return None
        text = self._parts.wording.say(name, language, shop=self._parts.shop.name.in_language(language))
        return [Reply(text=text, language=language)]

    def _render(self, message: Message) -> list[Piece]:
        language = message.language or self._parts.shop.default_language
        say = self._parts.wording.say
        return pieces_of(
            message,
            base_url=self._parts.settings.base_url,
            open_link=say("open_link", language),
            choose=say("choose", language),
            speaker=say("owner_prefix", language) if message.author is Author.OWNER else "",
        )

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
