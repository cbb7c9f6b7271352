"""The heavy per-customer stages on a Dask cluster: the same functions on parts of the customers, put together again.

A feature of a customer depends on nothing but that customer's own rows and the catalogue, so customers can be shared
out among machines. Without ``DESK_DASK_SCHEDULER`` everything runs here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from analytics.churn.methods import Blend, Logistic, Method
from analytics.churn.windows import Window
from analytics.features import features
from analytics.frames import Frames
from analytics.purchases.summary import Floats

PARTS_PER_WORKER = 2
SHARED = ("customers", "products")


class Here:
    """Computes in this process."""

    def features(self, frames: Frames) -> pd.DataFrame:
        return features(frames)

    def risk(self, method: Method, now: Window) -> Floats:
        """The churn risk of each customer of the window."""
        return method.risk(now)


class Cluster(Here):
    """Computes on the workers of a Dask cluster; results are equal to those of ``Here``."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def _parts(self) -> int:
        return max(1, PARTS_PER_WORKER * len(self._client.scheduler_info(n_workers=-1)["workers"]))

    def features(self, frames: Frames) -> pd.DataFrame:
        parts = list(shared_out(frames, self._parts()))
        done = self._client.gather(self._client.map(features, parts, pure=False))
        return pd.concat([one for one in done if len(one)] or done[:1]).sort_index()

    def risk(self, method: Method, now: Window) -> Floats:
        """Only what a model learnt is scored in parts; buy-till-you-die sets its level over all customers at once."""
        if not isinstance(method, (Logistic, Blend)) or not len(now.table):
            return method.risk(now)
        edges = np.linspace(0, len(now.table), self._parts() + 1).astype(int)
        parts = [now.table.iloc[start:end] for start, end in pairwise(edges) if end > start]
        futures = self._client.map(method.risk_of, parts, pure=False)
        return np.concatenate(self._client.gather(futures))


@contextmanager
def computing(scheduler: str | None) -> Iterator[Here]:
    """Where to compute: on the cluster at ``tcp://host:8786``, or here without one."""
    if not scheduler:
        yield Here()
        return
    from distributed import Client

    with Client(scheduler) as client:  # type: ignore[no-untyped-call]
        yield Cluster(client)


def shared_out(frames: Frames, parts: int) -> Iterator[Frames]:
    """The same frames for each of ``parts`` groups of customers; every customer is in exactly one."""
    tables = [one.name for one in fields(frames) if isinstance(getattr(frames, one.name), pd.DataFrame)]
    for number in range(parts):
        yield replace(
            frames,
            **{
                name: table[(table["customer_id"] % parts == number).fillna(False).to_numpy(bool)]
                for name in tables
                if name not in SHARED
                for table in (getattr(frames, name),)
            },
        )
