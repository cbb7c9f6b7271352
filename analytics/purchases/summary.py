"""What buy-till-you-die models read: for each customer, how often, how lately, and for how long known."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """Arrays of one length, in days.

    x  : days with a purchase after the first one, ≥ 0
    tx : from the first purchase to the last, 0 where x is 0
    T  : from the first purchase to the moment of looking, ≥ tx
    """

    customers: pd.Index
    x: Floats
    tx: Floats
    T: Floats

    def __len__(self) -> int:
        return len(self.x)


def summary(orders: pd.DataFrame, as_of: datetime) -> Summary:
    """From orders with customer_id and ordered_at (UTC). Several on one day count once; later ones are not seen."""
    known = orders.dropna(subset=["customer_id"])
    known = known[known["ordered_at"] <= as_of]
    days = known["ordered_at"].dt.floor("D")
    groups = days.groupby(known["customer_id"].astype("int64"))
    first, last = groups.min(), groups.max()
    end = pd.Timestamp(as_of).floor("D")
    day = pd.Timedelta(days=1)
    return Summary(
        customers=first.index,
        x=(groups.nunique() - 1).to_numpy(float),
        tx=((last - first) / day).to_numpy(float),
        T=((end - first) / day).to_numpy(float),
    )


def grouped(data: Summary) -> tuple[Summary, Floats]:
    """Each different history once, and how many customers share it: likelihoods are as good and much faster."""
    rows = np.column_stack((data.x, data.tx, data.T))
    different, counts = np.unique(rows, axis=0, return_counts=True)
    x, tx, total = different.T
    return Summary(pd.RangeIndex(len(different)), x, tx, total), counts / counts.sum()
