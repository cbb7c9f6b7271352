"""The event stream: nothing missed, nothing twice, nobody held up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import Engine

from crm import conversations, handoffs, session
from crm.conversations import Reply
from crm.models import Author, HandoffReason
from crm.settings import Settings
from crm.types import now
from gateway import events
from gateway.bus import MOST_UNREAD, Bus, Event, Kind, TooSlow
from tests.gateway.conftest import Gateway, Visitor, gateway_with
from tests.gateway.test_messages import code_of
from tests.support.fake_rasa import FakeRasa


class Stream:
    """One open tab."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.comments = 0

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next event of those kinds, with its ``id``."""
        async with asyncio.timeout(10):
            event: dict[str, Any] = {}
            async for line in self._lines:
                if line.startswith(":"):
                    self.comments += 1
                name, _, value = line.partition(": ")
                if name in ("id", "event", "data"):
                    event[name] = value
                if not line and event:
                    if event["event"] in kinds:
                        return {"id": event.get("id"), "event": event["event"], **orjson.loads(event["data"])}
                    event = {}
        raise AssertionError("the stream ended")

    async def messages(self, count: int) -> list[str]:
        return [(await self.next("message"))["text"] for _ in range(count)]


@asynccontextmanager
async def listening(visitor: Visitor, **options: Any) -> AsyncIterator[Stream]:
    options.setdefault("headers", visitor.headers)
    async with visitor.gateway.http.stream("GET", "/api/chat/events", **options) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        stream = Stream(response)
        await stream.next("handoff")
        yield stream


async def test_both_sides_and_typing_are_shown(park: Visitor) -> None:
    async with listening(park) as stream:
        await park.says("hello", wait=None, client_id="mine")
        seen = [await stream.next("message", "typing") for _ in range(4)]
    assert [event["event"] for event in seen] == ["message", "typing", "typing", "message"]
    assert (seen[0]["id"], seen[0]["author"], seen[0]["client_id"]) == (1, "customer", "mine")
    assert [event.get("on") for event in seen[1:3]] == [True, False]
    assert (seen[3]["author"], seen[3]["text"]) == ("bot", "You said: hello")


async def test_only_what_is_new_without_an_id(park: Visitor) -> None:
    await park.hears("old")
    async with listening(park) as stream:
        await park.says("new", wait=None)
        assert await stream.messages(2) == ["new", "You said: new"]


@pytest.mark.parametrize("by_header", [True, False])
async def test_it_goes_on_where_it_broke_off(park: Visitor, by_header: bool) -> None:
    for number in range(3):
        await park.hears(str(number))
    options = {"headers": {**park.headers, "Last-Event-ID": "3"}} if by_header else {"params": {"last_event_id": "3"}}
    async with listening(park, **options) as stream:
        assert await stream.messages(3) == ["You said: 1", "2", "You said: 2"]
        await park.says("3", wait=None)
        assert await stream.messages(2) == ["3", "You said: 3"]


async def test_a_long_absence_is_made_up_for(park: Visitor) -> None:
    with session() as opened:
        conversation = conversations.by_public_id(opened, park.conversation_id)
        for number in range(450):
            conversations.add_message(opened, conversation, Reply(text=str(number)), author=Author.OWNER, now=now())
    async with listening(park, params={"last_event_id": "0"}) as stream:
        assert await stream.messages(450) == [str(number) for number in range(450)]


async def test_every_tab_sees_everything(park: Visitor) -> None:
    async with listening(park) as one, listening(park) as other:
        await park.says("hello", wait=None)
        assert await one.messages(2) == await other.messages(2) == ["hello", "You said: hello"]


async def test_nobody_hears_another_conversation(park: Visitor, lin: Visitor) -> None:
    async with listening(park) as stream:
        await lin.hears("secret")
        await park.says("mine", wait=None)
        assert await stream.messages(2) == ["mine", "You said: mine"]


async def test_the_token_may_stand_in_the_address(park: Visitor) -> None:
    async with listening(park, headers={}, params={"token": park.session["token"]}) as stream:
        await park.says("hello", wait=None)
        assert await stream.messages(1) == ["hello"]


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "99999999999999"])
async def test_a_wrong_id_is_refused(park: Visitor, last: str) -> None:
    answer = await park.gateway.http.get("/api/chat/events", headers={**park.headers, "Last-Event-ID": last})
    assert (answer.status_code, code_of(answer)) == (422, "invalid")


async def test_a_handoff_is_shown(park: Visitor, rasa: FakeRasa) -> None:
    rasa.answers()
    async with listening(park) as stream:
        await park.says("hello", wait=None)
        assert (await stream.next("handoff"))["active"] is True
    async with park.gateway.http.stream("GET", "/api/chat/events", headers=park.headers) as response:
        assert (await Stream(response).next("handoff"))["active"] is True


async def test_what_another_process_stores_is_found(park: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.1)
    async with listening(park) as stream:
        with session() as opened:
            conversation = conversations.by_public_id(opened, park.conversation_id)
            conversations.add_message(opened, conversation, Reply(text="From me"), author=Author.OWNER, now=now())
            handoffs.hand_off(opened, conversation, reason=HandoffReason.ASKED, summary="…", now=now())
        assert (await stream.next("message"))["author"] == "owner"


async def test_too_many_tabs_are_refused(park: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_TABS", 1)
    async with listening(park):
        answer = await park.gateway.http.get("/api/chat/events", headers=park.headers)
    assert (answer.status_code, code_of(answer)) == (429, "too_many_requests")


async def test_who_does_not_read_is_let_go_and_loses_nothing() -> None:
    bus = Bus()
    with bus.listening("c") as slow, bus.listening("c") as quick:
        for number in range(MOST_UNREAD + 1):
            bus.publish("c", Event(Kind.MESSAGE, {"id": number}))
            await quick.next(1)
        with pytest.raises(TooSlow):
            await slow.next(1)
    assert bus.listeners("c") == 0


async def test_open_streams_do_not_hold_up_a_stop(store: Engine, settings: Settings) -> None:
    async with gateway_with(settings) as gateway:
        visitors = [await gateway.visitor() for _ in range(3)]
        responses = [
            await gateway.http.send(
                gateway.http.build_request("GET", "/api/chat/events", headers=visitor.headers), stream=True
            )
            for visitor in visitors
        ]
        gateway.parts.bus.end()
        async with asyncio.timeout(2):
            for response in responses:
                await response.aread()


async def test_the_count_of_streams_goes_down_again(gateway: Gateway, park: Visitor) -> None:
    async with listening(park):
        assert b"desk_event_streams 1.0" in (await gateway.http.get("/metrics")).content
    async with asyncio.timeout(5):
        while b"desk_event_streams 0.0" not in (await gateway.http.get("/metrics")).content:
            await asyncio.sleep(0.02)
