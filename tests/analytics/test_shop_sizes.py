"""Every model on shops of every size: it works, and says when it is only a rule."""

import numpy as np
import pandas as pd
import pytest

from analytics.forecast.outlooks import outlooks
from analytics.recommendations.lists import recommendations
from analytics.scoring import score
from crm.models import Segment
from tests.support.shops import AS_OF, a_shop, customers_who_buy


def test_an_empty_shop_has_no_scores_and_no_forecast() -> None:
    frames = a_shop()
    assert score(frames) is None
    assert recommendations(frames).rows == []
    assert outlooks(frames).series == []


@pytest.mark.parametrize("customers", [1, 20, 200, 400])
def test_everybody_gets_a_probability_a_segment_and_reasons(customers: int) -> None:
    found = score(a_shop(customers_who_buy(customers)))
    assert found is not None
    table = found.table
    assert len(table) == customers
    assert table["churn_risk"].between(0, 1).all()
    assert set(table["segment"]) <= {str(one) for one in Segment}
    assert (table["expected_orders_365d"] >= table["expected_orders_90d"]).all()
    assert np.isfinite(table[["value_90d", "value_365d", "next_amount", "purchase_intent"]].to_numpy(float)).all()
    assert all(reasons for reasons in table["reasons"])


def test_a_tiny_shop_is_judged_by_a_rule_and_told_so() -> None:
    found = score(a_shop(customers_who_buy(20)))
    assert found is not None
    assert found.churn.fallback
    assert found.churn.method == "recency_rule"


def test_a_shop_whose_orders_are_all_of_one_day_is_no_problem() -> None:
    orders = customers_who_buy(60).assign(ordered_at=pd.Timestamp(AS_OF) - pd.Timedelta(hours=3))
    found = score(a_shop(orders))
    assert found is not None
    assert set(found.table["segment"]) <= {"new", "high_value", "price_sensitive", "loyal"}


def test_who_bought_lately_is_less_at_risk_than_who_fell_silent() -> None:
    found = score(a_shop(customers_who_buy(300)))
    assert found is not None
    recency = found.churn.now.table["recency"]
    risk = found.table["churn_risk"]
    assert risk[recency < 20].mean() < risk[recency > 150].mean() - 0.2
