"""Alerts on a real store: noticed once, told together, never at night."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

import crm
from crm import alerts, conversations, handoffs, owners, tickets
from crm.models import (
    Alert,
    AlertKind,
    Analysis,
    AnalysisStatus,
    Channel,
    Conversation,
    CustomerScore,
    HandoffReason,
    MessageSentiment,
    OwnerNotice,
    Segment,
    TicketKind,
)
from crm.shop import Shop
from tests.support.factories import lin

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SHOP = Shop(timezone="Asia/Singapore", currency="SGD")
BASE = "https://desk.example"


@pytest.fixture
def session(store: Engine) -> Iterator[Session]:
    with crm.session() as opened:
        yield opened


@pytest.fixture
def phone(session: Session) -> None:
    """The owner's Telegram account, paired."""
    code = owners.new_code(session, now=NOW)
    assert owners.pair(session, code, channel=Channel.TELEGRAM, external_id="99", now=NOW)


def _chat(session: Session, name: str, at: datetime = NOW) -> Conversation:
    identity = conversations.identity_of(session, Channel.WEB, name, now=at)
    return conversations.open_conversation(session, identity, language="en", now=at)


def _complains(session: Session, number: int, at: datetime) -> None:
    conversation = _chat(session, f"c{number}-{at}", at)
    tickets.open_ticket(
        session, conversation, kind=TicketKind.COMPLAINT, request_key=f"{number}-{at}", text="Broken", now=at
    )


def _told(session: Session) -> list[str]:
    return [notice.text for notice in session.scalars(select(OwnerNotice).order_by(OwnerNotice.id))]


def test_a_sudden_rise_of_complaints_is_noticed_once(session: Session) -> None:
    for number in range(4):
        _complains(session, number, NOW - timedelta(hours=number))

    (alert,) = alerts.notice(session, now=NOW)

    assert (alert.kind, alert.data["number"]) == (AlertKind.COMPLAINTS_RISING, 4)
    assert alerts.notice(session, now=NOW + timedelta(minutes=10)) == []


def test_the_usual_number_of_complaints_is_no_news(session: Session) -> None:
    for day in range(1, 29):
        for number in range(4):
            _complains(session, number, NOW - timedelta(days=day, hours=1))
    for number in range(5):
        _complains(session, number, NOW - timedelta(hours=number))

    assert alerts.notice(session, now=NOW) == []


def test_an_angry_customer_of_high_value_is_named_with_the_way_to_the_chat(session: Session, phone: None) -> None:
    customer = lin(session)
    analysis = Analysis(as_of=NOW, started_at=NOW, status=AnalysisStatus.COMPLETE)
    session.add(analysis)
    session.flush()
    session.add(
        CustomerScore(
            analysis_id=analysis.id, customer_id=customer.id, churn_risk=0.4, segment=Segment.HIGH_VALUE,
            expected_orders_90d=1.0, expected_orders_365d=4.0, value_90d_minor=1, value_365d_minor=1,
            next_amount_minor=1, purchase_intent=0.5, reasons=[],
        )
    )  # fmt: skip
    conversation = _chat(session, "v")
    conversation.identity.customer_id = customer.id
    line, _ = conversations.receive(session, conversation, text="!", external_id="1", now=NOW)
    session.add(MessageSentiment(message_id=line.id, label="negative", score=-0.95, model="test"))
    session.flush()

    alerts.notice(session, now=NOW)
    alerts.tell(session, SHOP, base_url=BASE, now=NOW)

    (text,) = _told(session)
    assert "林先生" in text
    assert f"{BASE}/owner/conversations/{conversation.public_id}" in text


def test_several_things_are_told_in_one_message_and_not_again_at_once(session: Session, phone: None) -> None:
    for number in range(4):
        _complains(session, number, NOW)
    conversation = _chat(session, "down")
    handoffs.hand_off(session, conversation, reason=HandoffReason.DESK_DOWN, summary="", now=NOW)
    alerts.notice(session, now=NOW)

    assert alerts.tell(session, SHOP, base_url=BASE, now=NOW) == 2
    session.add(Alert(key="more", kind=AlertKind.PAYMENT_TROUBLE, data={"number": 3}, opened_at=NOW))
    assert alerts.tell(session, SHOP, base_url=BASE, now=NOW + timedelta(minutes=5)) == 0
    assert alerts.tell(session, SHOP, base_url=BASE, now=NOW + timedelta(minutes=31)) == 1
    assert len(_told(session)) == 2


def test_without_a_paired_phone_nothing_counts_as_told(session: Session) -> None:
    session.add(Alert(key="k", kind=AlertKind.MODEL_DRIFT, data={"model": "churn"}, opened_at=NOW))

    assert alerts.tell(session, SHOP, base_url=BASE, now=NOW) == 0
    assert session.scalars(select(Alert)).one().notified_at is None
