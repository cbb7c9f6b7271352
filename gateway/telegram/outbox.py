"""Carries stored messages to Telegram: in order within a chat, each chat at its own pace, through restarts."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from sqlalchemy.orm import Session
from telegram import Bot
from telegram import Message as TelegramMessage
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError

from crm import handoffs, outbox
from crm.logs import safe_trace
from crm.models import Channel, Conversation, HandoffReason, Message
from crm.outbox import Outgoing
from crm.types import now as utc_now
from gateway.metrics import Metrics
from gateway.store import Store
from gateway.telegram.bot import seconds_to_wait
from gateway.telegram.numbers import Numbers
from gateway.telegram.rendering import Piece

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
MOST_AT_ONCE = 16
RESUME_EVERY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
# Before it is asked whether a message arrived: what the customer wrote meanwhile is stored by then.
DOUBT_SECONDS = 1.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Render = Callable[[Message], list[Piece]]


class InDoubt(Exception):
    """Whether the message arrived is not known. ``cause`` is why Telegram does not say."""

    def __init__(self, cause: TelegramError) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class Outbox:
    def __init__(
        self,
        bot: Bot,
        store: Store,
        metrics: Metrics,
        render: Render,
        numbers: Numbers,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._bot, self._store, self._metrics, self._render, self._clock = bot, store, metrics, render, clock
        self._numbers = numbers
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._working: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
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
        await self._numbers.recalled.wait()
        last_number = self._numbers.last
        if not await self._store.write(
            lambda session: outbox.claim(session, message_id, now=self._clock(), lease=LEASE, last_number=last_number)
        ):
            return True
        async with self._slots:
            await self._carry(outgoing)
        return True

    async def _carry(self, outgoing: Outgoing) -> None:
        progress = Progress(outgoing.message.delivered_pieces, outgoing.message.tried_after)
        try:
            sent = await self._send(outgoing, progress)
        except InDoubt as doubt:
            await self._doubt(outgoing.message, doubt.cause)
        except RetryAfter as wait:
            await self._later(outgoing.message, progress, seconds_to_wait(wait), "429")
        except Forbidden:
            await self._failed(outgoing.message, "blocked")
        except BadRequest as refusal:
            await self._refused(outgoing.message, f"refused: {refusal.message[:200]}")
        except InvalidToken:
            await self._later(outgoing.message, progress, LONGEST_PAUSE_SECONDS, "token")
        except TelegramError as error:
            if surely_not_sent(error):
                pause = _pause(outgoing.message.delivery_attempts)
                await self._later(outgoing.message, progress, pause, type(error.__cause__ or error).__name__)
            else:
                await self._doubt(outgoing.message, error)
        else:
            external_id = f"out:{outgoing.address}:{sent}" if sent else None
            self._metrics.deliveries.labels("sent").inc()
            await self._store.write(
                lambda session: outbox.sent(session, outgoing.message.id, external_id=external_id, now=self._clock())
            )

    async def _send(self, outgoing: Outgoing, progress: "Progress") -> int | None:
        """Telegram's number of the last piece. Raises InDoubt when it cannot be learnt whether a piece arrived."""
        chat_id, message_id = int(outgoing.address), outgoing.message.id
        pieces = self._render(outgoing.message)
        last: int | None = None
        noted = progress.tried_after is None  # then the claim has noted this try
        for piece in pieces[progress.arrived :]:
            last = await self._already_there(outgoing, piece, progress.tried_after)
            if last is None:
                if not noted:
                    arrived, number = progress.arrived, self._numbers.last
                    await self._store.write(
                        lambda session, arrived=arrived, number=number: outbox.begin_piece(  # type: ignore[misc]
                            session, message_id, arrived=arrived, last_number=number
                        )
                    )
                last = (await self._send_piece(piece, chat_id)).message_id
                self._numbers.sent(chat_id, last)
            progress.arrived, progress.tried_after, noted = progress.arrived + 1, None, False
        return last

    async def _already_there(self, outgoing: Outgoing, piece: Piece, tried_after: int | None) -> int | None:
        """The number under which an earlier try brought the piece after all."""
        if tried_after is None:
            return None
        known = await self._store.read(lambda session: outbox.numbers(session, Channel.TELEGRAM))
        try:
            found = await self._numbers.find(int(outgoing.address), piece.keyboard, after=tried_after, known=known)
        except TelegramError as error:
            raise InDoubt(error) from error
        log.info("telegram asked message=%d arrived=%s", outgoing.message.id, found is not None)
        return found

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

    async def _later(self, message: Message, progress: "Progress", seconds: float, reason: str) -> None:
        """It surely did not arrive."""
        log.info("telegram later message=%d seconds=%.1f reason=%s", message.id, seconds, reason)
        self._metrics.deliveries.labels("later").inc()
        after = self._clock() + timedelta(seconds=seconds)
        await self._store.write(
            lambda session: outbox.again(session, message.id, after=after, reason=reason, arrived=progress.arrived)
        )

    async def _doubt(self, message: Message, error: TelegramError) -> None:
        """Before the next try, Telegram is asked whether this one arrived."""
        seconds = max(
            DOUBT_SECONDS,
            seconds_to_wait(error) if isinstance(error, RetryAfter) else _pause(message.delivery_attempts),
        )
        log.info("telegram doubtful message=%d seconds=%.1f error=%s", message.id, seconds, type(error).__name__)
        self._metrics.deliveries.labels("doubtful").inc()
        after = self._clock() + timedelta(seconds=seconds)
        await self._store.write(
            lambda session: outbox.in_doubt(session, message.id, after=after, reason="connection broke")
        )

    async def _failed(self, message: Message, reason: str) -> None:
        log.warning("telegram failed message=%d reason=%s", message.id, reason)
        self._metrics.deliveries.labels("failed").inc()
        await self._store.write(lambda session: outbox.failed(session, message.id, reason=reason))

    async def _refused(self, message: Message, reason: str) -> None:
        """Telegram will never take it, and the customer waits: the owner is told."""
        log.warning("telegram refused message=%d", message.id)
        self._metrics.deliveries.labels("failed").inc()

        def work(session: Session) -> None:
            outbox.failed(session, message.id, reason=reason)
            conversation = session.get_one(Conversation, message.conversation_id)
            handoffs.hand_off(
                session, conversation, reason=HandoffReason.UNDELIVERED, summary=message.text[:500], now=self._clock()
            )

        await self._store.write(work)


@dataclass
class Progress:
    """How far a message got: pieces that arrived, and the mark of a try of the next one with an open end."""

    arrived: int
    tried_after: int | None


def surely_not_sent(error: TelegramError) -> bool:
    """Whether Telegram said no, or the connection never came about; else it may have done what was asked."""
    return isinstance(error, RetryAfter | InvalidToken) or isinstance(error.__cause__, _NOT_SENT)


def _pause(attempts: int) -> float:
    return min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** min(attempts, 12))
