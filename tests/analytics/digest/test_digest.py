"""The week's digest from a real store, through a real SMTP server."""

import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy import Engine, select

import crm
from analytics.digest import building, delivery, mail
from analytics.digest.links import PreviewLinks
from crm import conversations, feedback, handoffs, owner_links, returns, tickets
from crm.errors import ConfigError
from crm.models import (
    Author,
    Channel,
    ComplaintTopic,
    Conversation,
    DigestDeliveryState,
    HandoffReason,
    Order,
    OrderLine,
    OwnerLink,
    Quote,
    ReturnStatus,
    ShownRecommendation,
    TicketKind,
)
from crm.recommendations import Reason, Recommendation
from crm.settings import Settings
from crm.shop import Shop
from crm.shown_recommendations import note_shown
from crm.weeks import Week
from tests.support.factories import a_customer, a_product, an_order, lin, park
from tests.support.serving import free_port

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SHOP = Shop.model_validate(
    {"name": "Tea House", "timezone": "Asia/Singapore", "currency": "SGD", "contact_email": "tea@example.com"}
)
WEEK = Week.parse("2026-W47", SHOP.zone)
SECRET = "a key for the tests"
BASE = "https://desk.example"


@dataclass
class Mailbox:
    """A mail server that keeps what it gets, and refuses while ``refusing`` is set."""

    port: int
    refusing: bool = False
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802
        if self.refusing:
            return "451 come back later"
        content = envelope.content
        assert isinstance(content, bytes)
        arrived = message_from_bytes(content, policy=policy.default)
        assert isinstance(arrived, EmailMessage)
        self.mails.append(arrived)
        return "250 kept"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def settings(mailbox: Mailbox) -> Settings:
    return Settings(
        _env_file=None,
        owner_email="owner@example.com",
        smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
        secret_key=SECRET,
        public_url=BASE,
    )


@pytest.fixture
def a_week(store: Engine) -> None:
    """Two orders, a complaint that was handed over and answered, and one rating."""
    began = WEEK.starts_at + timedelta(days=1)
    with crm.session() as session:
        tea = a_product(session, "Oolong", "乌龙", price_minor=2_000)
        buyer = lin(session)
        for number, days in (("1", 3), ("2", 4)):
            an_order(session, number, of=buyer, lines=(tea,), days_ago=days)
        an_order(session, "0", of=park(session), lines=(tea,), days_ago=20)
        identity = conversations.identity_of(session, Channel.WEB, "v", now=began)
        conversation = conversations.open_conversation(session, identity, language="en", now=began)
        line, _ = conversations.receive(
            session, conversation, text="<script>alert(1)</script> broken!", external_id="1", now=began
        )
        conversations.answer(session, conversation, [line], [conversations.Reply("Sorry")], None, now=began)
        tickets.open_ticket(
            session, conversation, kind=TicketKind.COMPLAINT, request_key="c", text=line.text, now=began
        )
        handoffs.hand_off(session, conversation, reason=HandoffReason.ANGRY, summary="", now=began)
        conversations.add_message(
            session,
            conversation,
            conversations.Reply("Let me see"),
            author=Author.OWNER,
            now=began + timedelta(minutes=90),
        )
        feedback.give(session, conversation, score=4, now=began)


def _stored() -> int:
    with crm.session() as session:
        return building.store(session, SHOP, WEEK, base_url=BASE, secret=SECRET, now=NOW).id


def _text() -> str:
    with crm.reading() as session:
        return building.build(session, SHOP, WEEK, links=PreviewLinks(BASE), now=NOW).rendered.text


@pytest.mark.usefixtures("a_week")
def test_the_figures_are_those_of_the_shops_own_week() -> None:
    text = _text()

    assert "S$40.00 from 2 orders" in text
    assert "Handed to you: 1" in text
    assert "Your answer after: 90 minutes" in text
    assert "4.0 of 5 — from 1 rating: too few to tell" in text


@pytest.mark.usefixtures("a_week")
def test_complaints_are_named_by_what_they_are_about() -> None:
    with crm.session() as session:
        for topic, messages in (("refund", 1), ("damaged", 4), ("other", 9)):
            row = ComplaintTopic(week=WEEK.monday, language="en", topic=topic, terms=[], messages=messages)
            session.add(row)

    assert "1 complaint this week, mostly about damage, refunds." in _text()


