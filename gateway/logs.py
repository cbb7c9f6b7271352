"""The gateway's logs: libraries that log addresses with tokens or whole updates are kept quiet."""

import logging
import warnings

from telegram.warnings import PTBDeprecationWarning

from crm import logs


def set_up() -> None:
    logs.set_up()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It announces that a wait will become a timedelta; both are understood here.
    warnings.filterwarnings("ignore", category=PTBDeprecationWarning)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
