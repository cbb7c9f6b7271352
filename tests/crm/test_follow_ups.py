"""Follow-ups on a real store: who is found, who is left alone, what is sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

import crm
from crm import conversations, customers, follow_ups, stock_waits
from crm.models import (
    Author,
    Channel,
    Conversation,
    Customer,
    Delivery,
    FollowUp,
    FollowUpKind,
    FollowUpStatus,
    FulfillmentStatus,
    Message,
    Quote,
    ReturnRequest,
    ReturnStatus,
    StockWait,
)
from crm.shop import Shop
from tests.support.factories import a_product, an_order, lin, park

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in Singapore
NIGHT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 23:00
SHOP = Shop(timezone="Asia/Singapore", currency="SGD", default_language="en")
BASE = "https://desk.example"


@pytest.fixture
def session(store: Engine) -> Iterator[Session]:
    with crm.session() as opened:
        yield opened


def _chat(
    session: Session, customer: Customer | None, *, channel: Channel = Channel.WEB, name: str = "v1"
) -> Conversation:
    identity = conversations.identity_of(session, channel, name, now=NOW)
    identity.customer_id = customer.id if customer else None
    language = (customer.language if customer else None) or "en"
    return conversations.open_conversation(session, identity, language=language, now=NOW)


def _regular(session: Session) -> Customer:
    """Ms Park, who bought the same tea every 30 days and is due again."""
    customer = park(session)
    customer.accepts_marketing = True
    tea = a_product(session, "Oolong", "乌龙")
    for number, days in enumerate((90, 60, 30), start=1):
        an_order(session, f"R{number}", of=customer, lines=(tea,), days_ago=days)
    return customer


def _drafts(session: Session, now: datetime = NOW) -> list[FollowUp]:
    return follow_ups.draft_due(session, SHOP, base_url=BASE, secret="k", now=now)


def _without_control(session: Session) -> None:
    for kind in (FollowUpKind.REPLENISHMENT, FollowUpKind.DELIVERED):
        follow_ups.set_rule(session, kind, now=NOW, control_share=0)


def test_who_buys_the_same_at_a_steady_pace_is_reminded_when_it_is_due(session: Session) -> None:
    _without_control(session)
    _chat(session, _regular(session))

    (draft,) = _drafts(session)

    assert draft.kind is FollowUpKind.REPLENISHMENT
    assert draft.status is FollowUpStatus.DRAFTED
    assert "Oolong" in draft.text
    assert "30 days" in draft.text
    assert "STOP" in draft.text


def test_the_same_occasion_is_drafted_once(session: Session) -> None:
    _chat(session, _regular(session))
    _drafts(session)

    assert _drafts(session, NOW + timedelta(days=1)) == []


def test_without_marketing_consent_nothing_is_drafted(session: Session) -> None:
    customer = _regular(session)
    customer.accepts_marketing = False
    _chat(session, customer)

    assert _drafts(session) == []


def test_a_draft_is_written_in_the_customers_language(session: Session) -> None:
    customer = lin(session)
    order = an_order(session, "77", of=customer)
    session.add(ReturnRequest(request_key="r", order=order, reason="x", status=ReturnStatus.APPROVED, requested_at=NOW))
    _chat(session, customer)

    (draft,) = _drafts(session)

    assert draft.text.startswith("林先生您好，您订单 #77 的退货申请已通过")


def test_an_approved_draft_is_put_into_the_telegram_chat_in_the_owners_words(session: Session) -> None:
    _without_control(session)
    conversation = _chat(session, _regular(session), channel=Channel.TELEGRAM, name="4711")
    (draft,) = _drafts(session)
    follow_ups.approve(session, draft.id, now=NOW, text="Your oolong is here.")

    (sent,) = follow_ups.send_due(session, SHOP, now=NOW)

    message = session.get_one(Message, sent.message_id)
    assert (message.text, message.author, message.delivery) == ("Your oolong is here.", Author.BOT, Delivery.PENDING)
    assert message.conversation_id == conversation.id
    assert follow_ups.send_due(session, SHOP, now=NOW) == []


def test_nothing_is_sent_unless_the_owner_agrees(session: Session) -> None:
    _chat(session, _regular(session))
    _drafts(session)

    assert follow_ups.send_due(session, SHOP, now=NOW) == []


def test_an_automatic_rule_sends_by_itself(session: Session) -> None:
    _without_control(session)
    follow_ups.set_rule(session, FollowUpKind.REPLENISHMENT, now=NOW, automatic=True)
    _chat(session, _regular(session))
    _drafts(session)

    assert len(follow_ups.send_due(session, SHOP, now=NOW)) == 1


def test_what_is_approved_at_night_waits_for_the_morning(session: Session) -> None:
    _without_control(session)
    _chat(session, _regular(session))
    (draft,) = _drafts(session, NIGHT)
    follow_ups.approve(session, draft.id, now=NIGHT)

    assert follow_ups.send_due(session, SHOP, now=NIGHT) == []
    assert draft.due_at == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert len(follow_ups.send_due(session, SHOP, now=draft.due_at)) == 1


def test_one_word_stops_what_was_already_approved(session: Session) -> None:
    _without_control(session)
    conversation = _chat(session, _regular(session))
    (draft,) = _drafts(session)
    follow_ups.approve(session, draft.id, now=NOW)
    customers.stop_marketing(session, conversation, wording="STOP", now=NOW)

    assert follow_ups.send_due(session, SHOP, now=NOW) == []
    assert draft.status is FollowUpStatus.STOPPED


def test_a_customer_hears_from_the_shop_unasked_once_a_fortnight_at_most(session: Session) -> None:
    _without_control(session)
    customer = _regular(session)
    _chat(session, customer)
    (draft,) = _drafts(session)
    follow_ups.approve(session, draft.id, now=NOW)
    follow_ups.send_due(session, SHOP, now=NOW)
    order = an_order(session, "9", of=customer, status=FulfillmentStatus.DELIVERED)
    order.fulfilled_at = NOW + timedelta(days=1)

    assert _drafts(session, NOW + timedelta(days=3)) == []


def test_the_control_group_gets_nothing_and_the_owner_is_not_asked(session: Session) -> None:
    follow_ups.set_rule(session, FollowUpKind.REPLENISHMENT, now=NOW, control_share=0.5)
    for number in range(40):
        customer = park(session)
        customer.accepts_marketing = True
        tea = a_product(session, "Tea", "茶")
        for order, days in enumerate((90, 60, 30)):
            an_order(session, f"{number}-{order}", of=customer, lines=(tea,), days_ago=days)
        _chat(session, customer, name=f"v{number}")

    statuses = [draft.status for draft in _drafts(session)]

    assert 8 <= statuses.count(FollowUpStatus.WITHHELD) <= 32
    assert len(follow_ups.waiting(session)) == statuses.count(FollowUpStatus.DRAFTED)


def test_the_effect_counts_who_bought_within_a_month_in_both_groups(session: Session) -> None:
    drafted_at = NOW - timedelta(days=40)
    for number in range(80):
        customer = park(session)
        withheld = number % 2 == 1
        session.add(
            FollowUp(
                kind=FollowUpKind.REPLENISHMENT,
                subject_key=f"s{number}",
                customer_id=customer.id,
                status=FollowUpStatus.WITHHELD if withheld else FollowUpStatus.SENT,
                language="en",
                text="",
                drafted_at=drafted_at,
                due_at=drafted_at,
                expires_at=drafted_at,
            )
        )
        if number % 4 == 0:
            an_order(session, f"E{number}", of=customer, days_ago=20)
    session.flush()

    effect = follow_ups.effect(session, FollowUpKind.REPLENISHMENT, now=NOW)

    assert (effect.treated, effect.treated_yes, effect.control, effect.control_yes) == (40, 20, 40, 0)
    assert effect.low > 0


def test_an_unanswered_quote_is_asked_about_after_two_days(session: Session) -> None:
    conversation = _chat(session, None)
    session.add(
        Quote(
            public_id="abc",
            conversation_id=conversation.id,
            currency="SGD",
            lines=[],
            language="en",
            made_at=NOW - timedelta(days=3),
            sent_at=NOW - timedelta(days=2),
            valid_until=NOW + timedelta(days=10),
        )
    )
    session.flush()

    (draft,) = _drafts(session)

    assert draft.kind is FollowUpKind.QUOTE_UNANSWERED
    assert f"{BASE}/quotes/abc" in draft.text


def test_a_quote_that_was_answered_is_not_asked_about(session: Session) -> None:
    for number, answer in enumerate(("accepted_at", "declined_at")):
        quote = Quote(
            public_id=f"q{number}",
            conversation_id=_chat(session, None, name=f"v{number}").id,
            currency="SGD",
            lines=[],
            language="en",
            made_at=NOW - timedelta(days=3),
            sent_at=NOW - timedelta(days=2),
            valid_until=NOW + timedelta(days=10),
        )
        setattr(quote, answer, NOW - timedelta(days=1))
        session.add(quote)
    session.flush()

    assert _drafts(session) == []


def test_who_asked_in_vain_is_told_when_it_is_back(session: Session) -> None:
    conversation = _chat(session, None)
    lamp = a_product(session, "Lamp", "灯", stock=0)
    stock_waits.note(session, conversation, lamp, now=NOW - timedelta(days=200))
    stock_waits.note(session, conversation, lamp, now=NOW)
    assert _drafts(session) == []

    lamp.variants[0].inventory = 3
    session.flush()

    (draft,) = _drafts(session)
    assert draft.kind is FollowUpKind.BACK_IN_STOCK
    assert "Lamp" in draft.text

    assert _drafts(session) == []

    tomorrow = NOW + timedelta(days=1)
    stock_waits.note(session, conversation, lamp, now=tomorrow)
    (asked_again,) = _drafts(session, tomorrow)
    assert asked_again.kind is FollowUpKind.BACK_IN_STOCK
    assert session.scalars(select(StockWait)).one().asked_at == tomorrow


def test_a_customer_without_a_chat_is_shown_to_the_owner_but_cannot_be_sent_to(session: Session) -> None:
    _without_control(session)
    _regular(session)
    (draft,) = _drafts(session)

    with pytest.raises(follow_ups.CannotReach):
        follow_ups.approve(session, draft.id, now=NOW)


def test_a_draft_nobody_decided_on_runs_out(session: Session) -> None:
    _without_control(session)
    _chat(session, _regular(session))
    (draft,) = _drafts(session)

    follow_ups.send_due(session, SHOP, now=NOW + timedelta(days=11))

    assert draft.status is FollowUpStatus.EXPIRED
    with pytest.raises(follow_ups.FollowUpDecided):
        follow_ups.approve(session, draft.id, now=NOW)


def test_a_rule_that_is_switched_off_finds_nobody(session: Session) -> None:
    _chat(session, _regular(session))
    follow_ups.set_rule(session, FollowUpKind.REPLENISHMENT, now=NOW, enabled=False)

    assert _drafts(session) == []
    assert session.scalars(select(FollowUp)).all() == []
