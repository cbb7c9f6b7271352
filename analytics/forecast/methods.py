"""Ways to continue a series of daily sales. Each takes the past (1 value per day) and gives ``days`` more."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from analytics.purchases.summary import Floats

Method = Callable[[pd.Series, int], Floats]
WEEK = 7
PROFILE_WEEKS, LEVEL_DAYS = 8, 28


def seasonal_naive(past: pd.Series, days: int) -> Floats:
    """As on the same weekday of last week."""
    last = past.to_numpy(float)[-WEEK:]
    return np.resize(last, days)


def profile_and_level(past: pd.Series, days: int) -> Floats:
    """The weekdays' shares of the last 8 weeks times the level of the last 28 days."""
    recent = past.iloc[-PROFILE_WEEKS * WEEK :]
    weekday = recent.index.day_of_week
    by_day = recent.groupby(weekday).mean().reindex(range(WEEK), fill_value=0.0)
    mean = float(by_day.mean())
    profile = by_day / mean if mean > 0 else by_day + 1.0
    level = float(past.iloc[-LEVEL_DAYS:].mean())
    ahead = pd.date_range(past.index[-1] + pd.Timedelta(days=1), periods=days)
    return np.asarray(level * profile.reindex(ahead.day_of_week).to_numpy(float))


def exponential_smoothing(past: pd.Series, days: int) -> Floats:
    """Level and weekday by exponential smoothing (Holt and Winters, additive, without trend)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = ExponentialSmoothing(
            past.to_numpy(float), seasonal="add", seasonal_periods=WEEK, initialization_method="estimated"
        ).fit()
    return np.asarray(np.clip(fitted.forecast(days), 0.0, None))


def seasonal_arima(past: pd.Series, days: int) -> Floats:
    """ARIMA(1, 0, 1) around the weekday profile of the last 8 weeks."""
    weekday = past.index.day_of_week
    recent = past.iloc[-PROFILE_WEEKS * WEEK :]
    by_day = recent.groupby(recent.index.day_of_week).mean().reindex(range(WEEK), fill_value=0.0)
    rest = past.to_numpy(float) - by_day.reindex(weekday).to_numpy(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a start off the stationary region is repaired by the fit itself
        fitted = ARIMA(rest[-180:], order=(1, 0, 1)).fit()
    ahead = pd.date_range(past.index[-1] + pd.Timedelta(days=1), periods=days)
    return np.asarray(np.clip(fitted.forecast(days) + by_day.reindex(ahead.day_of_week).to_numpy(float), 0.0, None))


def weekly_average(past: pd.Series, days: int) -> Floats:
    """The mean of all that is known: for shops younger than 8 weeks."""
    return np.full(days, float(past.mean()) if len(past) else 0.0)


METHODS: dict[str, Method] = {
    "profile_and_level": profile_and_level,
    "exponential_smoothing": exponential_smoothing,
    "seasonal_arima": seasonal_arima,
    "seasonal_naive": seasonal_naive,
}
