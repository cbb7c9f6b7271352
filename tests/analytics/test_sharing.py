"""Figures that leave the shop: people counted once, hidden by noise, within a budget."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

import crm
from analytics.sharing import BudgetSpent, noisy, sharing_report
from crm import conversations
from crm.errors import CrmError
from crm.models import Channel, Feedback, SharingReport
from crm.weekly_people import WeeklyPeople, weekly_people
from crm.weeks import Week
from tests.support import factories
from tests.support.factories import NOW

WEEK = Week.containing(NOW, ZoneInfo("Asia/Singapore"))
LATER = NOW + timedelta(days=8)
PEOPLE = WeeklyPeople(writing=400, handed_off=20, buying=100, rating=90, satisfied=80)


def test_a_person_counts_once_however_much_they_do_and_under_all_accounts(store: Engine) -> None:
    with crm.session() as session:
        park = factories.park(session)
        factories.an_order(session, "1", of=park)
        factories.an_order(session, "2", of=park)
        for channel in (Channel.WEB, Channel.TELEGRAM):
            identity = conversations.identity_of(session, channel, f"{channel}", now=NOW)
            identity.customer_id = park.id
            talk = conversations.open_conversation(session, identity, language="en", now=NOW)
            for n in range(3):
                conversations.receive(session, talk, text="hi", external_id=f"{channel}{n}", now=NOW)
            session.add(Feedback(conversation_id=talk.id, score=5, given_at=NOW))
        stranger = conversations.identity_of(session, Channel.WEB, "v", now=NOW)
        talk = conversations.open_conversation(session, stranger, language="en", now=NOW)
        conversations.receive(session, talk, text="hi", external_id="v", now=NOW)
    with crm.reading() as session:
        assert weekly_people(session, WEEK) == WeeklyPeople(2, 0, 1, 1, 1)
        assert weekly_people(session, WEEK.before(1)) == WeeklyPeople(0, 0, 0, 0, 0)


def test_the_noise_is_as_large_as_it_says() -> None:
    """Of 400 draws at epsilon 1 about 95 in 100 lie within the stated distance; none is the exact table."""
    drawn = [noisy(PEOPLE, epsilon=1.0) for _ in range(400)]
    within = sum(abs(figures["writing"] - 400) <= figures["off_by_at_most"] for figures in drawn)
    assert within >= 400 * 0.88
    assert len({figures["writing"] for figures in drawn}) > 10
    exact = {"writing": 400, "handed_off": 20, "buying": 100, "rating": 90, "satisfied": 80}
    assert sum(exact.items() <= figures.items() for figures in drawn) < 5
    assert all(figures["satisfied_share"] <= 1 for figures in drawn)


def test_less_privacy_costs_more_and_blurs_less() -> None:
    assert noisy(PEOPLE, epsilon=5.0)["off_by_at_most"] < noisy(PEOPLE, epsilon=0.1)["off_by_at_most"]


def test_a_week_is_told_once_and_the_budget_ends(store: Engine) -> None:
    with crm.session() as session:
        first = sharing_report(session, WEEK, epsilon=0.6, budget=1.0, now=LATER)
        again = sharing_report(session, WEEK, epsilon=0.6, budget=1.0, now=LATER)
        assert again.figures == first.figures
        with pytest.raises(BudgetSpent, match=r"0\.40 is left"):
            sharing_report(session, WEEK.before(1), epsilon=0.6, budget=1.0, now=LATER)
        sharing_report(session, WEEK.before(1), epsilon=0.4, budget=1.0, now=LATER)
        assert len(session.scalars(select(SharingReport)).all()) == 2
        next_year = LATER + timedelta(days=366)
        assert sharing_report(session, WEEK.before(2), epsilon=1.0, budget=1.0, now=next_year).epsilon == 1.0


def test_a_week_that_is_not_over_is_not_told(store: Engine) -> None:
    with crm.session() as session, pytest.raises(CrmError, match="not over"):
        sharing_report(session, WEEK, epsilon=0.1, budget=1.0, now=NOW)
