"""A shop in which whatever somebody else can set tries to run in the owner's browser."""

from datetime import timedelta

from sqlalchemy import JSON, String, TypeDecorator, select
from sqlalchemy.orm import Session

from crm import conversations, feedback, follow_ups, handoffs, links, owner_links, quotes, returns, tickets
from crm.models import (
    Author,
    Channel,
    Conversation,
    FollowUp,
    FollowUpKind,
    FulfillmentStatus,
    HandoffReason,
    Lesson,
    LessonKind,
    LessonStatus,
    LinkPurpose,
    OwnerLinkKind,
    Quote,
    Shipment,
    TicketKind,
)
from crm.models.base import Base
from crm.types import now
from tests.support.factories import a_customer, a_product, an_article, an_order

MARKUP = (
    "<script>__pwned()</script>\"><img src=x onerror=__pwned()>'><svg/onload=__pwned()></textarea></title>"
    "<a href='javascript:__pwned()'>a</a>[b](javascript:__pwned()) **c** ${__pwned()} {{7*7}} {% raw %} {0.x} %(x)s"
    "<iframe srcdoc='<script>parent.__pwned()</script>'></iframe><style>*{display:none}</style>&lt;b&gt;-->\u2028"
)
ADDRESS = 'javascript:__pwned()//"><img src=x onerror=__pwned()>'
ADDRESSES = frozenset("image_url url tracking_url page_url image".split())
# What only our own code sets, from a list of its own; everything else is somebody's words until it is named here.
OURS = frozenset(
    """language currency source country channel linked_by label reason_code what method status kind key topic series
    address model worker lease_owner seed digest intent model_id password_hash week key_id public_id token_hash
    code_hash nonce pseudonym request_key subject_key html text_of_digest short_text client_id slug""".split()
)
OUR_TABLES = frozenset(
    """alerts analyses data_key digests digest_deliveries digest_pictures erasures import_progress model_runs
    owner_accounts owner_links preferences recommendations revisions shown_recommendations staff staff_sessions
    sign_in_failures sharing_reports verification_attempts message_sentiments""".split()
)


def fill(session: Session) -> None:
    """At least one row of everything that the console shows, each text of which is then hostile."""
    began = now() - timedelta(days=1)
    tea = a_product(session, "Tea", "茶", currency="SGD", stock=0)
    pot = a_product(session, "Pot", "壶", currency="SGD")
    customer = a_customer(session, "Ms Park", "park@example.com", phone="+6591230001")
    other = a_customer(session, "Lin", "lin@example.org", language="zh")
    order = an_order(session, "1001", of=customer, lines=(tea, pot), status=FulfillmentStatus.UNFULFILLED)
    sent = an_order(session, "1002", of=customer, lines=(tea,))
    an_order(session, "1003", of=other, lines=(pot,))
    for each in (order, sent):
        each.placed_at = began
    session.add(Shipment(order_id=sent.id, carrier="x", tracking_number="x", tracking_url="x", shipped_at=began))
    for language in ("en", "zh"):
        an_article(session, "delivery", "x", "x", language=language, questions=("x", "y"))
    talks = [_a_talk(session, number) for number in range(3)]
    talks[0].identity.customer_id = customer.id
    kinds = [*TicketKind]
    for number, kind in enumerate(kinds):
        tickets.open_ticket(
            session, talks[number % 3], kind=kind, request_key=f"t{number}", text="x", order=order, product=tea,
            quantity=5, contact="x", now=began,
        )  # fmt: skip
    for number, each in enumerate((order, sent)):
        returns.ask(session, talks[0], each, request_key=f"r{number}", reason="x", now=began)
    for number, kind in enumerate(FollowUpKind):
        session.add(
            FollowUp(
                kind=kind, subject_key=str(number), customer_id=customer.id, conversation_id=talks[0].id,
                language="en", text="x", drafted_at=began, due_at=began, expires_at=began + timedelta(days=9),
            )
        )  # fmt: skip
    for number, moment in enumerate((None, began)):
        session.add(
            Quote(
                public_id=f"q{number}", conversation_id=talks[0].id, currency="SGD", language="en", made_at=began,
                lines=[{"title": "x", "quantity": 2, "unit_price_minor": 500}], note="x", sent_at=began,
                valid_until=now() + timedelta(days=9), accepted_at=moment,
            )
        )  # fmt: skip
    for number, status in enumerate(LessonStatus):
        session.add(
            Lesson(
                kind=LessonKind.ARTICLE, status=status, language="en", questions=["x"], title="x", answer="x",
                slug=f"lesson-{number}", made_by="x", made_at=began, messages=[],
            )
        )  # fmt: skip
    session.flush()
    assert follow_ups.waiting(session)
    make_hostile(session)


