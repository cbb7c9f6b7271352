"""Long lists of values in portions that fit into one statement."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
MOST_PARAMETERS = 5_000  # in one IN (…): SQLite allows 32,766 in all, PostgreSQL 65,535


def in_parts(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """The values in portions that fit into one statement."""
    listed = list(values)
    for start in range(0, len(listed), MOST_PARAMETERS):
        yield listed[start : start + MOST_PARAMETERS]