@pytest.mark.usefixtures("a_week")
def test_returns_to_decide_on_and_accepted_quotes_are_named_with_their_pages() -> None:
    asked = WEEK.starts_at + timedelta(days=2)
    with crm.session() as session:
        conversation = session.scalars(select(Conversation)).one()
        orders = session.scalars(select(Order)).all()
        for number, (order, status) in enumerate(
            zip(orders, (ReturnStatus.REQUESTED, ReturnStatus.APPROVED), strict=False)
        ):
            request = returns.ask(session, conversation, order, request_key=f"r{number}", reason="x", now=asked)
            request.status = status
        for number, seen_to in enumerate((None, asked)):
            session.add(
                Quote(
                    public_id=f"q{number}", conversation_id=conversation.id, currency="SGD", lines=[], language="en",
                    made_at=asked, sent_at=asked, valid_until=NOW, accepted_at=asked, seen_to_at=seen_to,
                )
            )  # fmt: skip

    text = _text()

    assert "Return to decide on" in text
    assert "Quote accepted, not seen to yet" in text
    assert text.count("1 waits, for") == 2
    assert f"{BASE}/owner/returns" in text
    assert f"{BASE}/owner/quotes" in text


@pytest.mark.usefixtures("a_week")
def test_with_few_customers_the_digest_does_not_say_that_recommendations_help() -> None:
    with crm.session() as session:
        shown_to = session.scalars(select(Order.customer_id)).first()
        conversation = session.scalars(select(Conversation)).first()
        product = session.scalars(select(OrderLine.product_id)).first()
        assert conversation is not None
        session.add(
            ShownRecommendation(
                conversation_id=conversation.id, customer_id=shown_to, product_id=product, rank=1, reason="popular",
                shown_at=WEEK.ends_at - timedelta(days=40), personal=True,
            )
        )  # fmt: skip

    text = _text()
    assert "Personal recommendations: " in text
    assert "too few to tell (1 and 0 customers so far)" in text


@pytest.mark.usefixtures("a_week")
def test_with_enough_customers_the_digest_says_what_recommendations_bring_in() -> None:
    with crm.session() as session:
        tea = a_product(session, "Pu-erh", "普洱", price_minor=2_000)
        identity = conversations.identity_of(session, Channel.WEB, "asks", now=NOW)
        talk = conversations.open_conversation(session, identity, language="en", now=NOW)
        for number in range(80):
            person, personal = a_customer(session, f"r{number}", f"r{number}@example.org"), number < 40
            shown = Recommendation(tea, Reason.POPULAR)
            days = timedelta(days=40)
            note_shown(session, talk, [shown], customer_id=person.id, now=WEEK.ends_at - days, personal=personal)
            if number % 40 < (30 if personal else 10):
                order = an_order(session, f"r{number}", of=person, lines=(tea,))
                order.placed_at = WEEK.ends_at - timedelta(days=30)

    text = _text()
    assert "Personal recommendations: 75% bought within 30 days, 25% of those shown bestsellers" in text
    assert re.search(r"50% more \(\d+% to \d+%\); S\$10\.00 per customer \(S\$\d\.\d\d to S\$1\d\.\d\d\)", text), text


@pytest.mark.usefixtures("a_week")
def test_the_digest_speaks_chinese_to_an_owner_who_does() -> None:
    shop = SHOP.model_copy(update={"default_language": "zh"})
    with crm.reading() as session:
        text = building.build(session, shop, WEEK, links=PreviewLinks(BASE), now=NOW).rendered.text

    assert "2 笔订单" in text
    assert "2026年11月16日" in text
    assert not re.search(r"(?m)^(Sales|Orders|Complaints)", text)


@pytest.mark.usefixtures("store")
def test_an_empty_week_is_said_in_one_sentence() -> None:
    text = _text()

    assert "A quiet week" in text
    assert "0" not in text.split("--")[0].replace("2026", "")


@pytest.mark.usefixtures("a_week")
def test_the_mail_holds_text_html_and_its_pictures(settings: Settings, mailbox: Mailbox) -> None:
    (outcome,) = delivery.deliver(_stored(), settings, SHOP, clock=lambda: NOW)

    assert outcome.state is DigestDeliveryState.SENT
    (arrived,) = mailbox.mails
    assert arrived["To"] == "owner@example.com"
    assert arrived["From"] == "Tea House <tea@example.com>"
    html = arrived.get_body(("html",))
    plain = arrived.get_body(("plain",))
    assert html is not None
    assert plain is not None
    assert "2 orders" in plain.get_content()
    pictures = {part["Content-ID"].strip("<>") for part in arrived.walk() if part.get_content_type() == "image/png"}
    assert pictures == set(re.findall(r'src="cid:(\w+)"', html.get_content()))
    assert pictures


