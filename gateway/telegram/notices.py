"""Carries the owner's notices to her chats: one at a time, slowly, and never before a customer's message."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from crm import notices
from crm.logs import safe_trace
from crm.models import OwnerNotice
from crm.types import now as utc_now
from gateway.metrics import Metrics
from gateway.owner_side import OwnerSide
from gateway.store import Store
from gateway.telegram.bot import is_public, seconds_to_wait
from gateway.telegram.numbers import Numbers
from gateway.telegram.outbox import Outbox, surely_not_sent
from gateway.telegram.rendering import LONGEST_TEXT, split

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 2.0
# Telegram allows one message a second in a chat, and a short burst; the customers' share of the bot's thirty a second
# is left alone.
PAUSE_IN_A_CHAT_SECONDS = 1.05
BURST = 3
LETS_CUSTOMERS_FIRST_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 300.0
MOST_ATTEMPTS = 50


class NoticeOutbox:
    def __init__(
        self,
        bot: Bot,
        store: Store,
        owner_side: OwnerSide,
        metrics: Metrics,
        customers: Outbox,
        numbers: Numbers,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._bot, self._store, self._owner_side, self._metrics = bot, store, owner_side, metrics
        self._customers, self._numbers, self._clock = customers, numbers, clock
        self._allowance: dict[str, tuple[float, float]] = {}

    async def carry_forever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._owner_side.notices_waiting.wait()
            except TimeoutError:
                pass
            self._owner_side.notices_waiting.clear()
            try:
                while await self._carry_some():
                    pass
            except Exception as error:
                log.error("could not carry the owner's notices %s", safe_trace(error))

    async def _carry_some(self) -> bool:
        """One notice for each chat that has any; whether there was one."""
        found = await self._store.read(lambda session: notices.next_for_each_chat(session, now=self._clock()))
        for notice in found:
            await self._let_customers_first()
            await self._pace(notice.chat_id)
            claimed = await self._claim(notice)
            if claimed is not None:
                await self._carry(claimed, tried_after=notice.tried_after)
        return bool(found)

    async def _let_customers_first(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LETS_CUSTOMERS_FIRST_SECONDS):
                await self._customers.idle.wait()

    async def _pace(self, chat_id: str) -> None:
        tokens, at = self._allowance.get(chat_id, (float(BURST), time.monotonic()))
        tokens = min(float(BURST), tokens + (time.monotonic() - at) / PAUSE_IN_A_CHAT_SECONDS)
        if tokens < 1:
            await asyncio.sleep((1 - tokens) * PAUSE_IN_A_CHAT_SECONDS)
            tokens = 1.0
        self._allowance[chat_id] = (tokens - 1, time.monotonic())

    async def _claim(self, notice: OwnerNotice) -> OwnerNotice | None:
        last_number = self._numbers.last
        return await self._store.write(
            lambda session: notices.claim(session, notice.id, now=self._clock(), last_number=last_number)
        )

    async def _carry(self, notice: OwnerNotice, *, tried_after: int | None) -> None:
        """``tried_after`` is set when an earlier try has an open end: then it is asked first how that ended."""
        chat_id, keyboard = int(notice.chat_id), _keyboard(notice)
        number: int | None = None
        if tried_after is not None:
            try:
                number = await self._numbers.find(chat_id, keyboard, after=tried_after)
            except TelegramError as error:
                await self._later(notice, error, in_doubt=True)
                return
        if number is None:
            last_number = self._numbers.last
            if tried_after is not None:
                await self._store.write(lambda session: notices.begin(session, notice.id, last_number=last_number))
            try:
                text = split(notice.text, LONGEST_TEXT)[0]
                number = (await self._bot.send_message(chat_id, text, reply_markup=keyboard)).message_id
            except (Forbidden, BadRequest) as refusal:
                log.warning("owner's notice refused notice=%d error=%s", notice.id, type(refusal).__name__)
                await self._store.write(lambda session: notices.failed(session, notice.id))
                return
            except TelegramError as error:
                await self._later(notice, error, in_doubt=not surely_not_sent(error))
                return
        self._numbers.sent(chat_id, number)
        self._metrics.deliveries.labels("owner").inc()
        await self._store.write(lambda session: notices.sent(session, notice.id, telegram_id=number, now=self._clock()))

    async def _later(self, notice: OwnerNotice, error: TelegramError, *, in_doubt: bool) -> None:
        log.info("owner's notice later notice=%d error=%s doubt=%s", notice.id, type(error).__name__, in_doubt)
        if notice.delivery_attempts >= MOST_ATTEMPTS:
            await self._store.write(lambda session: notices.failed(session, notice.id))
            return
        if isinstance(error, RetryAfter):
            seconds = seconds_to_wait(error)
        else:
            seconds = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(notice.delivery_attempts, 8))
        after = self._clock() + timedelta(seconds=seconds)
        await self._store.write(lambda session: notices.again(session, notice.id, after=after, in_doubt=in_doubt))


def _keyboard(notice: OwnerNotice) -> InlineKeyboardMarkup | None:
    """Buttons with what they send back; links only where Telegram could open them."""
    rows = []
    for button in notice.buttons or []:
        if "data" in button:
            rows.append([InlineKeyboardButton(button["title"], callback_data=button["data"])])
        elif is_public(button["url"]):
            rows.append([InlineKeyboardButton(button["title"], url=button["url"])])
    return InlineKeyboardMarkup(rows) if rows else None
