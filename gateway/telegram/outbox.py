"""Carries stored messages to Telegram: in order within a chat, each chat at its own pace, through restarts."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
from telegram import Bot
from telegram import Message as TelegramMessage
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from crm import outbox
from crm.logs import safe_trace
from crm.models import Channel, Message
from crm.outbox import Outgoing
from crm.types import now as utc_now
from gateway.metrics import Metrics
from gateway.store import Store
from gateway.telegram.bot import seconds_to_wait
from gateway.telegram.rendering import Piece

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
MOST_AT_ONCE = 16
RESUME_EVERY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
PROBE_SECONDS = 1.0
# A connection that broke after sending may have delivered: trying again doubles the message, not trying loses it.
MOST_DOUBTFUL_TRIES = 3
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Render = Callable[[Message], list[Piece]]


class Outbox:
    def __init__(
        self, bot: Bot, store: Store, metrics: Metrics, render: Render, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._bot, self._store, self._metrics, self._render, self._clock = bot, store, metrics, render, clock
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._working: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        # What this process knows about a half-sent message; after a restart it begins at its first piece again.
        self._pieces_sent: dict[int, int] = {}
        self._doubtful: dict[int, int] = {}
        # Set while nothing is on its way to a customer: then it is the owner's turn.
        self.idle = asyncio.Event()
        self.idle.set()

    def wake(self, conversation_id: int) -> None:
        """Something waits in that conversation."""
        self._again.add(conversation_id)
        if conversation_id not in self._working:
            self.idle.clear()
            self._working[conversation_id] = asyncio.create_task(self._work(conversation_id))

    async def resume_forever(self) -> None:
        """Carries what an earlier run left."""
        while True:
            try:
                for conversation_id in await self._store.read(
                    lambda session: outbox.conversations_with_mail(session, Channel.TELEGRAM)
                ):
                    self.wake(conversation_id)
            except Exception as error:
                log.error("could not look into the outbox %s", safe_trace(error))
            await asyncio.sleep(RESUME_EVERY_SECONDS)

    async def stop(self) -> None:
        tasks = list(self._working.values())
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, conversation_id: int) -> None:
        try:
            while conversation_id in self._again:
                self._again.discard(conversation_id)
                while await self._carry_next(conversation_id):
                    pass
        except Exception as error:
            # What waits still waits; the next look into the outbox takes it up again.
            log.error("outbox failed conversation_id=%d %s", conversation_id, safe_trace(error))
        finally:
            self._again.discard(conversation_id)
            del self._working[conversation_id]
            if not self._working:
                self.idle.set()

    async def _carry_next(self, conversation_id: int) -> bool:
        """Whether to look for more."""
        outgoing = await self._store.read(lambda session: outbox.next_in(session, conversation_id))
        if outgoing is None:
            return False
        pause = (outgoing.not_before - self._clock()).total_seconds() if outgoing.not_before else 0.0
        if pause > 0:
            await asyncio.sleep(pause)
            return True
        message_id = outgoing.message.id
        if not await self._store.write(
            lambda session: outbox.claim(session, message_id, now=self._clock(), lease=LEASE)
        ):
            return True
        async with self._slots:
            await self._carry(outgoing)
        return True

    async def _carry(self, outgoing: Outgoing) -> None:
        message = outgoing.message
        try:
            sent = await self._send(message, int(outgoing.address))
        except RetryAfter as wait:
            await self._later(message, seconds_to_wait(wait), "429")
        except Forbidden:
            await self._failed(message, "blocked")
        except BadRequest as refusal:
            await self._failed(message, f"refused: {refusal.message[:200]}")
        except InvalidToken:
            await self._later(message, LONGEST_PAUSE_SECONDS, "token")
        except TelegramError as error:
            await self._after_failure(message, error)
        else:
            self._forget(message.id)
            external_id = f"out:{outgoing.address}:{sent}" if sent else None
            self._metrics.deliveries.labels("sent").inc()
            await self._store.write(
                lambda session: outbox.sent(session, message.id, external_id=external_id, now=self._clock())
            )

    async def _send(self, message: Message, chat_id: int) -> int | None:
        """Telegram's id of the last piece."""
        pieces = self._render(message)
        last: int | None = None
        for index in range(self._pieces_sent.get(message.id, 0), len(pieces)):
            last = (await self._send_piece(pieces[index], chat_id)).message_id
            self._pieces_sent[message.id] = index + 1
        return last

    async def _send_piece(self, piece: Piece, chat_id: int) -> TelegramMessage:
        if piece.photo is not None:
            try:
                return await self._bot.send_photo(
                    chat_id, piece.photo, caption=piece.text or None, reply_markup=piece.keyboard
                )
            except BadRequest:
                # Telegram could not fetch the picture; the words matter more.
                return await self._bot.send_message(chat_id, piece.text or piece.photo, reply_markup=piece.keyboard)
        return await self._bot.send_message(chat_id, piece.text, reply_markup=piece.keyboard)

    async def _after_failure(self, message: Message, error: TelegramError) -> None:
        cause = error.__cause__
        certain = isinstance(cause, _NOT_SENT) or (
            isinstance(error, NetworkError)
            and not isinstance(error, TimedOut)
            and not isinstance(cause, httpx.HTTPError)
        )
        if certain:
            await self._later(message, _pause(message.delivery_attempts), type(cause or error).__name__)
            return
        tries = self._doubtful[message.id] = self._doubtful.get(message.id, 0) + 1
        if tries >= MOST_DOUBTFUL_TRIES:
            await self._failed(message, "connection broke each time")
            return
        await self._until_reachable()
        await self._later(message, 0.0, "connection broke")

    async def _until_reachable(self) -> None:
        """A question that changes nothing tells whether another try has a chance."""
        pause = PROBE_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                await self._bot.get_me()
            except TelegramError:
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
            else:
                return

    async def _later(self, message: Message, seconds: float, reason: str) -> None:
        log.info("telegram later message=%d seconds=%.1f reason=%s", message.id, seconds, reason)
        self._metrics.deliveries.labels("later").inc()
        after = self._clock() + timedelta(seconds=seconds)
        await self._store.write(lambda session: outbox.again(session, message.id, after=after, reason=reason))

    async def _failed(self, message: Message, reason: str) -> None:
        log.warning("telegram failed message=%d reason=%s", message.id, reason)
        self._forget(message.id)
        self._metrics.deliveries.labels("failed").inc()
        await self._store.write(lambda session: outbox.failed(session, message.id, reason=reason))

    def _forget(self, message_id: int) -> None:
        self._pieces_sent.pop(message_id, None)
        self._doubtful.pop(message_id, None)


def _pause(attempts: int) -> float:
    return min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** min(attempts, 12))