@pytest.mark.usefixtures("a_week")
def test_what_customers_wrote_cannot_run_in_the_mail(settings: Settings, mailbox: Mailbox) -> None:
    delivery.deliver(_stored(), settings, SHOP, clock=lambda: NOW)

    html = mailbox.mails[0].get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


@pytest.mark.usefixtures("a_week")
def test_a_digest_is_sent_once_however_often_it_is_asked_for(settings: Settings, mailbox: Mailbox) -> None:
    for _ in range(3):
        delivery.deliver(_stored(), settings, SHOP, clock=lambda: NOW)

    assert len(mailbox.mails) == 1


@pytest.mark.usefixtures("a_week")
def test_a_mail_that_was_refused_is_sent_by_the_next_try(settings: Settings, mailbox: Mailbox) -> None:
    mailbox.refusing = True
    (failed,) = delivery.deliver(_stored(), settings, SHOP, clock=lambda: NOW)
    mailbox.refusing = False
    (sent,) = delivery.deliver(_stored(), settings, SHOP, clock=lambda: NOW)

    assert (failed.state, sent.state) == (DigestDeliveryState.FAILED, DigestDeliveryState.SENT)
    assert len(mailbox.mails) == 1


@pytest.mark.usefixtures("a_week")
def test_a_process_that_died_while_sending_is_followed_by_one_that_sends(
    settings: Settings, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest_id = _stored()

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("analytics.digest.mail.send", dies)
        with pytest.raises(KeyboardInterrupt):
            delivery.deliver(digest_id, settings, SHOP, clock=lambda: NOW)
    (at_once,) = delivery.deliver(digest_id, settings, SHOP, clock=lambda: NOW)
    (later,) = delivery.deliver(digest_id, settings, SHOP, clock=lambda: NOW + delivery.GIVEN_UP_AFTER)

    assert (at_once.state, later.state) == (DigestDeliveryState.SENDING, DigestDeliveryState.SENT)
    assert len(mailbox.mails) == 1


def test_a_password_is_not_sent_to_a_stranger_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def __enter__(self) -> "Plain":
            return self

        def __exit__(self, *_: object) -> None: ...

        def ehlo(self) -> None: ...

        def has_extn(self, _name: str) -> bool:
            return False

        def login(self, *_: str) -> None:
            raise AssertionError("the password left the house")

    server = mail.Server.parse("smtp://me:secret@mail.example.com")
    monkeypatch.setattr(mail, "_connect", lambda *_: Plain())

    with pytest.raises(smtplib.SMTPException, match="no TLS"):
        mail.send(EmailMessage(), server)


def test_an_address_of_a_mail_server_that_makes_no_sense_is_named() -> None:
    with pytest.raises(ConfigError, match="DESK_SMTP_URL"):
        mail.Server.parse("mail.example.com:25")


@pytest.mark.usefixtures("store")
def test_without_any_way_to_the_owner_sending_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="DESK_OWNER_EMAIL"):
        delivery.deliver(_stored(), Settings(_env_file=None), SHOP, clock=lambda: NOW)


@pytest.mark.usefixtures("a_week")
def test_a_preview_keeps_nothing_and_its_pictures_lie_beside_it(tmp_path: Path) -> None:
    with crm.reading() as session:
        files = building.preview(session, SHOP, WEEK, tmp_path / "out", base_url=BASE, now=NOW)

    names = {file.name for file in files}
    assert {"digest.html", "digest.txt", "sales.png"} <= names
    assert 'src="sales.png"' in (tmp_path / "out" / "digest.html").read_text(encoding="utf-8")
    with crm.reading() as session:
        assert building.stored(session, WEEK) is None
        assert session.query(OwnerLink).count() == 0


@pytest.mark.usefixtures("a_week")
def test_every_button_in_the_mail_is_a_link_that_works_once(settings: Settings, mailbox: Mailbox) -> None:
    delivery.deliver(_stored(), settings, SHOP, clock=lambda: NOW)
    plain = mailbox.mails[0].get_body(("plain",))
    assert plain is not None
    tokens = re.findall(rf"{BASE}/owner/do/(\S+)", plain.get_content())

    assert tokens
    with crm.session() as session:
        for token in tokens:
            owner_links.use(session, token, secret=SECRET, now=NOW)


@pytest.mark.usefixtures("a_week")
def test_a_digest_built_again_before_it_was_sent_leaves_no_dead_buttons() -> None:
    _stored()
    with crm.reading() as session:
        first = session.query(OwnerLink).count()
    _stored()

    with crm.reading() as session:
        assert session.query(OwnerLink).count() == first
