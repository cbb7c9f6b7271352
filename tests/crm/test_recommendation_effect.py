"""What recommendations do is remembered and measured against those who are shown what sells just now."""

from datetime import timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

import crm
from crm import conversations
from crm.effects import Verdict
from crm.models import (
    Channel,
    Conversation,
    Customer,
    FinancialStatus,
    Product,
    ShownRecommendation,
)
from crm.recommendation_effect import recommendation_effect
from crm.recommendations import Reason, Recommendation, recommend
from crm.shown_recommendations import is_personal, note_clicked, note_shown
from tests.support.factories import NOW, a_customer, a_product, an_order, chen, lin


def _talk(session: Session, name: str = "v") -> Conversation:
    identity = conversations.identity_of(session, Channel.WEB, name, now=NOW)
    return conversations.open_conversation(session, identity, language="en", now=NOW)


def _shown(
    session: Session, talk: Conversation, product: Product, to: Customer, days_ago: int, personal: bool = True
) -> None:
    item = Recommendation(product, Reason.POPULAR)
    at = NOW - timedelta(days=days_ago)
    note_shown(session, talk, [item], customer_id=to.id, now=at, personal=personal)
    session.flush()


def test_what_was_shown_often_and_never_taken_comes_last(store: Engine) -> None:
    with crm.session() as session:
        tea, cup = a_product(session, "Tea", "茶"), a_product(session, "Cup", "杯")
        an_order(session, "1", of=chen(session), lines=(tea, cup))
        an_order(session, "2", of=chen(session), lines=(tea,))
        customer, talk = lin(session), _talk(session)
        assert recommend(session, now=NOW, customer_id=customer.id)[0].product is tea
        for days_ago in (3, 2, 1):
            _shown(session, talk, tea, customer, days_ago)
        found = recommend(session, now=NOW, customer_id=customer.id)
        assert [item.product for item in found] == [cup, tea]
        note_clicked(session, talk, tea.id, now=NOW)
        session.flush()
        assert recommend(session, now=NOW, customer_id=customer.id)[0].product is tea


def test_a_click_is_noted_once_and_only_where_it_was_recommended(store: Engine) -> None:
    with crm.session() as session:
        tea, customer, talk = a_product(session, "Tea", "茶"), lin(session), _talk(session)
        _shown(session, talk, tea, customer, 1)
        note_clicked(session, _talk(session, "other"), tea.id, now=NOW)
        note_clicked(session, talk, tea.id, now=NOW - timedelta(hours=1))
        note_clicked(session, talk, tea.id, now=NOW)
        shown = session.scalars(select(ShownRecommendation)).one()
        assert shown.clicked_at == NOW - timedelta(hours=1)


def test_what_was_sent_back_is_never_offered(store: Engine) -> None:
    with crm.session() as session:
        tea, cup = a_product(session, "Tea", "茶"), a_product(session, "Cup", "杯")
        an_order(session, "1", of=chen(session), lines=(tea, cup))
        customer = lin(session)
        an_order(session, "2", of=customer, lines=(tea,), days_ago=300).financial_status = FinancialStatus.REFUNDED
        session.flush()
        for personal in (True, False):
            found = recommend(session, now=NOW, customer_id=customer.id, personal=personal)
            assert [item.product for item in found] == [cup]


def test_the_effect_compares_the_groups_as_they_were_drawn(store: Engine) -> None:
    with crm.session() as session:
        tea, talk = a_product(session, "Tea", "茶", price_minor=2_000), _talk(session)
        for number in range(80):
            person = a_customer(session, str(number), f"{number}@example.org")
            personal = number < 40
            _shown(session, talk, tea, person, 50, personal)
            if number % 40 < (30 if personal else 10):
                an_order(session, str(number), of=person, lines=(tea,), days_ago=40)
            an_order(session, f"late{number}", of=person, lines=(tea,), days_ago=5)
        found = recommendation_effect(session, "SGD", now=NOW)
        assert (found.buyers.treated_yes, found.buyers.control_yes) == (30, 10)
        assert found.buyers.verdict is found.money_minor.verdict is Verdict.MORE
        assert found.money_minor.difference == 1_000
        assert found.money_minor.low < 1_000 < found.money_minor.high


def test_with_few_customers_nothing_is_claimed(store: Engine) -> None:
    with crm.session() as session:
        assert not recommendation_effect(session, "SGD", now=NOW).begun
        tea, person = a_product(session, "Tea", "茶"), lin(session)
        _shown(session, _talk(session), tea, person, 50)
        found = recommendation_effect(session, "SGD", now=NOW)
        assert found.begun
        assert found.buyers.verdict is found.orders.verdict is Verdict.TOO_FEW


def test_about_a_fifth_is_held_out() -> None:
    held_out = sum(not is_personal(customer_id) for customer_id in range(5_000))
    assert 900 < held_out < 1_100
