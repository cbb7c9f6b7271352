"""Features and scores on a Dask cluster of two workers: the same to the last digit as without one."""

from collections.abc import Iterator

import pandas as pd
import pytest

from analytics.cluster import computing, shared_out
from analytics.features import features
from analytics.scoring import score
from tests.support.shops import NOTHING, a_shop, customers_who_buy

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster.scheduler_address


def _shop() -> tuple[pd.DataFrame, pd.DataFrame]:
    orders = customers_who_buy(260)
    said = orders[["customer_id", "ordered_at"]].iloc[::3].reset_index(drop=True)
    messages = pd.DataFrame(
        {
            "message_id": range(1, len(said) + 1), "conversation_id": said["customer_id"],
            "customer_id": said["customer_id"].astype("Int64"), "sent_at": pd.to_datetime(said["ordered_at"], utc=True),
            "author": ["customer", "bot"] * (len(said) // 2) + ["customer"] * (len(said) % 2), "channel": "web",
            "language": "en", "intent": "thank", "sentiment": 0.3,
        },
        columns=list(NOTHING["messages"]),
    )  # fmt: skip
    return orders, messages


@pytest.mark.filterwarnings("default")
def test_a_cluster_gives_the_same_features_and_scores(scheduler: str) -> None:
    orders, messages = _shop()
    frames = a_shop(orders, messages=messages)
    here = score(frames)
    with computing(scheduler) as on:
        pd.testing.assert_frame_equal(on.features(frames), features(frames))
        there = score(frames, on=on)
    assert here is not None
    assert there is not None
    pd.testing.assert_frame_equal(here.table, there.table)


def test_every_customer_goes_to_exactly_one_part() -> None:
    orders, messages = _shop()
    parts = list(shared_out(a_shop(orders, messages=messages), 5))
    owners = [set(part.orders["customer_id"]) for part in parts]
    assert sum(map(len, owners)) == len(set(orders["customer_id"]))
    assert sum(len(part.messages) for part in parts) == len(messages)
