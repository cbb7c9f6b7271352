"""Closed windows: moments of the past whose next ``horizon`` days are known by now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from analytics.features import bought_within, features
from analytics.frames import Frames
from analytics.purchases import bg_nbd
from analytics.purchases.summary import Floats, Summary, summary

MOST_WINDOWS = 8
STEP_DAYS = 15
FEWEST_BUYERS = 20
FIT_AT_MOST = 1_500
_EDGE = 1e-4


@dataclass(frozen=True)
class Window:
    """What was known of each customer at ``start``.

    table   : features, plus ``orders_expected`` (log1p) and ``buys_logit`` from BG/NBD; index customer_id
    buys    : BG/NBD's P(order within the horizon), monotone in the expected number of orders; (n,)
    horizon : days
    """

    start: datetime
    table: pd.DataFrame
    buys: Floats
    data: Summary
    horizon: int


def window(
    frames: Frames, start: datetime, *, horizon: int, read: Callable[[Frames], pd.DataFrame] = features
) -> Window:
    """The window that begins at ``start``; sees nothing later. ``read`` computes the features, here or elsewhere."""
    then = frames.before(start)
    table, data = read(then), summary(then.orders, start)
    try:
        model = bg_nbd.fit(sampled(data), penalty=0.001)
        expected, buys = model.expected_orders(data, horizon), model.buys_within(data, horizon)
    except bg_nbd.DidNotConverge:
        expected = horizon * (data.x + 0.5) / (data.T + horizon)
        buys = -np.expm1(-expected)
    buys = ranked_by(expected, level=float(np.mean(buys)))
    clipped = np.clip(buys, _EDGE, 1 - _EDGE)
    extra = pd.DataFrame(
        {"orders_expected": np.log1p(expected), "buys_logit": np.log(clipped / (1 - clipped))}, index=data.customers
    )
    return Window(start, table.join(extra.reindex(table.index)), buys, data, horizon)


def sampled(data: Summary) -> Summary:
    """At most 1,500 of the customers, evenly: four parameters need no more."""
    if len(data) <= FIT_AT_MOST:
        return data
    keep = np.linspace(0, len(data) - 1, FIT_AT_MOST).astype(int)
    return Summary(data.customers[keep], data.x[keep], data.tx[keep], data.T[keep])


def ranked_by(expected: Floats, *, level: float) -> Floats:
    """Probabilities 1 − exp(−k · expected) with the given mean.

    Ordering by the expected number ranks customers better than ordering by BG/NBD's own P(order); the level is its.
    """
    level = min(max(level, 1e-3), 1 - 1e-3)
    low, high = 1e-6, 1e6
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if float(-np.expm1(-middle * expected).mean()) < level else (low, middle)
    return np.asarray(np.clip(-np.expm1(-middle * expected), _EDGE, 1 - _EDGE))


def starts(frames: Frames, as_of: datetime, *, horizon: int) -> list[datetime]:
    """Starts of up to 8 windows that are closed by ``as_of``, newest first, 15 days apart.

    They reach back no further than a month after the shop's first order; before, there is nothing to learn from.
    """
    if frames.orders.empty:
        return []
    earliest = frames.orders["ordered_at"].iloc[0].to_pydatetime() + timedelta(days=30)
    all_of_them = (as_of - timedelta(days=horizon + STEP_DAYS * number) for number in range(MOST_WINDOWS))
    return [start for start in all_of_them if start >= earliest]


def label(frames: Frames, of: Window, as_of: datetime, *, horizon: int) -> np.ndarray:
    """Whether each customer of the window bought nothing in it: bool (n,). Raises ValueError if it is still open."""
    if of.start + timedelta(days=horizon) > as_of:
        raise ValueError(f"the window from {of.start} is not closed at {as_of}")
    return ~bought_within(frames.orders, of.table.index, of.start, horizon)
