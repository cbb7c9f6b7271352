"""A quote from the console into the chat, and the customer's answer from its page."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from crm import conversations, owners, quotes, session, tickets
from crm.models import Channel, OwnerNotice, Quote, Ticket, TicketKind
from crm.settings import Settings
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor
from tests.gateway.test_console import Console, browser, helper, owner  # noqa: F401 - fixtures
from tests.gateway.test_takeover import conversation_of
from tests.support.factories import a_product

PASSWORD = "correct-horse-battery"
LINK = re.compile(r"https?://\S+(/quotes/\S+)")
SHOWN = re.compile(r'name="shown" value="([0-9a-f]{64})"')


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"owner_password": Settings(_env_file=None, owner_password=PASSWORD).owner_password}
    )


def asked_for_quote(visitor: Visitor) -> tuple[int, int]:
    with session() as opened:
        conversation = conversations.by_public_id(opened, visitor.conversation_id)
        gaiwan = a_product(opened, "Gaiwan <b>", "盖碗", price_minor=4_200)
        ticket = tickets.open_ticket(
            opened, conversation, kind=TicketKind.QUOTE, request_key="q", text="gaiwans", product=gaiwan, quantity=50,
            contact="buyer@example.com", now=now(),
        )  # fmt: skip
        return conversation.id, ticket.id


async def sent(console: Console, visitor: Visitor) -> str:
    """The path of the quote's page, as the chat shows it."""
    conversation, ticket = asked_for_quote(visitor)
    page = (await console.http.get(f"/owner/quotes/new?conversation={conversation}&ticket={ticket}")).text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    title = "盖碗" if "盖碗" in page and "Gaiwan" not in page else "Gaiwan <b>"
    fields = {
        "key": key[1], "conversation": conversation, "ticket": ticket, "title_0": title, "quantity_0": "50",
        "price_0": "", "title_2": "Engraving", "quantity_2": "1", "price_2": "120.00",
        "until": (now() + timedelta(days=10)).date().isoformat(), "note": "Free dispatch.",
    }  # fmt: skip
    checked = await console.sends("/quotes", do="check", **fields)
    assert "2,220.00" in checked.text
    for _ in range(2):
        answer = await console.sends("/quotes", do="send", **fields)
        assert answer.headers["Location"] == f"/owner/conversations/{conversation}"
    found = [found for message in await visitor.history() if (found := LINK.search(message["text"]))]
    assert len(found) == 1
    return str(found[0][1])


@pytest.fixture
async def stranger(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is nobody's."""
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=20) as http:
        yield http


async def test_the_customer_accepts_and_everybody_hears(
    gateway: Gateway,
    owner: Console,  # noqa: F811
    park: Visitor,
    stranger: httpx.AsyncClient,
) -> None:
    await park.hears("a quote for 50 gaiwans")
    with session() as opened:
        code = owners.new_code(opened, now=now())
        assert owners.pair(opened, code, channel=Channel.TELEGRAM, external_id="900", now=now())
    path = await sent(owner, park)
    page = await stranger.get(path)
    assert "Gaiwan &lt;b&gt;" in page.text
    for text in ("S$42.00", "S$2,100.00", "S$2,220.00", "Free dispatch.", "Accept", "Decline"):
        assert text in page.text
    shown = SHOWN.search(page.text)
    assert shown is not None
    for forged in ("", "0" * 64):
        refused = await stranger.post(path, data={"answer": "accept", "shown": forged})
        assert refused.status_code == 409
    crossed = await stranger.post(
        path, data={"answer": "accept", "shown": shown[1]}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert crossed.status_code == 403
    accepted = await stranger.post(path, data={"answer": "accept", "shown": shown[1]})
    assert accepted.status_code == 200
    assert "You accepted this quote" in accepted.text
    assert "<form" not in accepted.text
    assert (await stranger.post(path, data={"answer": "decline", "shown": shown[1]})).status_code == 409
    assert "You accepted the quote over S$2,220.00" in (await park.history())[-1]["text"]
    listed = (await owner.http.get("/owner/quotes")).text
    assert "Accepted" in listed
    assert "Nobody waits for a quote." in listed
    with session() as opened:
        told = [notice.text for notice in opened.scalars(select(OwnerNotice))]
        number = opened.scalars(select(Quote.id)).one()
    assert [text for text in told if "accepted your quote over S$2,220.00" in text]
    assert "Seen to" in listed
    await owner.sends(f"/quotes/{number}", do="done")
    assert "Seen to" not in (await owner.http.get("/owner/quotes")).text


async def test_a_chinese_quote_is_declined_in_chinese(
    owner: Console,  # noqa: F811
    lin: Visitor,
    stranger: httpx.AsyncClient,
) -> None:
    await lin.hears("五十个盖碗什么价")
    path = await sent(owner, lin)
    page = (await stranger.get(path)).text
    assert 'lang="zh-CN"' in page
    assert "獭与纸" in page
    shown = SHOWN.search(page)
    assert shown is not None
    assert "谢绝" in (await stranger.post(path, data={"answer": "decline", "shown": shown[1]})).text
    assert "谢绝" in (await lin.history())[-1]["text"]


async def test_the_page_is_strict_and_a_guess_opens_nothing(
    owner: Console,  # noqa: F811
    park: Visitor,
    stranger: httpx.AsyncClient,
) -> None:
    await park.hears("a quote please")
    path = await sent(owner, park)
    answer = await stranger.get(path)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script|\son\w+=|\sstyle=", answer.text)
    for guess in (path[:-1], path.split(".")[0], "/quotes/x"):
        gone = await stranger.get(guess)
        assert gone.status_code == 404
        assert "Gaiwan" not in gone.text
    with session() as opened:
        quotes.withdraw(opened, opened.scalars(select(Quote.id)).one(), now=now())
    assert (await stranger.get(path)).status_code == 404


async def test_what_cannot_be_read_is_not_sent(
    owner: Console,  # noqa: F811
    helper: Console,  # noqa: F811
    park: Visitor,
    lin: Visitor,
) -> None:
    await park.hears("a quote please")
    await lin.hears("你好")
    conversation, ticket = asked_for_quote(park)
    good = {
        "key": "k" * 32, "conversation": conversation, "ticket": ticket, "title_0": "Cup", "quantity_0": "2",
        "price_0": "3", "until": (now() + timedelta(days=3)).date().isoformat(), "do": "send",
    }  # fmt: skip
    for change in (
        {"quantity_0": "many"},
        {"quantity_0": "0"},
        {"price_0": "-3"},
        {"price_0": ""},
        {"title_0": ""},
        {"until": "2001-01-01"},
        {"until": "9999-12-31"},
        {"key": "short"},
    ):
        assert (await helper.sends("/quotes", **good | change)).status_code == 422, change
    assert (await helper.sends("/quotes", **good | {"conversation": conversation_of(lin).id})).status_code == 404
    assert (await helper.http.post("/owner/quotes", data=good)).status_code == 403
    with session() as opened:
        assert opened.scalars(select(Quote)).all() == []
        assert opened.get_one(Ticket, ticket).status == "open"
    assert (await helper.sends("/quotes", **good)).status_code == 303
