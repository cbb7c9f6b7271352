"""Links that open without a sign-in: forged, used and old ones show nothing and do nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from itsdangerous import Signer, URLSafeSerializer
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import crm
from crm import conversations, links, owner_links, quotes, tickets
from crm.models import LinkPurpose, OneTimeLink, OwnerLink, OwnerLinkKind, Quote, Ticket, TicketKind, TicketStatus
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor

KEY = "a key for the tests"
WORDS = "the teapot of Ms Park's"


def ticket_link(session: Session, park: Visitor) -> str:
    talk = conversations.by_public_id(session, park.conversation_id)
    kind = TicketKind.COMPLAINT
    ticket = tickets.open_ticket(session, talk, kind=kind, request_key="t", text=WORDS, now=now())
    kind_of_link = OwnerLinkKind.CLOSE_TICKET
    return "/owner/do/" + owner_links.make(session, kind_of_link, secret=KEY, now=now(), subject_id=ticket.id)


def quote_link(session: Session, park: Visitor) -> str:
    talk = conversations.by_public_id(session, park.conversation_id)
    session.add(
        Quote(
            public_id="q", conversation_id=talk.id, currency="SGD", language="en", made_at=now(), sent_at=now(),
            lines=[{"title": WORDS, "quantity": 1, "unit_price_minor": 500}], valid_until=now() + timedelta(days=9),
        )
    )  # fmt: skip
    return "/quotes/" + quotes.token_of("q", secret=KEY)


def own_data_link(session: Session, park: Visitor) -> str:
    talk = conversations.by_public_id(session, park.conversation_id)
    return "/my-data/" + links.make(session, talk, LinkPurpose.EXPORT, now=now())


Make = Callable[[Session, Visitor], str]
ALL: list[Make] = [ticket_link, quote_link, own_data_link]


async def made(gateway: Gateway, park: Visitor, make: Make) -> str:
    """The link's path; it is good."""
    await park.says(WORDS)
    with crm.session() as session:
        path = make(session, park)
    assert (await gateway.http.get(path)).status_code == 200
    return path


async def opens_nothing(gateway: Gateway, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await gateway.http.request(method, path, data={"answer": "accept", "shown": "x"})
        assert answer.status_code == 404, (method, answer.text)
        assert WORDS not in answer.text
        assert "Traceback" not in answer.text
    with crm.session() as session:
        assert session.scalars(select(Ticket).where(Ticket.status != TicketStatus.OPEN)).all() == []
        assert session.scalars(select(Quote).where(Quote.accepted_at.is_not(None))).all() == []


async def test_the_stores_own_name_of_a_link_opens_nothing_without_our_signature(
    gateway: Gateway, park: Visitor
) -> None:
    """Whoever has read the database, or a backup of it, cannot use what it holds."""
    for make in ALL:
        await made(gateway, park, make)
    with crm.session() as session:
        nonce = session.scalars(select(OwnerLink.nonce)).one()
        kept = session.scalars(select(OneTimeLink.token_hash)).one()
    unsigned = URLSafeSerializer(KEY).dumps(nonce)
    payload = str(URLSafeSerializer("guess", salt="desk owner link").dumps(nonce))
    for path in (
        f"/owner/do/{nonce}",
        f"/owner/do/{unsigned!s}",
        f"/owner/do/{payload}",
        f"/owner/do/{payload.partition('.')[0]}.",
        "/quotes/q",
        "/quotes/q.",
        "/quotes/" + Signer("guess", salt="desk quote").sign("q").decode(),
        f"/my-data/{kept}",
    ):
        await opens_nothing(gateway, path)


def aged(session: Session) -> None:
    session.execute(update(OwnerLink).values(expires_at=now() - timedelta(seconds=1)))
    session.execute(update(OneTimeLink).values(expires_at=now() - timedelta(seconds=1)))
    session.execute(update(Quote).values(valid_until=now() - timedelta(seconds=1)))


@pytest.mark.parametrize("make", ALL)
async def test_an_old_link_opens_nothing(gateway: Gateway, park: Visitor, make: Make) -> None:
    path = await made(gateway, park, make)
    with crm.session() as session:
        aged(session)
    await opens_nothing(gateway, path)


@pytest.mark.parametrize("make", [ticket_link, own_data_link])
async def test_a_used_link_shows_nothing_any_more(gateway: Gateway, park: Visitor, make: Make) -> None:
    path = await made(gateway, park, make)
    assert (await gateway.http.post(path)).status_code == 200
    for method in ("GET", "POST"):
        answer = await gateway.http.request(method, path)
        assert answer.status_code == 404
        assert WORDS not in answer.text


def test_a_link_is_good_until_its_day(park: Visitor) -> None:
    with crm.session() as session:
        talk = conversations.by_public_id(session, park.conversation_id)
        begun: datetime = now()
        token = links.make(session, talk, LinkPurpose.EXPORT, now=begun)
        ends = session.scalars(select(OneTimeLink.expires_at)).one()
        assert links.look(session, token, LinkPurpose.EXPORT, now=ends - timedelta(seconds=1))
        for purpose, moment in ((LinkPurpose.EXPORT, ends), (LinkPurpose.CONTINUE_ON_TELEGRAM, begun)):
            with pytest.raises(links.LinkGone):
                links.look(session, token, purpose, now=moment)
