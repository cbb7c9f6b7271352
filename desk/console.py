"""One line per event, prefixed with who it is about."""

import os
import sys
from collections.abc import Mapping

_COLOURS: Mapping[str, str] = {
    "gateway": "36",
    "rasa": "35",
    "actions": "33",
    "scheduler": "36",
    "schedule": "36",
    "analyse": "34",
    "store": "34",
    "model": "34",
    "desk": "32",
    "ok": "32",
    "warn": "33",
    "fail": "31",
}


def tell(who: str, what: str) -> None:
    """Prints ``who  what``, in colour on a terminal."""
    name = f"{who:<8}"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        name = f"\033[{_COLOURS.get(who, '37')}m{name}\033[0m"
    print(f"{name} {what}", flush=True)
