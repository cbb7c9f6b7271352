"""Logs say where something failed, never what a customer wrote: an error's message quotes the values it was given."""

import logging
import traceback
from typing import Any

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


def safe_trace(error: BaseException) -> str:
    """Kind and place of an error without its message."""
    places = traceback.extract_tb(error.__traceback__)[-6:]
    return f"error={type(error).__name__} at " + " < ".join(
        f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}" for place in reversed(places)
    )


class WithoutWords(logging.Formatter):
    """Says of a failure where it was, whoever logs it, and never what its message quotes."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        return safe_trace(ei[1]) if ei[1] is not None else ""


def set_up() -> None:
    """Plain lines on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(WithoutWords(LINE))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
