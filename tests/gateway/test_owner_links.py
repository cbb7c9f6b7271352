"""One-time links as the owner's phone opens them."""

from datetime import timedelta

import pytest

import crm
from crm import knowledge, owner_links
from crm.models import (
    FollowUp,
    FollowUpKind,
    FollowUpStatus,
    KnowledgeArticle,
    OwnerLinkKind,
    Ticket,
    TicketKind,
    TicketStatus,
)
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor


def _secret(gateway: Gateway) -> str:
    return gateway.parts.settings.require("secret_key")


def _follow_up(conversation_id: int | None, text: str = "Your tea is back <b>soon</b>.") -> int:
    moment = now()
    with crm.session() as session:
        draft = FollowUp(
            kind=FollowUpKind.BACK_IN_STOCK,
            subject_key=text,
            conversation_id=conversation_id,
            language="en",
            text=text,
            drafted_at=moment,
            due_at=moment,
            expires_at=moment + timedelta(days=7),
        )
        session.add(draft)
        session.flush()
        return draft.id


def _link(gateway: Gateway, kind: OwnerLinkKind, subject_id: int | None = None, **more: object) -> str:
    with crm.session() as session:
        token = owner_links.make(session, kind, secret=_secret(gateway), now=now(), subject_id=subject_id, **more)  # type: ignore[arg-type]
    return f"/owner/do/{token}"


def _conversation(visitor: Visitor) -> int:
    with crm.reading() as session:
        return crm.conversations.by_public_id(session, visitor.conversation_id).id


async def test_looking_at_a_link_does_nothing(gateway: Gateway, park: Visitor) -> None:
    draft = _follow_up(_conversation(park))
    link = _link(gateway, OwnerLinkKind.SEND_FOLLOW_UP, draft)

    for _ in range(2):
        page = await gateway.http.get(link)
        assert page.status_code == 200
        assert "back &lt;b&gt;soon&lt;/b&gt;" in page.text
    with crm.reading() as session:
        assert session.get_one(FollowUp, draft).status is FollowUpStatus.DRAFTED


async def test_the_button_sends_the_owners_own_words_once(gateway: Gateway, park: Visitor) -> None:
    draft = _follow_up(_conversation(park))
    link = _link(gateway, OwnerLinkKind.SEND_FOLLOW_UP, draft)

    done = await gateway.http.post(link, data={"text": "Your tea is back."})
    again = await gateway.http.post(link, data={"text": "Twice?"})

    assert done.status_code == 200
    assert again.status_code == 404
    with crm.reading() as session:
        kept = session.get_one(FollowUp, draft)
        assert (kept.status, kept.text) == (FollowUpStatus.APPROVED, "Your tea is back.")


async def test_a_follow_up_that_was_dismissed_meanwhile_is_not_sent(gateway: Gateway, park: Visitor) -> None:
    draft = _follow_up(_conversation(park))
    send = _link(gateway, OwnerLinkKind.SEND_FOLLOW_UP, draft)
    await gateway.http.post(_link(gateway, OwnerLinkKind.DISMISS_FOLLOW_UP, draft))

    answer = await gateway.http.post(send, data={"text": "Hello"})

    assert answer.status_code == 409
    with crm.reading() as session:
        assert session.get_one(FollowUp, draft).status is FollowUpStatus.DISMISSED


async def test_an_answer_becomes_an_article_that_is_found(gateway: Gateway) -> None:
    data = {"questions": ["Do you engrave cups?"], "language": "en"}
    link = _link(gateway, OwnerLinkKind.ADD_ARTICLE, data=data)

    empty = await gateway.http.post(link, data={"title": "Engraving cups", "text": "  "})
    done = await gateway.http.post(link, data={"title": "Engraving cups", "text": "Yes, up to twelve letters."})

    assert (empty.status_code, done.status_code) == (422, 200)
    with crm.reading() as session:
        article = session.query(KnowledgeArticle).one()
        assert article.questions == ["Do you engrave cups?"]
        found = knowledge.look_up(session, "can you engrave a cup for me", language="en")
        assert found is not None


async def test_a_complaint_can_be_ticked_off(gateway: Gateway) -> None:
    with crm.session() as session:
        ticket = Ticket(request_key="t", kind=TicketKind.COMPLAINT, text="Broken", opened_at=now())
        session.add(ticket)
        session.flush()
        ticket_id = ticket.id

    done = await gateway.http.post(_link(gateway, OwnerLinkKind.CLOSE_TICKET, ticket_id))

    assert done.status_code == 200
    with crm.reading() as session:
        assert session.get_one(Ticket, ticket_id).status is TicketStatus.DONE


@pytest.mark.parametrize("token", ["x", "preview", "ImFiYyI.forged-signature", "a" * 5_000, "%20"])
async def test_a_link_that_is_not_ours_does_nothing_and_says_so(gateway: Gateway, token: str) -> None:
    for answer in (await gateway.http.get(f"/owner/do/{token}"), await gateway.http.post(f"/owner/do/{token}")):
        assert answer.status_code == 404
        assert "<h1>" in answer.text


async def test_an_expired_link_does_nothing(gateway: Gateway, park: Visitor) -> None:
    draft = _follow_up(_conversation(park))
    with crm.session() as session:
        token = owner_links.make(
            session,
            OwnerLinkKind.SEND_FOLLOW_UP,
            secret=_secret(gateway),
            now=now() - owner_links.KEEPS - timedelta(seconds=1),
            subject_id=draft,
        )

    assert (await gateway.http.post(f"/owner/do/{token}")).status_code == 404
    with crm.reading() as session:
        assert session.get_one(FollowUp, draft).status is FollowUpStatus.DRAFTED


async def test_the_page_is_neither_kept_nor_told_to_others(gateway: Gateway) -> None:
    page = await gateway.http.get(_link(gateway, OwnerLinkKind.DISMISS))

    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
