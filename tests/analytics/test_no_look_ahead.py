"""Nothing after the moment is seen: whatever comes later, features, scores and segments of then stay the same."""

from datetime import timedelta

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.features import features
from analytics.segments.rules import segments
from tests.support.shops import AS_OF, NOTHING, a_shop, customers_who_buy, empty

THEN = AS_OF - timedelta(days=100)
ORDERS = customers_who_buy(40, until=AS_OF)
MOMENT = pd.Timestamp(THEN)

later_orders = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.floats(0.001, 99),
        st.floats(0.01, 1e5, allow_nan=False),
        st.floats(0, 50, allow_nan=False),
    ),
    max_size=30,
)
later_refunds = st.lists(st.tuples(st.integers(1, 60), st.floats(0.001, 99), st.floats(0.01, 1e4)), max_size=10)
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _past() -> pd.DataFrame:
    return ORDERS[ORDERS["ordered_at"] <= THEN]


@quick
@given(later_orders, later_refunds)
def test_later_orders_and_refunds_change_no_feature_and_no_segment(
    orders: list[tuple[int, float, float, float]], refunds: list[tuple[int, float, float]]
) -> None:
    added = pd.DataFrame(
        [(who, MOMENT + pd.Timedelta(days=days), amount, discount) for who, days, amount, discount in orders],
        columns=["customer_id", "ordered_at", "amount", "discount"],
    )
    given_back = empty(*NOTHING["refunds"])
    if refunds:
        given_back = pd.DataFrame(
            [(who, MOMENT + pd.Timedelta(days=days), amount) for who, days, amount in refunds],
            columns=["customer_id", "refunded_at", "amount"],
        )
    alone = a_shop(_past(), as_of=THEN)
    together = pd.concat([_past(), added], ignore_index=True) if len(added) else _past()
    with_later = a_shop(together, refunds=given_back).before(THEN)

    pd.testing.assert_frame_equal(features(alone), features(with_later))
    pd.testing.assert_series_equal(segments(alone, features(alone)), segments(with_later, features(with_later)))


@quick
@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0.001, 90), st.floats(-1, 1)), min_size=1, max_size=20))
def test_later_messages_and_complaints_change_no_feature(said: list[tuple[int, float, float]]) -> None:
    messages = pd.DataFrame(
        [
            (number, number, who, MOMENT + pd.Timedelta(days=days), "customer", "web", "en", "complaint", mood)
            for number, (who, days, mood) in enumerate(said, start=1)
        ],
        columns=list(NOTHING["messages"]),
    )
    complaints = pd.DataFrame(
        [(who, MOMENT + pd.Timedelta(days=days)) for who, days, _ in said], columns=list(NOTHING["complaints"])
    )
    before = features(a_shop(_past(), as_of=THEN))
    after = features(a_shop(ORDERS, messages=messages, complaints=complaints).before(THEN))
    pd.testing.assert_frame_equal(before, after)