def _a_talk(session: Session, number: int) -> Conversation:
    began = now() - timedelta(hours=number + 1)
    channel = (Channel.WEB, Channel.TELEGRAM)[number % 2]
    identity = conversations.identity_of(session, channel, f"v{number}", now=began)
    identity.display_name = "x"
    talk = conversations.open_conversation(session, identity, language=("en", "zh")[number % 2], now=began)
    talk.page_url = "x"
    asked, _ = conversations.receive(session, talk, text="x", external_id=f"m{number}", now=began)
    buttons, cards = [{"title": "x", "payload": "/x"}], [{"title": "x", "text": "x", "image": "x", "url": "x"}]
    reply = conversations.Reply("x", buttons=buttons, cards=cards, image="x")
    conversations.answer(session, talk, [asked], [reply], None, now=began)
    asked.intent, asked.confidence = "out_of_scope", 0.1
    conversations.add_message(session, talk, conversations.Reply("x"), author=Author.OWNER, now=began)
    handoffs.hand_off(session, talk, reason=HandoffReason.ANGRY, summary="x", now=began)
    feedback.give(session, talk, score=1, now=began, comment="x")
    return talk


def make_hostile(session: Session) -> None:
    """Sets every text of every row that is not our own code's."""
    number = 0
    for mapper in Base.registry.mappers:
        if mapper.local_table.name in OUR_TABLES:  # type: ignore[attr-defined]
            continue
        for row in session.scalars(select(mapper.class_)):
            for name, column in mapper.columns.items():
                held = getattr(row, name)
                if held is None or name in OURS or column.primary_key or column.foreign_keys:
                    continue
                number += 1
                if isinstance(held, list | dict):
                    setattr(row, name, _leaves(held, number))
                elif isinstance(held, str) and _is_text(column.type):
                    setattr(row, name, hostile(name, number))
    assert number > 100
    session.flush()


def _is_text(kind: object) -> bool:
    inner = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return isinstance(inner, String) and type(inner).__name__ != "Enum" and not isinstance(inner, JSON)


def hostile(name: str, number: int) -> str:
    """Numbered, since some texts may stand only once."""
    return ADDRESS + str(number) if name in ADDRESSES else f"{number} {MARKUP}"


def _leaves(thing: object, number: int, name: str = "") -> object:
    if isinstance(thing, dict):
        return {key: _leaves(value, number, key) for key, value in thing.items()}
    if isinstance(thing, list):
        return [_leaves(value, number, name) for value in thing]
    return hostile(name, number) if isinstance(thing, str) and name not in OURS else thing


def public_links(session: Session, secret: str) -> list[str]:
    """Paths of the pages that links in mails and chats lead to."""
    talk, follow_up = session.get_one(Conversation, 1), session.scalars(select(FollowUp)).first()
    assert follow_up is not None
    subjects = {OwnerLinkKind.CLOSE_TICKET: 1}
    found = [
        "/owner/do/"
        + owner_links.make(
            session, kind, secret=secret, now=now(), subject_id=subjects.get(kind, follow_up.id),
            data={"questions": [MARKUP, MARKUP], "language": "en", "messages": []},
        )
        for kind in OwnerLinkKind
    ]  # fmt: skip
    found += ["/quotes/" + quotes.token_of(quote.public_id, secret=secret) for quote in session.scalars(select(Quote))]
    return [*found, "/my-data/" + links.make(session, talk, LinkPurpose.EXPORT, now=now())]
