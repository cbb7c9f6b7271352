"""A person's own data behind a link from the chat."""

import pytest
from sqlalchemy import select

from crm import conversations, links, session
from crm.models import Disclosure, LinkPurpose
from crm.types import now
from tests.gateway.conftest import Gateway
from tests.support import factories


async def a_link(gateway: Gateway) -> str:
    visitor = await gateway.visitor(language="en")
    await visitor.says("where is my order", wait=None)
    with session() as opened:
        conversation = conversations.by_public_id(opened, visitor.conversation_id)
        park = factories.park(opened)
        factories.an_order(opened, "1001", of=park)
        factories.an_order(opened, "1002", of=factories.lin(opened))
        conversation.identity.customer_id = park.id
        return links.make(opened, conversation, LinkPurpose.EXPORT, now=now())


async def test_looking_does_not_use_it_up_and_the_button_gives_everything_once(gateway: Gateway) -> None:
    token = await a_link(gateway)
    for _ in range(2):
        page = await gateway.http.get(f"/my-data/{token}")
        assert (page.status_code, "<button>Download</button>" in page.text) == (200, True)
        assert "park@example.com" not in page.text
        assert page.headers["Cache-Control"] == "no-store"
    file = await gateway.http.post(f"/my-data/{token}")
    assert file.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    found = file.json()
    assert found["customer"]["email"] == "park@example.com"
    assert [order["number"] for order in found["orders"]] == ["1001"]
    assert found["conversations"][0]["messages"][0]["text"] == "where is my order"
    assert "lin@example.org" not in file.text
    assert (await gateway.http.post(f"/my-data/{token}")).status_code == 404
    with session() as opened:
        assert opened.scalars(select(Disclosure.what)).all() == ["export"]


@pytest.mark.parametrize("token", ["nonsense", "a" * 32, "a" * 5_000, "..%2f..%2fetc", "' OR 1=1 --"])
async def test_any_other_link_opens_nothing(gateway: Gateway, token: str) -> None:
    for answer in (await gateway.http.get(f"/my-data/{token}"), await gateway.http.post(f"/my-data/{token}")):
        assert answer.status_code == 404


async def test_a_telegram_link_does_not_open_data(gateway: Gateway) -> None:
    visitor = await gateway.visitor()
    with session() as opened:
        conversation = conversations.by_public_id(opened, visitor.conversation_id)
        token = links.make(opened, conversation, LinkPurpose.CONTINUE_ON_TELEGRAM, now=now())
    assert (await gateway.http.post(f"/my-data/{token}")).status_code == 404
