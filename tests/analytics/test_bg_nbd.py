"""Against published figures: CDNOW, 2,357 customers, 39 weeks to fit."""

import pandas as pd
import pytest

from analytics.purchases import bg_nbd, pareto_nbd
from analytics.purchases.summary import Summary
from tests.support.open_data import open_data

FILE = open_data("cdnow/cdnow_customers_summary.csv")


@pytest.fixture(scope="module")
def cdnow() -> Summary:
    if not FILE.exists():
        pytest.skip(f"the CDNOW summary is not at {FILE}")
    table = pd.read_csv(FILE)
    return Summary(pd.Index(table["ID"]), *(table[name].to_numpy(float) for name in ("frequency", "recency", "T")))


def test_the_published_parameters_are_found(cdnow: Summary) -> None:
    model = bg_nbd.fit(cdnow)
    # Fader, Hardie & Lee (2005), table 2.
    assert (model.r, model.alpha, model.a, model.b) == (
        pytest.approx(0.2426, abs=5e-4),
        pytest.approx(4.4136, abs=5e-3),
        pytest.approx(0.7929, abs=3e-3),
        pytest.approx(2.4259, abs=1e-2),
    )


def test_the_expected_orders_of_the_papers_example_customer_are_told(cdnow: Summary) -> None:
    # x = 2, t_x = 30.43, T = 38.86 weeks, the next 39 weeks: 1.226 (section 5 of the authors' spreadsheet note).
    one = Summary(pd.RangeIndex(1), *(pd.Series([value]).to_numpy(float) for value in (2, 30.43, 38.86)))
    assert bg_nbd.fit(cdnow).expected_orders(one, 39.0)[0] == pytest.approx(1.226, abs=2e-3)


def test_pareto_nbd_finds_its_published_parameters(cdnow: Summary) -> None:
    model = pareto_nbd.fit(cdnow)
    # Fader, Hardie & Lee (2005), table 2: r .553, alpha 10.578, s .606, beta 11.669.
    assert (model.r, model.alpha, model.s, model.beta) == (
        pytest.approx(0.553, abs=5e-3),
        pytest.approx(10.578, abs=0.05),
        pytest.approx(0.606, abs=5e-3),
        pytest.approx(11.669, abs=0.15),
    )


def test_who_bought_once_is_alive_but_may_well_buy_nothing(cdnow: Summary) -> None:
    model = bg_nbd.fit(cdnow)
    once = cdnow.x == 0
    assert (model.alive(cdnow)[once] == 1).all()
    assert model.buys_within(cdnow, 13.0)[once].max() < 0.6
