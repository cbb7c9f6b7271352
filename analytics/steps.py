"""What runs before the models read the store, such as judging new messages. Add a function here to plug it in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from analytics.judging import judge_waiting, name_topics
from crm.shop import Shop


class Step(Protocol):
    """Reads and writes the store in transactions of its own; sees nothing after ``as_of``.

    Returns counts for the analysis's summary. A step that fails fails the analysis.
    """

    def __call__(self, shop: Shop, *, as_of: datetime, now: datetime) -> Mapping[str, int]: ...


BEFORE: dict[str, Step] = {"sentiment": judge_waiting, "complaints": name_topics}
"""In this order; the key is the name shown while it runs."""
