"""The turn engine: takes what waits in a conversation, has it answered, stores the answer, tells everybody."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from crm import conversations, satisfaction, turns
from crm.errors import AlreadyAnswered, ConversationNotFound
from crm.logs import safe_trace
from crm.models import Conversation, Message
from crm.types import now as utc_now
from gateway.answering import Answering, TurnAnswer
from gateway.bus import Bus, Event, Kind
from gateway.messages import shown
from gateway.metrics import Metrics
from gateway.store import Store

log = logging.getLogger(__name__)
MOST_TURNS_AT_ONCE = 64
HOLD_WHILE_TYPING_SECONDS = 1.2
TYPING_LASTS_SECONDS = 1.0
LEASE_MARGIN_SECONDS = 10.0
TAKEN_PAUSE_SECONDS = 0.2
STOP_SECONDS = 1.5
RESUME_EVERY_SECONDS = 5.0
RESUME_LOOKS_BACK = timedelta(hours=1)


Receive = Callable[[Session], tuple[Message, bool]]


class Owner(Protocol):
    """Whoever is told what concerns the owner."""

    def heard(self, session: Session, conversation: Conversation, lines: Sequence[Message]) -> None:
        """A customer spoke to the owner; called in the transaction that says so."""
        ...

    def wake(self) -> None:
        """Something may wait for the owner."""
        ...


class Relay:
    """Strictly in order within a conversation, at the same time across conversations."""

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        answering: Answering,
        metrics: Metrics,
        name: str,
        answer_timeout_seconds: float,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store, self._bus, self._answering = store, bus, answering
        self._metrics, self._name, self._clock = metrics, name, clock
        self._lease = timedelta(seconds=2 * answer_timeout_seconds + LEASE_MARGIN_SECONDS)
        self._slots = asyncio.Semaphore(MOST_TURNS_AT_ONCE)
        # None while somebody stores the message that starts the task
        self._working: dict[str, asyncio.Task[None] | None] = {}
        self._stopping = False
        self._again: set[str] = set()
        self._asking: set[str] = set()
        self._typed_at: dict[str, float] = {}
        self.owner_side: Owner | None = None
        self.mood: Callable[[Session, Message], None] | None = None

    async def hear(self, public_id: str, receive: Receive, *, hold_seconds: float = 0.0) -> Message:
        """Stores a customer's message with ``receive``, shows it to the other tabs and sees to its answer.

        Raises whatever ``receive`` raises. Where nothing else is being answered and nothing is to be waited for, the
        turn begins in the same transaction: one instead of two for nearly every message.
        """
        at_once = not hold_seconds and self._reserve(public_id)
        turn: turns.Turn | None = None

        def work(session: Session) -> tuple[Message, bool, turns.Turn | None]:
            message, new = receive(session)
            if new and self.mood is not None:
                self.mood(session, message)
            return message, new, self._begin(session, message) if at_once and new else None

        try:
            message, new, turn = await self._store.write(work)
        finally:
            if at_once:
                self._unreserve(public_id, turn)
        if new:
            self._metrics.messages.labels(message.channel.value).inc()
            # What was typed until now is this message.
            self._typed_at.pop(public_id, None)
            self._bus.publish(public_id, Event(Kind.MESSAGE, dict(shown(message))))
        if message.turn is None and turn is None:
            self.wake(public_id, hold_seconds=hold_seconds)
        return message

    def wake(self, public_id: str, *, hold_seconds: float = 0.0) -> None:
        """Sees to it that whatever waits in the conversation is answered."""
        self._again.add(public_id)
        if self._reserve(public_id):
            self._start(public_id, None, hold_seconds)

    def _reserve(self, public_id: str) -> bool:
        """Whether the caller is the one to answer; then it has to start, or to let go."""
        if public_id in self._working or self._stopping:
            return False
        self._working[public_id] = None
        return True

    def _unreserve(self, public_id: str, turn: turns.Turn | None) -> None:
        if turn is None and public_id not in self._again:
            del self._working[public_id]
        else:
            self._start(public_id, turn, 0.0)

    def _start(self, public_id: str, turn: turns.Turn | None, hold_seconds: float) -> None:
        self._working[public_id] = asyncio.create_task(self._work(public_id, turn, hold_seconds))
        self._metrics.working.set(len(self._working))

    def _begin(self, session: Session, message: Message) -> turns.Turn | None:
        """None if another gateway is at it."""
        conversation = session.get_one(Conversation, message.conversation_id)
        try:
            return self._taken(session, conversation)
        except turns.TurnTaken:
            return None

    def _taken(self, session: Session, conversation: Conversation) -> turns.Turn | None:
        return turns.begin(session, conversation, owner=self._name, now=self._clock(), lease=self._lease)

    def is_asking(self, public_id: str) -> bool:
        """Whether the bot is reading what waits just now."""
        return public_id in self._asking

    def typing(self, public_id: str) -> None:
        """The customer is writing more."""
        if public_id in self._working:
            self._typed_at[public_id] = time.monotonic()

    async def resume_forever(self) -> None:
        """Answers what an earlier run, or a gateway that died, left unanswered."""
        since: datetime | None = None
        while True:
            try:
                until = self._clock() - timedelta(seconds=RESUME_EVERY_SECONDS if since else 0)
                for public_id in await self._store.read(
                    lambda session, since=since, until=until: conversations.conversations_waiting(  # type: ignore[misc]
                        session, since=since, until=until
                    )
                ):
                    self.wake(public_id)
                since = self._clock() - RESUME_LOOKS_BACK
            except Exception as error:
                log.error("could not look for unanswered messages %s", safe_trace(error))
            await asyncio.sleep(RESUME_EVERY_SECONDS)

    async def stop(self) -> None:
        """Lets running turns end for a moment; what is cut off is answered after the next start."""
        self._stopping = True
        running = [task for task in self._working.values() if task is not None]
        if running:
            await asyncio.wait(running, timeout=STOP_SECONDS)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _work(self, public_id: str, turn: turns.Turn | None, hold_seconds: float) -> None:
        """Answers turn after turn until nothing waits. ``turn`` has begun already."""
        failures = 0
        try:
            if hold_seconds:
                await asyncio.sleep(hold_seconds)
            while turn is not None or public_id in self._again:
                try:
                    if turn is None:
                        self._again.discard(public_id)
                        await self._while_typing(public_id)
                    async with self._slots:
                        self._asking.add(public_id)
                        await self._turn(public_id, turn)
                    failures = 0
                except turns.TurnTaken:
                    self._again.add(public_id)
                    await asyncio.sleep(TAKEN_PAUSE_SECONDS)
                except (ConversationNotFound, AlreadyAnswered) as gone:
                    log.info("nothing left to answer conversation=%s reason=%s", public_id, type(gone).__name__)
                except Exception as error:
                    # The message is stored and stays unanswered until this succeeds.
                    failures += 1
                    self._metrics.errors.labels("turn").inc()
                    log.error("turn failed conversation=%s %s", public_id, safe_trace(error))
                    self._again.add(public_id)
                    await asyncio.sleep(min(30.0, 0.5 * 2**failures))
                finally:
                    self._asking.discard(public_id)
                turn = None
        finally:
            self._again.discard(public_id)
            self._typed_at.pop(public_id, None)
            del self._working[public_id]
            self._metrics.working.set(len(self._working))

    async def _while_typing(self, public_id: str) -> None:
        ends = time.monotonic() + HOLD_WHILE_TYPING_SECONDS
        while typed_at := self._typed_at.get(public_id):
            left = min(ends, typed_at + TYPING_LASTS_SECONDS) - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)

    async def _turn(self, public_id: str, begun: turns.Turn | None) -> None:
        began = time.perf_counter()
        turn = begun or await self._store.write(
            lambda session: self._taken(session, conversations.by_public_id(session, public_id))
        )
        if turn is None:
            return
        lines = turn.lines if turn.held_by_owner else self._answering.joined(turn)
        if len(lines) < len(turn.lines):
            self._again.add(public_id)
        answer = (
            TurnAnswer([], outcome="with_owner") if turn.held_by_owner else await self._answering.answer(turn, lines)
        )
        closed = await self._store.write(lambda session: self._close(session, turn, lines, answer))
        if closed is None:
            self._metrics.turns.labels(turn.channel.value, "answered_elsewhere").inc()
            return
        self._tell(turn, lines, closed)
        self._metrics.turns.labels(turn.channel.value, answer.outcome).inc()
        self._metrics.turn_seconds.observe(time.perf_counter() - began)
        log.debug(
            "turn conversation=%s turn=%d lines=%d replies=%d outcome=%s",
            public_id,
            turn.number,
            len(lines),
            len(closed.replies),
            answer.outcome,
        )

    def _close(
        self, session: Session, turn: turns.Turn, lines: Sequence[Message], answer: TurnAnswer
    ) -> turns.Closed | None:
        closed = turns.close(
            session,
            turn,
            lines,
            answer.replies,
            answer.understanding,
            owner=self._name,
            now=self._clock(),
            needs_owner=answer.needs_owner,
        )
        if closed is None:
            return None
        score = satisfaction.score_in(lines[0].payload)
        if score is not None:
            satisfaction.note(session, session.merge(turn.conversation, load=False), score, now=self._clock())
        elif closed.held_by_owner and self.owner_side is not None:
            self.owner_side.heard(session, session.merge(turn.conversation, load=False), lines)
        return closed

    def _tell(self, turn: turns.Turn, lines: Sequence[Message], closed: turns.Closed) -> None:
        replies = [dict(shown(reply)) for reply in closed.replies]
        for reply in replies:
            self._bus.publish(turn.public_id, Event(Kind.MESSAGE, reply))
        if closed.handed_off != turn.handed_off:
            state = {"active": closed.handed_off, "owner": closed.held_by_owner}
            self._bus.publish(turn.public_id, Event(Kind.HANDOFF, state))
        if closed.handed_off and self.owner_side is not None and (closed.held_by_owner or not turn.handed_off):
            self.owner_side.wake()
        answered = {"lines": [line.seq for line in lines], "replies": replies}
        self._bus.publish(turn.public_id, Event(Kind.ANSWERED, answered))
        outlet = self._answering.outlets.get(turn.channel)
        if outlet is not None and replies:
            outlet.deliver(turn.conversation.id)
