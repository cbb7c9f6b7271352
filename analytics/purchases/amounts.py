"""How much the next order will be, and what a customer is worth over a time."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from analytics.features import features
from analytics.frames import Frames

FEWEST_ORDERS = 100
# So many orders' worth of trust is given to the shop's typical order.
SHRINK_ORDERS = 2.0
WINDOW_DAYS = 90
LEARN_FROM_AT_MOST = 10_000
# What a free order counts as where logarithms are taken, major units.
SMALLEST = 0.01
READ = ("amount_mean", "amount_last", "orders", "recency", "tenure", "amount_sum_90", "gap_mean", "products")


@dataclass(frozen=True)
class NextAmount:
    """``amount`` per customer (index customer_id), major units; the method that served and how each did (MAE)."""

    amount: pd.Series
    method: str
    errors: dict[str, float]
    fallback: bool


def typical_amount(frames: Frames) -> pd.Series:
    """Mean of each customer's log amounts, pulled towards the shop's median; index customer_id, major units."""
    orders = frames.orders.dropna(subset=["customer_id"])
    logs = np.log(orders["amount"].clip(lower=SMALLEST))
    groups = logs.groupby(orders["customer_id"].astype("int64"))
    shop = float(np.log(max(orders["amount"].median(), SMALLEST)))
    return np.exp((groups.sum() + SHRINK_ORDERS * shop) / (groups.size() + SHRINK_ORDERS)).rename("amount")


def mean_amount(frames: Frames) -> pd.Series:
    """Each customer's mean order, pulled by one order's worth towards the shop's mean: what sums to sales."""
    orders = frames.orders.dropna(subset=["customer_id"])
    groups = orders.groupby(orders["customer_id"].astype("int64"))["amount"]
    return ((groups.sum() + orders["amount"].mean()) / (groups.size() + 1)).rename("amount")


def next_amount(frames: Frames) -> NextAmount:
    """Expected size of each customer's next order; the forest serves only where it beat simpler ways.

    Judged on the first order that each customer placed in the last 90 days.
    """
    orders = frames.orders.dropna(subset=["customer_id"])
    if len(orders) < FEWEST_ORDERS:
        customers = pd.Index(orders["customer_id"].astype("int64").unique(), name="customer_id").sort_values()
        middle = float(orders["amount"].median()) if len(orders) else 0.0
        return NextAmount(pd.Series(middle, customers, name="amount"), "shop_median", {}, fallback=True)
    some = frames.sampled(LEARN_FROM_AT_MOST)
    then = some.before(frames.as_of - timedelta(days=WINDOW_DAYS))
    truth = first_amounts(some, then)
    errors: dict[str, float] = {}
    if len(truth) >= FEWEST_ORDERS // 2:
        for name, way in _WAYS.items():
            told = way(then)
            if told is not None:
                errors[name] = float((told.reindex(truth.index) - truth).abs().mean())
    method = min(errors, key=lambda name: errors[name]) if errors else "shrunk_log_mean"
    amount = _WAYS[method](frames)
    return NextAmount(typical_amount(frames) if amount is None else amount, method, errors, fallback=False)


def first_amounts(frames: Frames, then: Frames) -> pd.Series:
    """What customers known at ``then.as_of`` spent on their first day of buying within 90 days of it."""
    end = pd.Timestamp(then.as_of) + pd.Timedelta(days=WINDOW_DAYS)
    known = then.orders["customer_id"].dropna().astype("int64").unique()
    after = frames.orders[(frames.orders["ordered_at"] > then.as_of) & (frames.orders["ordered_at"] <= end)]
    after = after[after["customer_id"].isin(known)]
    after = after.assign(day=after["ordered_at"].dt.floor("D"), customer_id=after["customer_id"].astype("int64"))
    daily = after.groupby(["customer_id", "day"])["amount"].sum()
    return daily.groupby(level="customer_id").first()


def _forest(frames: Frames) -> pd.Series | None:
    """A random forest on log amounts, learnt from three closed windows; None where they hold too little."""
    tables, truths = [], []
    some = frames.sampled(LEARN_FROM_AT_MOST)
    for back in (WINDOW_DAYS, WINDOW_DAYS + 30, WINDOW_DAYS + 60):
        then = some.before(frames.as_of - timedelta(days=back))
        if len(then.orders) < FEWEST_ORDERS:
            continue
        truth = first_amounts(some, then)
        tables.append(_read(then).reindex(truth.index))
        truths.append(truth)
    if not tables or sum(map(len, truths)) < FEWEST_ORDERS:
        return None
    table, truth = pd.concat(tables), np.log(pd.concat(truths).clip(lower=SMALLEST))
    if len(table) > LEARN_FROM_AT_MOST:
        keep = np.random.default_rng(0).choice(len(table), LEARN_FROM_AT_MOST, replace=False)
        table, truth = table.iloc[keep], truth.iloc[keep]
    forest = RandomForestRegressor(200, min_samples_leaf=15, max_features=0.5, random_state=0, n_jobs=-1)
    forest.fit(table.to_numpy(float), truth.to_numpy(float))
    now = _read(frames)
    return pd.Series(np.exp(forest.predict(now.to_numpy(float))), now.index, name="amount")


def _read(frames: Frames) -> pd.DataFrame:
    table = features(frames)[list(READ)]
    return np.log1p(table).assign(typical=np.log1p(typical_amount(frames).reindex(table.index)))


def _mixed(frames: Frames) -> pd.Series | None:
    """Halfway between the forest and the customer's own mean."""
    by_forest = _forest(frames)
    if by_forest is None:
        return None
    own = frames.orders.dropna(subset=["customer_id"])
    mean = own.groupby(own["customer_id"].astype("int64"))["amount"].mean()
    return ((by_forest + mean.reindex(by_forest.index)) / 2).rename("amount")


_WAYS = {"shrunk_log_mean": typical_amount, "random_forest": _forest, "forest_and_own_mean": _mixed}
