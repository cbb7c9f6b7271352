"""Sales per segment: what members like them spent next, never a continuation of the members' own series.

A segment is defined by recent behaviour, so its members' past series carries the selection: continued, it would promise
more than twice what new customers spend, and nothing from those at risk.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from analytics.features import features
from analytics.forecast.backtest import DAYS
from analytics.frames import Frames
from analytics.purchases.summary import Floats
from analytics.segments.rules import segments

FEWEST_MEMBERS = 30
CHECKS = 3
LOOK_BACK_AT_MOST = 40_000
# Without a check in the past, a total may be off by this share.
UNCHECKED = 0.5


@dataclass(frozen=True)
class SegmentOutlook:
    """Expected sales of a segment's present members over the next 30 days, with an interval; major units."""

    segment: str
    members: int
    total: float
    low: float
    high: float


def segment_outlooks(frames: Frames) -> list[SegmentOutlook]:
    """One per segment that has members. Few members borrow the rate of all customers."""
    now = _members(frames)
    some = frames.sampled(LOOK_BACK_AT_MOST)
    errors = _past_errors(some)
    rates = _rates(some, frames.as_of - timedelta(days=DAYS))
    found = []
    for name, members in now.value_counts().sort_index().items():
        total = float(members) * rates.get(str(name), rates["all"])
        off = errors.get(str(name), UNCHECKED)
        found.append(SegmentOutlook(str(name), int(members), total, max(0.0, total * (1 - off)), total * (1 + off)))
    return found


def _members(frames: Frames) -> pd.Series:
    table = features(frames)
    return segments(frames, table) if len(table) else pd.Series(dtype=str, name="segment")


def _spent_next(frames: Frames, start: pd.Timestamp, customers: pd.Index) -> pd.Series:
    after = frames.orders[
        (frames.orders["ordered_at"] > start) & (frames.orders["ordered_at"] <= start + pd.Timedelta(days=DAYS))
    ].dropna(subset=["customer_id"])
    sums = after.groupby(after["customer_id"].astype("int64"))["amount"].sum()
    return sums.reindex(customers, fill_value=0.0)


def _rates(frames: Frames, start: pd.Timestamp) -> dict[str, float]:
    """Mean spend within 30 days of ``start`` of those who were in each segment then; "all" is everybody's."""
    members = _members(frames.before(start))
    if members.empty:
        return {"all": 0.0}
    spent = _spent_next(frames, pd.Timestamp(start), members.index)
    groups = spent.groupby(members)
    means, sizes = groups.mean(), groups.size()
    known = {str(name): float(means[name]) for name in means.index if sizes[name] >= FEWEST_MEMBERS}
    return {"all": float(spent.mean()), **known}


def _past_errors(frames: Frames) -> dict[str, float]:
    """The largest relative miss of each segment's total at up to three earlier moments."""
    misses: dict[str, list[float]] = {}
    for number in range(1, CHECKS + 1):
        origin = frames.as_of - timedelta(days=DAYS * number)
        then = frames.before(origin)
        members = _members(then)
        if len(members) < FEWEST_MEMBERS:
            break
        rates = _rates(then, origin - timedelta(days=DAYS))
        truth = _spent_next(frames, pd.Timestamp(origin), members.index).groupby(members).sum()
        for name, size in members.value_counts().items():
            told = float(size) * rates.get(str(name), rates["all"])
            if truth[name] > 0 and told > 0:
                misses.setdefault(str(name), []).append(abs(told - float(truth[name])) / told)
    return {name: min(1.0, max(found)) for name, found in misses.items()}


def spread_over(total: float, profile: Floats) -> Floats:
    """A total over days in proportion to ``profile`` (≥ 0); evenly where that is all 0."""
    whole = float(profile.sum())
    return profile * (total / whole) if whole > 0 else np.full(len(profile), total / max(1, len(profile)))
