"""The store as seen from the event loop: blocking sessions run in threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm import database

T = TypeVar("T")


class Store:
    """Runs a function with a session of its own, in one transaction."""

    def __init__(self) -> None:
        # SQLite lets one writer in at a time and makes the others poll for its lock; a queue here is fair and faster.
        one_writer = database.engine().dialect.name == "sqlite"
        self._writers = ThreadPoolExecutor(1 if one_writer else 8, thread_name_prefix="store-write")
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="store-read")

    async def write(self, work: Callable[[Session], T]) -> T:
        """What ``work`` returns, after commit. Lost races for a unique value are run once more."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, _written, work)

    async def read(self, work: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, _read, work)

    def close(self) -> None:
        self._writers.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)


def _written(work: Callable[[Session], T]) -> T:
    try:
        with database.session() as session:
            return work(session)
    except IntegrityError:
        # Somebody stored the same thing at the same moment: the second look finds it.
        with database.session() as session:
            return work(session)


def _read(work: Callable[[Session], T]) -> T:
    with database.reading() as session:
        return work(session)
