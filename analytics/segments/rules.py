"""The five named segments. Rules on the shop's own scale: as predictive as clusters, and far steadier."""

from datetime import timedelta

import numpy as np
import pandas as pd

from analytics.frames import Frames
from crm.models import Segment

LAPSED_DAYS = 90.0
NEW_DAYS = 60.0
TOP_SHARE = 0.2
DISCOUNT_SHARE = 0.08
YEAR = timedelta(days=365)


def segments(frames: Frames, table: pd.DataFrame) -> pd.Series:
    """The segment of each customer in ``table`` (features of the same moment), by the first rule that applies:

    1. new: first order no more than 60 days ago, and no more than two orders
    2. at risk: no order for 90 days, or bought on one day only and that is more than 60 days ago
    3. high value: among the top fifth of the shop by what they spent in the last 365 days
    4. price sensitive: discounts took 8 % or more off what they bought
    5. loyal: all others; they bought on several days, the last less than 90 days ago

    Returns a Series of Segment values, index customer_id.
    """
    spent = yearly_spend(frames, table.index)
    rank = spent.rank(method="first", pct=True)
    conditions = [
        (table["tenure"] <= NEW_DAYS) & (table["orders"] <= 2),
        (table["recency"] > LAPSED_DAYS) | ((table["days_bought"] <= 1) & (table["recency"] > NEW_DAYS)),
        rank > 1 - TOP_SHARE,
        table["discount_share"] >= DISCOUNT_SHARE,
    ]
    names = [Segment.NEW, Segment.AT_RISK, Segment.HIGH_VALUE, Segment.PRICE_SENSITIVE]
    chosen = np.select(
        [condition.to_numpy() for condition in conditions], [str(name) for name in names], default=str(Segment.LOYAL)
    )
    return pd.Series(chosen, index=table.index, name="segment")


def yearly_spend(frames: Frames, customers: pd.Index) -> pd.Series:
    """What each spent in the 365 days up to ``frames.as_of``, major units."""
    orders = frames.orders.dropna(subset=["customer_id"])
    orders = orders[(orders["ordered_at"] > frames.as_of - YEAR) & (orders["ordered_at"] <= frames.as_of)]
    sums = orders.groupby(orders["customer_id"].astype("int64"))["amount"].sum()
    return sums.reindex(customers, fill_value=0.0)


def movements(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """How many went where: before (None: not a customer yet), after, customers; those who stayed included."""
    pairs = pd.DataFrame({"after": after}).join(before.rename("before"))
    counted = pairs.fillna({"before": ""}).groupby(["before", "after"]).size().rename("customers").reset_index()
    counted["before"] = [name or None for name in counted["before"]]
    return counted.astype({"before": object})
