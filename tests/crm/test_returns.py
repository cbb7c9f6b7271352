"""A return is decided once, told once, and counts from then on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import crm
from crm import conversations, follow_ups, privacy, returns
from crm.models import Author, Channel, Conversation, Customer, Delivery, ReturnRequest, ReturnStatus
from crm.returns import ReturnDecided, ReturnNotFound
from crm.shop import Shop
from tests.support.factories import NOW, an_order, lin

SHOP = Shop(timezone="Asia/Singapore", currency="SGD", default_language="en")
LATER = NOW + timedelta(hours=3)


@pytest.fixture
def session(store: Engine) -> Iterator[Session]:
    with crm.session() as opened:
        yield opened


def _telling(request: ReturnRequest, language: str) -> str:
    return f"{language}: {request.order.number} {request.status} {request.decision_note}"


def _asked(
    session: Session, customer: Customer, *, channel: Channel = Channel.TELEGRAM
) -> tuple[ReturnRequest, Conversation]:
    identity = conversations.identity_of(session, channel, "4711", now=NOW)
    identity.customer_id = customer.id
    conversation = conversations.open_conversation(session, identity, language="zh", now=NOW)
    order = an_order(session, "77", of=customer)
    request = returns.ask(session, conversation, order, request_key="r1", reason="太小了", now=NOW)
    return request, conversation


def _decide(session: Session, number: int, *, approve: bool = True, note: str = "") -> returns.Decided:
    return returns.decide(session, number, approve=approve, by="owner", note=note, telling=_telling, now=LATER)


def test_what_was_asked_for_waits_until_it_is_decided(session: Session) -> None:
    request, conversation = _asked(session, lin(session))
    assert [one.id for one in returns.open_requests(session)] == [request.id]
    assert [one.id for one in returns.open_requests(session, conversation_id=conversation.id)] == [request.id]
    _decide(session, request.id)
    assert returns.open_requests(session) == []
    assert [one.id for one in returns.to_refund(session)] == [request.id]


def test_the_customer_is_told_in_their_language_through_the_outbox(session: Session) -> None:
    request, conversation = _asked(session, lin(session))

    decided = _decide(session, request.id, note="  请寄到厦门  ")

    assert decided.message is not None
    assert decided.message.text == "zh: 77 approved 请寄到厦门"
    assert (decided.message.author, decided.message.delivery) == (Author.BOT, Delivery.PENDING)
    assert decided.message.conversation_id == conversation.id
    assert (request.status, request.decided_by, request.decided_at) == (ReturnStatus.APPROVED, "owner", LATER)


def test_it_is_decided_once(session: Session) -> None:
    request, conversation = _asked(session, lin(session))
    _decide(session, request.id, approve=False)
    with pytest.raises(ReturnDecided):
        _decide(session, request.id)
    with pytest.raises(ReturnDecided):
        returns.note_refund(session, request.id, telling=_telling, now=LATER)
    assert request.status is ReturnStatus.DECLINED
    assert conversation.last_seq == 1
    with pytest.raises(ReturnNotFound):
        _decide(session, 999)


def test_the_rule_tells_only_whom_the_decision_could_not_tell(session: Session) -> None:
    customer = lin(session)
    request, _ = _asked(session, customer)
    _decide(session, request.id)
    elsewhere = ReturnRequest(
        request_key="mail", order=an_order(session, "78", of=customer), reason="x", requested_at=NOW
    )
    session.add(elsewhere)
    session.flush()
    assert _decide(session, elsewhere.id).message is None

    drafts = follow_ups.draft_due(session, SHOP, base_url="https://desk.example", secret="k", now=LATER)

    assert [draft.subject_key for draft in drafts] == [f"return:{elsewhere.id}"]


def test_a_refund_ends_it_and_the_customer_may_be_forgotten(session: Session) -> None:
    customer = lin(session)
    request, _ = _asked(session, customer)
    request.order.fulfillment_status = crm.models.FulfillmentStatus.DELIVERED
    subject = privacy.find(session, f"id:{customer.id}")
    _decide(session, request.id)
    assert privacy.still_needed(session, subject)

    told = returns.note_refund(session, request.id, telling=_telling, now=LATER)

    assert told.message is not None
    assert "refunded" in told.message.text
    assert not privacy.still_needed(session, subject)
    assert [one.id for one in returns.decided(session)] == [request.id]


def test_nothing_is_written_to_somebody_who_was_forgotten(session: Session) -> None:
    customer = lin(session)
    request, conversation = _asked(session, customer)
    privacy.erase(session, privacy.find(session, f"id:{customer.id}"), asked_by="owner", now=NOW)

    decided = _decide(session, request.id, note="a name")

    assert decided.message is None
    assert session.get_one(Conversation, conversation.id).last_seq == 0
