"""Logs carry ids, never what customers wrote."""

import logging
import traceback
import warnings

from telegram.warnings import PTBDeprecationWarning


def safe_trace(error: BaseException) -> str:
    """Kind and place of an error without its message: a database error's message quotes the values it was given."""
    places = traceback.extract_tb(error.__traceback__)[-6:]
    return f"error={type(error).__name__} at " + " < ".join(
        f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}" for place in reversed(places)
    )


def set_up() -> None:
    """Plain lines on stderr; libraries that log addresses with tokens or whole updates are kept quiet."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It announces that a wait will become a timedelta; both are understood here.
    warnings.filterwarnings("ignore", category=PTBDeprecationWarning)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
