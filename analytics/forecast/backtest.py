"""Choosing a method by replaying the past, and how wide its band has to be."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.forecast.methods import METHODS, Method, weekly_average
from analytics.purchases.summary import Floats

DAYS = 30
FEWEST_DAYS = 56
ORIGINS, STEP_DAYS = 6, 14
COVERAGE = 0.8
# What was sold longer ago tells nothing of the next month, and takes time to fit.
LOOK_BACK_DAYS = 3 * 365


@dataclass(frozen=True)
class Outlook:
    """``middle``, ``low`` and ``high`` per day, floats ≥ 0; the total's interval; how each method did (MASE)."""

    days: pd.DatetimeIndex
    middle: Floats
    low: Floats
    high: Floats
    total_low: float
    total_high: float
    method: str
    errors: dict[str, float]
    fallback: bool


def mase(past: pd.Series, truth: Floats, told: Floats) -> float:
    """Mean absolute error, scaled by that of "as a week ago" within the past (Hyndman & Koehler 2006); ≥ 0."""
    values = past.to_numpy(float)
    scale = float(np.abs(values[7:] - values[:-7]).mean()) if len(values) > 7 else 0.0
    return float(np.abs(truth - told).mean()) / scale if scale > 0 else 0.0


def origins(series: pd.Series, *, most: int = ORIGINS) -> list[int]:
    """Places in the series from which 30 days can be told and checked, the newest last."""
    places = [len(series) - DAYS - STEP_DAYS * number for number in range(most)]
    return sorted(place for place in places if place >= FEWEST_DAYS)


def outlook(series: pd.Series, *, in_use: str | None = None) -> Outlook:
    """The next 30 days of a daily series (0 where nothing was sold).

    in_use : the method that serves so far; another takes over only if it did better
    """
    series = series.iloc[-LOOK_BACK_DAYS:]
    days = pd.date_range(series.index[-1] + pd.Timedelta(days=1), periods=DAYS) if len(series) else _no_days()
    if len(series) < FEWEST_DAYS:
        return _guess(series, days)
    errors: dict[str, list[float]] = {name: [] for name in METHODS}
    misses: dict[str, list[Floats]] = {name: [] for name in METHODS}
    for place in origins(series):
        past, truth = series.iloc[:place], series.iloc[place : place + DAYS].to_numpy(float)
        for name, method in METHODS.items():
            told = method(past, DAYS)
            errors[name].append(mase(past, truth, told))
            misses[name].append(truth - told)
    means = {name: float(np.mean(found)) for name, found in errors.items() if found}
    name = _chosen(means, in_use)
    return _with_band(METHODS[name], name, series, days, misses[name], means)


def _no_days() -> pd.DatetimeIndex:
    return pd.DatetimeIndex([], name="day")


def _chosen(errors: dict[str, float], in_use: str | None) -> str:
    if not errors:
        return "profile_and_level"
    best = min(errors, key=lambda name: errors[name])
    return in_use if in_use in errors and errors[in_use] <= errors[best] * 1.01 else best


def _with_band(
    method: Method, name: str, series: pd.Series, days: pd.DatetimeIndex, misses: list[Floats], errors: dict[str, float]
) -> Outlook:
    """The band holds 8 of 10 past misses, of single days and of 30-day totals (split conformal)."""
    middle = method(series, DAYS)
    if misses:
        singles, totals = np.concatenate(misses), np.array([miss.sum() for miss in misses])
    else:
        singles = (series - series.mean()).to_numpy(float)
        totals = singles[-DAYS:].cumsum()
    low, high = np.quantile(singles, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    total = float(middle.sum())
    # Few past totals say little about the edges: the largest miss seen is the band.
    total_miss = max(float(np.abs(totals).max()) if len(totals) else 0.0, 0.1 * total)
    return Outlook(
        days=days,
        middle=middle,
        low=np.clip(middle + low, 0.0, None),
        high=np.clip(middle + high, 0.0, None),
        total_low=max(0.0, total - total_miss),
        total_high=total + total_miss,
        method=name,
        errors=errors,
        fallback=False,
    )


def _guess(series: pd.Series, days: pd.DatetimeIndex) -> Outlook:
    """Below 8 weeks: the average, with a band from nothing to twice that."""
    middle = weekly_average(series, len(days))
    return Outlook(
        days=days,
        middle=middle,
        low=np.zeros_like(middle),
        high=2.0 * middle,
        total_low=0.0,
        total_high=2.0 * float(middle.sum()),
        method="weekly_average",
        errors={},
        fallback=True,
    )
