"""Lessons on their way from proposed to adopted or refused, while customers are served."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from crm.articles import Draft
from crm.errors import CrmError
from crm.lessons import articles as lessons
from crm.lessons.articles import ChangedSince
from crm.logs import safe_trace
from crm.models import Lesson
from crm.types import now
from gateway.store import Store

log = logging.getLogger(__name__)
MOST_TRIES = 3
WAITED_FOR_SECONDS = 2.0


class Teaching:
    """Replays run in a thread and go on when nobody waits for them any more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[int, asyncio.Task[Lesson]] = {}

    async def teach(self, draft: Draft, *, by: str, slug: str | None = None, messages: Sequence[int] = ()) -> Lesson:
        """Proposes an article and has it tried; mostly decided when this returns, else soon. Raises ChangedSince."""
        proposed: Lesson = await self._store.write(
            lambda session: lessons.propose(session, draft, by=by, now=now(), slug=slug, messages=messages)
        )
        return await self.try_out(proposed.id)

    async def try_out(self, lesson_id: int, *, wait_seconds: float = WAITED_FOR_SECONDS) -> Lesson:
        """Tries a lesson on the past and decides. Returns it as it is after ``wait_seconds`` at the latest.

        Raises LessonDecided, and ChangedSince if articles were edited again and again meanwhile.
        """
        task = self._running.get(lesson_id)
        if task is None:
            checked: Lesson = await self._store.write(lambda session: lessons.begin_check(session, lesson_id))
            task = self._running[lesson_id] = asyncio.create_task(self._try_out(lesson_id))
            task.add_done_callback(partial(self._ended, lesson_id))
        else:
            checked = await self._store.read(lambda session: session.get_one(Lesson, lesson_id))
        done, _ = await asyncio.wait({task}, timeout=wait_seconds)
        return task.result() if done else checked

    async def _try_out(self, lesson_id: int) -> Lesson:
        for tries_left in reversed(range(MOST_TRIES)):
            report, revision = await self._store.read(partial(lessons.replayed, lesson_id=lesson_id))
            decide = partial(lessons.decide, lesson_id=lesson_id, report=report, revision=revision, now=now())
            try:
                return await self._store.write(decide)
            except ChangedSince:
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    def _ended(self, lesson_id: int, task: asyncio.Task[Lesson]) -> None:
        del self._running[lesson_id]
        failure = None if task.cancelled() else task.exception()
        if failure is not None and not isinstance(failure, CrmError):
            log.error("could not try lesson %d %s", lesson_id, safe_trace(failure))

    async def stop(self) -> None:
        """What is cut off stays untried and can be tried again."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
