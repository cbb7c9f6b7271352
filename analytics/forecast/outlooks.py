"""All forecasts of an analysis: the total, each segment, each product group, and what runs out."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analytics.forecast import calendar
from analytics.forecast.backtest import DAYS, FEWEST_DAYS, Outlook, outlook
from analytics.forecast.cohorts import segment_outlooks, spread_over
from analytics.forecast.methods import profile_and_level
from analytics.forecast.stock import RunsOut, stock_outs
from analytics.frames import Frames, daily_sales
from analytics.purchases.summary import Floats

MOST_GROUPS = 12
TOTAL = "total"


@dataclass(frozen=True)
class Series:
    """Per day: what is expected and between what it lies 8 times in 10; major units, ≥ 0."""

    name: str
    middle: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Outlooks:
    days: pd.DatetimeIndex
    total: Outlook
    series: list[Series]
    runs_out: list[RunsOut]
    effects: dict[str, float] = field(default_factory=dict)


def outlooks(frames: Frames, *, in_use: str | None = None) -> Outlooks:
    """The next 30 days; empty where nothing was ever sold."""
    daily = frames.daily()
    told = outlook(daily, in_use=in_use)
    if not len(told.days):
        return Outlooks(told.days, told, [], stock_outs(frames))
    effects = calendar.effects(daily)
    moved = calendar.factors(told.days, effects)
    total = Series(TOTAL, told.middle * moved, told.low * moved, told.high * moved)
    return Outlooks(
        days=told.days,
        total=told,
        series=[total, *_segments(frames, total), *_groups(frames, moved)],
        runs_out=stock_outs(frames),
        effects=effects,
    )


def _segments(frames: Frames, total: Series) -> list[Series]:
    """Each segment's total, spread over the days as the shop's is."""
    return [
        Series(
            one.segment,
            spread_over(one.total, total.middle),
            spread_over(one.low, total.middle),
            spread_over(one.high, total.middle),
        )
        for one in segment_outlooks(frames)
    ]


def _groups(frames: Frames, moved: Floats) -> list[Series]:
    """The largest product groups, each by its own weekday profile and level."""
    category = frames.products.set_index("product_id")["category"]
    lines = frames.lines.assign(category=frames.lines["product_id"].map(category)).dropna(subset=["category"])
    found = []
    for name in lines.groupby("category")["amount"].sum().nlargest(MOST_GROUPS).index:
        series = daily_sales(lines[lines["category"] == name], frames.as_of, frames.zone)
        if len(series) < FEWEST_DAYS:
            continue
        middle = profile_and_level(series, DAYS) * moved
        off = _usual_miss(series)
        found.append(Series(f"group:{name}", middle, np.clip(middle - off, 0.0, None), middle + off))
    return found


def _usual_miss(series: pd.Series) -> float:
    """The distance within which 8 of 10 of the last 30 days lay from what would have been told of them."""
    past, truth = series.iloc[:-DAYS], series.iloc[-DAYS:].to_numpy(float)
    if len(past) < 7:
        return float(series.std())
    return float(np.quantile(np.abs(truth - profile_and_level(past, DAYS)), 0.8))
