"""The whole UCI Online Retail file: half a million real rows with every kind of oddity."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

import crm
from crm import migrate
from crm.database import unbind
from crm.importers import SOURCES, Context
from crm.models import Customer, Order, OrderLine, Product
from crm.shop import Shop
from tests.crm.conftest import NOW, ROOT

FILE = ROOT.parent / "shared" / "data" / "online_retail" / "online_retail.csv.gz"
pytestmark = [
    pytest.mark.skipif(not FILE.exists(), reason=f"the Online Retail file is not at {FILE}"),
    pytest.mark.timeout(600),
]
CONTEXT = Context(Shop(currency="GBP", timezone="Europe/London"), NOW)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = crm.bind(f"sqlite:///{tmp_path_factory.mktemp('retail')}/desk.db")
    migrate.upgrade(engine)
    return engine


def test_the_whole_file_goes_in_and_a_second_run_changes_nothing(sqlite: Engine) -> None:
    report = SOURCES["csv"]["orders"](Path(FILE), CONTEXT)
    assert report.rows == 541_909
    assert Counter(refused.reason for refused in report.refused) == {
        "the price is zero or less than the smallest coin": 2_519,
        "the price is negative": 2,
    }
    assert report.refused[0].line == 624
    assert (report.added, report.customers_created, report.products_created) == (23_796, 4_371, 3_817)

    with crm.reading() as session:
        assert session.scalar(select(func.count()).select_from(OrderLine)) == 541_909 - 2_521
        # Quantity × price over all rows is known to be 9,747,747.93; two refused rows are a bad debt of 11,062.06 each.
        sold, returned = session.execute(select(func.sum(Order.total_minor), func.sum(Order.refunded_minor))).one()
        assert sold - returned - 2 * 1_106_206 == 974_774_793
        first = session.scalars(select(Order).where(Order.number == "536365")).one()
        assert first.placed_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
        assert (first.total_minor, first.country) == (13_912, "GB")
        assert session.scalar(select(func.count()).select_from(Customer)) == 4_371
        assert not session.scalars(select(Product).where(Product.title == "POSTAGE")).all()

    again = SOURCES["csv"]["orders"](Path(FILE), CONTEXT)
    assert not again.changed
    assert again.unchanged == report.added
    unbind()
