"""Logs say where something failed, never what a customer wrote: messages of errors and variables quote it."""

import logging
import traceback
from typing import Any, TextIO


def place_of(error: BaseException) -> str:
    """Kind and place of an error without its message."""
    places = traceback.extract_tb(error.__traceback__)[-6:]
    return f"error={type(error).__name__} at " + " < ".join(
        f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}" for place in reversed(places)
    )


class WithoutWords(logging.Formatter):
    """For the standard library's logging."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        return place_of(ei[1]) if ei[1] is not None else ""


def print_place(output: TextIO, ei: Any) -> None:
    """For structlog."""
    if ei[1] is not None:
        output.write(place_of(ei[1]))
