"""A whole analysis on a real store: seen only when it is whole, never two at once, undone when it dies."""

import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

import crm
from analytics import lease, run
from analytics.lease import AnalysisRuns
from benchmarks.made_up_shop import AS_OF, fill
from crm import scores
from crm.models import Alert, Analysis, AnalysisStatus, CustomerScore, ModelName, ModelRun, Order, Recommendation
from crm.shop import Shop

SHOP = Shop(currency="CNY", timezone="Asia/Shanghai")


def _rows(model: type[CustomerScore] | type[ModelRun] | type[Recommendation]) -> int:
    with crm.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_an_empty_store_is_analysed_without_a_word_of_complaint(store: Engine) -> None:
    analysis_id = run.analyse(SHOP, as_of=AS_OF, now=AS_OF)
    with crm.reading() as session:
        newest = scores.latest(session)
        assert newest is not None
        assert newest.id == analysis_id
        assert newest.counts["orders"] == 0


def test_what_an_analysis_found_is_read_back_with_the_run_that_it_came_from(store: Engine) -> None:
    fill(store, orders=300, messages=300)
    run.analyse(SHOP, as_of=AS_OF, now=AS_OF)
    with crm.reading() as session:
        newest = scores.latest(session)
        assert newest is not None
        score = session.scalars(select(CustomerScore).where(CustomerScore.analysis_id == newest.id).limit(1)).one()
        assert scores.score_of(session, score.customer_id) is score
        assert scores.reason_text(score.reasons[0], "en")
        assert scores.reason_text(score.reasons[0], "zh") != scores.reason_text(score.reasons[0], "en")
        serving = [one for one in scores.model_runs(session, newest) if one.champion]
        assert {one.model for one in serving} >= {ModelName.CHURN, ModelName.FORECAST, ModelName.RECOMMENDATIONS}
        assert all(one.data_until == AS_OF and one.versions["pandas"] for one in serving)
        assert len(scores.forecast(session, newest)) == 30


def test_a_run_of_the_past_sees_nothing_later_and_does_not_replace_the_present(store: Engine) -> None:
    fill(store, orders=300, messages=0)
    present = run.analyse(SHOP, as_of=AS_OF, now=AS_OF)
    past = run.analyse(SHOP, as_of=AS_OF - timedelta(days=200), now=AS_OF)
    with crm.reading() as session:
        known = session.scalar(
            select(func.count()).select_from(Order).where(Order.placed_at <= AS_OF - timedelta(days=200))
        )
        assert session.get_one(Analysis, past).counts["orders"] == known
        newest, last = scores.latest(session), scores.last_run(session)
        assert newest is not None
        assert last is not None
        assert (newest.id, last.id) == (present, past)


def test_two_never_run_at_once(store: Engine) -> None:
    lease.begin(AS_OF, AS_OF)
    with pytest.raises(AnalysisRuns):
        lease.begin(AS_OF, AS_OF + timedelta(seconds=30))


def test_one_whose_process_is_no_more_need_not_be_waited_for(store: Engine) -> None:
    dead = lease.begin(AS_OF, AS_OF)
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    with crm.session() as session:
        session.get_one(Analysis, dead).worker = f"{socket.gethostname()}:{ended.stdout.strip()}"
    assert lease.begin(AS_OF, AS_OF + timedelta(seconds=1)) > dead


def test_one_that_was_killed_is_undone_by_the_next(store: Engine) -> None:
    fill(store, orders=60, messages=0)
    dead = lease.begin(AS_OF, AS_OF)
    with crm.session() as session:
        session.add(
            ModelRun(
                analysis_id=dead, model=ModelName.CHURN, method="bg_nbd", champion=True, data_until=AS_OF, rows=1,
                finished_at=AS_OF,
            )
        )  # fmt: skip
    run.analyse(SHOP, as_of=AS_OF, now=AS_OF + timedelta(minutes=10))
    with crm.reading() as session:
        assert session.get_one(Analysis, dead).status is AnalysisStatus.FAILED
        assert not session.scalars(select(ModelRun).where(ModelRun.analysis_id == dead)).all()


def test_one_that_fails_leaves_the_results_before_it_in_force(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, orders=60, messages=0)
    good = run.analyse(SHOP, as_of=AS_OF, now=AS_OF)
    before = _rows(CustomerScore)

    def breaks(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(run.storing, "write_forecasts", breaks)
    with pytest.raises(OSError, match="disk"):
        run.analyse(SHOP, as_of=AS_OF + timedelta(days=1), now=AS_OF)
    assert _rows(CustomerScore) == before
    with crm.reading() as session:
        newest = scores.latest(session)
        assert newest is not None
        assert newest.id == good


def test_a_daily_run_keeps_the_methods_of_the_weekly_one(store: Engine) -> None:
    fill(store, orders=1500, messages=0)
    weekly = run.analyse(SHOP, as_of=AS_OF - timedelta(days=1), now=AS_OF)
    daily = run.analyse(SHOP, as_of=AS_OF, now=AS_OF, daily=True)
    with crm.reading() as session:
        methods = [
            {
                one.model: one.method
                for one in scores.model_runs(session, session.get_one(Analysis, which))
                if one.champion
            }
            for which in (weekly, daily)
        ]
        tried = [one for one in scores.model_runs(session, session.get_one(Analysis, daily)) if one.model == "churn"]
    assert methods[0]["churn"] == methods[1]["churn"]
    assert len(tried) == 1


def test_a_model_that_got_clearly_worse_is_reported_once(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, orders=600, messages=0)
    run.analyse(SHOP, as_of=AS_OF - timedelta(days=1), now=AS_OF)
    monkeypatch.setattr(run, "DRIFT_FACTOR", 0.5)  # as if everything before had been half as wrong
    for _ in range(2):
        run.analyse(SHOP, as_of=AS_OF, now=AS_OF)
    with crm.reading() as session:
        keys = session.scalars(select(Alert.key)).all()
    assert "model_drift:forecast:2026-11-22" in keys
    assert len(keys) == len(set(keys))
