"""A quote is told once, opened only by its own link, and answered once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import crm
from crm import conversations, follow_ups, handoffs, quotes, tickets
from crm.models import Author, Channel, Conversation, Delivery, FollowUpStatus, HandoffReason, Ticket, TicketKind
from crm.quotes import QuoteChanged, QuoteGone, QuoteLine, QuoteState, Told
from crm.shop import Shop
from tests.support.factories import NOW, a_product

SHOP = Shop(timezone="Asia/Singapore", currency="SGD", default_language="en")
SECRET = "a key"
LINES = [QuoteLine("Gaiwan 盖碗", 50, 3_550), QuoteLine("Engraving", 1, 12_000)]
END = NOW + timedelta(days=14)


@pytest.fixture
def session(store: Engine) -> Iterator[Session]:
    with crm.session() as opened:
        yield opened


@pytest.fixture
def conversation(session: Session) -> Conversation:
    identity = conversations.identity_of(session, Channel.TELEGRAM, "4711", now=NOW)
    return conversations.open_conversation(session, identity, language="zh", now=NOW)


def _asked(session: Session, conversation: Conversation) -> Ticket:
    handoffs.hand_off(session, conversation, reason=HandoffReason.REQUEST, summary="", now=NOW)
    return tickets.open_ticket(
        session, conversation, kind=TicketKind.QUOTE, request_key="q", text="gaiwans", quantity=50, now=NOW
    )


def _send(session: Session, conversation: Conversation, *, name: str = "n" * 32, ticket: Ticket | None = None) -> Told:
    told = quotes.send(
        session, conversation, public_id=name, lines=LINES, currency="SGD", note="Free dispatch.", valid_until=END,
        ticket=ticket, telling=lambda quote: f"{quote.language} {quotes.total_minor(quote)}", now=NOW,
    )  # fmt: skip
    assert told is not None
    return told


def _link(told: Told) -> str:
    return quotes.token_of(told.quote.public_id, secret=SECRET)


def _answer(session: Session, told: Told, *, accept: bool, shown: str | None = None) -> Told:
    shown = shown if shown is not None else quotes.answer_token(told.quote, secret=SECRET)
    return quotes.answer(
        session, _link(told), accept=accept, shown=shown, secret=SECRET, telling=lambda _: "noted", now=NOW
    )


def test_it_goes_into_the_chat_and_ends_the_wait(session: Session, conversation: Conversation) -> None:
    ticket = _asked(session, conversation)
    told = _send(session, conversation, ticket=ticket)
    assert (told.message.text, told.message.author) == ("zh 189500", Author.BOT)
    assert told.message.delivery is Delivery.PENDING
    assert told.quote.ticket_id == ticket.id
    assert quotes.requests(session) == []
    assert handoffs.open_handoff(session, conversation) is None


def test_somebody_who_waits_for_more_than_a_quote_goes_on_waiting(session: Session, conversation: Conversation) -> None:
    ticket = _asked(session, conversation)
    tickets.open_ticket(session, conversation, kind=TicketKind.COMPLAINT, request_key="c", text="late", now=NOW)
    _send(session, conversation, ticket=ticket)
    assert handoffs.open_handoff(session, conversation) is not None


def test_a_form_sent_twice_sends_one_quote(session: Session, conversation: Conversation) -> None:
    _send(session, conversation)
    again = quotes.send(
        session, conversation, public_id="n" * 32, lines=LINES, currency="SGD", note="", valid_until=END, ticket=None,
        telling=lambda _: "twice", now=NOW,
    )  # fmt: skip
    assert again is None
    assert conversation.last_seq == 1


def test_only_its_own_link_opens_it(session: Session, conversation: Conversation) -> None:
    told = _send(session, conversation)
    assert quotes.read(session, _link(told), secret=SECRET, now=NOW).id == told.quote.id
    others = (told.quote.public_id, f"{told.quote.public_id}.x", _link(told)[:-1], "", "é" * 500)
    for forged in (*others, quotes.token_of(told.quote.public_id, secret="another")):
        with pytest.raises(QuoteGone):
            quotes.read(session, forged, secret=SECRET, now=NOW)


def test_it_runs_out_and_can_be_withdrawn(session: Session, conversation: Conversation) -> None:
    told = _send(session, conversation)
    with pytest.raises(QuoteGone):
        quotes.read(session, _link(told), secret=SECRET, now=END)
    assert quotes.state(told.quote, now=END) is QuoteState.RAN_OUT
    quotes.withdraw(session, told.quote.id, now=NOW)
    with pytest.raises(QuoteGone):
        _answer(session, told, accept=True)


@pytest.mark.parametrize(("accept", "state"), [(True, QuoteState.ACCEPTED), (False, QuoteState.DECLINED)])
def test_it_is_answered_once(session: Session, conversation: Conversation, accept: bool, state: QuoteState) -> None:
    told = _send(session, conversation)
    assert _answer(session, told, accept=accept).message.text == "noted"
    with pytest.raises(QuoteChanged):
        _answer(session, told, accept=not accept)
    assert quotes.state(told.quote, now=NOW) is state
    assert conversation.last_seq == 2
    quotes.withdraw(session, told.quote.id, now=NOW)
    assert quotes.state(told.quote, now=NOW) is state


def test_what_was_not_shown_is_not_accepted(session: Session, conversation: Conversation) -> None:
    told = _send(session, conversation)
    before = quotes.answer_token(told.quote, secret=SECRET)
    told.quote.note = "Dispatch is charged."
    for shown in ("", "x" * 64, before):
        with pytest.raises(QuoteChanged):
            _answer(session, told, accept=True, shown=shown)
    assert quotes.state(told.quote, now=NOW) is QuoteState.OPEN


def test_the_reminder_leads_to_the_quote_and_is_dropped_by_an_answer(
    session: Session, conversation: Conversation
) -> None:
    told = _send(session, conversation)
    later = NOW + timedelta(days=2, hours=1)
    (draft,) = follow_ups.draft_due(session, SHOP, base_url="https://desk.example", secret=SECRET, now=later)
    assert f"https://desk.example/quotes/{_link(told)}" in draft.text
    _answer(session, told, accept=False)
    session.refresh(draft)
    assert draft.status is FollowUpStatus.EXPIRED


def test_the_catalogue_offers_each_variant_by_name(session: Session) -> None:
    a_product(session, "Oolong", "乌龙", price_minor=1_800)
    a_product(session, "Elsewhere", "别处", currency="USD")
    assert quotes.catalogue_prices(session, "zh", "SGD") == {"乌龙": 1_800}
