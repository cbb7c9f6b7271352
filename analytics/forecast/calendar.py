"""Shopping days that move sales: Chinese and Western ones, and what they did to this shop's sales before."""

from dataclasses import dataclass
from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd

from analytics.purchases.summary import Floats

AROUND_DAYS = 28
# One busy day is chance; an effect is believed by what is left after pulling it towards none.
TRUST = 0.5
MOST_FACTOR = 3.0


@dataclass(frozen=True)
class ShoppingDay:
    name: str
    day: date


def shopping_days(year: int) -> list[ShoppingDay]:
    """Days by name; the moving Chinese ones come from the ``holidays`` library."""
    found = [ShoppingDay(name, date(year, month, day)) for name, month, day in _FIXED]
    thanksgiving = date(year, 11, 1) + timedelta(days=(3 - date(year, 11, 1).weekday()) % 7 + 21)
    found.append(ShoppingDay("black_friday", thanksgiving + timedelta(days=1)))
    found.append(ShoppingDay("cyber_monday", thanksgiving + timedelta(days=4)))
    china = holidays.country_holidays("CN", years=year, language="en_US")
    for name, words in _MOVING.items():
        days = sorted(day for day, said in china.items() if words in said and "observed" not in said.lower())
        if days:
            found.append(ShoppingDay(name, days[0]))
    return sorted(found, key=lambda one: one.day)


_FIXED = (
    ("new_year", 1, 1), ("valentine", 2, 14), ("women_day", 3, 8), ("520", 5, 20), ("618", 6, 18),
    ("national_day", 10, 1), ("double_eleven", 11, 11), ("double_twelve", 12, 12), ("christmas_eve", 12, 24),
    ("christmas", 12, 25),
)  # fmt: skip
_MOVING = {
    "spring_festival": "Chinese New Year",
    "dragon_boat": "Dragon Boat",
    "mid_autumn": "Mid-Autumn",
    "tomb_sweeping": "Tomb-Sweeping",
}


def effects(series: pd.Series) -> dict[str, float]:
    """By what factor each day that lies in the series changed sales against the same weekday in the weeks around it.

    Pulled halfway towards 1, and kept between 0 and 3; days that are not in the series are not in the answer.
    """
    if series.empty:
        return {}
    ratios: dict[str, list[float]] = {}
    for year in range(series.index[0].year, series.index[-1].year + 1):
        for one in shopping_days(year):
            day = pd.Timestamp(one.day)
            if day not in series.index:
                continue
            around = series.loc[day - pd.Timedelta(days=AROUND_DAYS) : day + pd.Timedelta(days=AROUND_DAYS)]
            same = around[(around.index.day_of_week == day.day_of_week) & (around.index != day)]
            if len(same) >= 4 and same.mean() > 0:
                ratios.setdefault(one.name, []).append(float(series[day]) / float(same.mean()))
    return {name: float(np.clip(1 + TRUST * (np.mean(found) - 1), 0.0, MOST_FACTOR)) for name, found in ratios.items()}


def factors(days: pd.DatetimeIndex, known: dict[str, float]) -> Floats:
    """What to multiply a forecast by on each day; 1 where nothing is known."""
    names = {one.day: one.name for year in set(days.year) for one in shopping_days(int(year))}
    return np.array([known.get(names.get(day.date(), ""), 1.0) for day in days])
