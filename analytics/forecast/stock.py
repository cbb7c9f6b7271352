"""When products run out at the rate at which they sell."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from analytics.frames import Frames

LOOK_BACK_DAYS = 56
TELL_AHEAD_DAYS = 60
# Mail about a product that sold twice in two months would be noise.
FEWEST_SOLD = 3


@dataclass(frozen=True)
class RunsOut:
    """``expected_on`` at the mean rate, ``earliest_on`` at the rate's upper 90 % bound."""

    product_id: int
    stock: int
    sold_per_week: float
    expected_on: date
    earliest_on: date


def stock_outs(frames: Frames) -> list[RunsOut]:
    """Active products with counted stock that are expected to be sold out within 60 days, soonest first."""
    start = pd.Timestamp(frames.as_of) - pd.Timedelta(days=LOOK_BACK_DAYS)
    sold = frames.lines[frames.lines["ordered_at"] > start].groupby("product_id")["quantity"].agg(["sum", "size"])
    counted = frames.products[frames.products["active"] & frames.products["stock"].notna()].set_index("product_id")
    today = pd.Timestamp(frames.as_of).tz_convert(frames.zone).date()
    found = []
    for product_id, row in counted.join(sold, how="inner").iterrows():
        if row["size"] < FEWEST_SOLD:
            continue
        stock, rate = max(0, int(row["stock"])), float(row["sum"]) / LOOK_BACK_DAYS
        # Orders come by chance: a Poisson count of n has a spread of sqrt(n), in units of what an order holds.
        upper = rate * (1 + 1.2816 / float(np.sqrt(row["size"])))
        if stock / rate <= TELL_AHEAD_DAYS:
            found.append(
                RunsOut(
                    product_id=int(product_id),
                    stock=stock,
                    sold_per_week=rate * 7,
                    expected_on=today + timedelta(days=int(stock / rate)),
                    earliest_on=today + timedelta(days=int(stock / upper)),
                )
            )
    return sorted(found, key=lambda one: one.expected_on)
