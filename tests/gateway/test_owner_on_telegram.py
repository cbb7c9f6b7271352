"""The owner's phone: pairing, notices, answering by reply, and customers who never wait for it."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crm import conversations, handoffs, owners, preferences, returns, satisfaction, session
from crm.models import Author, Channel, Conversation, Delivery, Feedback, HandoffReason, Message, OwnerNotice
from crm.preferences import Preferences
from crm.settings import Settings
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor
from tests.gateway.test_console import PASSWORD, Console
from tests.gateway.test_takeover import conversation_of, hand_over, says, until
from tests.support.factories import a_customer, an_order
from tests.support.fake_rasa import FakeRasa
from tests.support.serving import serving
from tests.support.telegram_api import TOKEN, TelegramApi

OWNER, LIN = 900, 71


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramApi]:
    api = TelegramApi()
    async with serving(api.app) as url:
        api.url = url
        yield api


@pytest.fixture
def settings(settings: Settings, telegram: TelegramApi) -> Settings:
    return settings.model_copy(
        update={
            "telegram_token": Settings(_env_file=None, telegram_token=TOKEN).telegram_token,
            "telegram_api": f"{telegram.url}/bot",
            "public_url": "https://desk.example",
            "owner_password": Settings(_env_file=None, owner_password=PASSWORD).owner_password,
        }
    )


@pytest.fixture
async def phone(gateway: Gateway, telegram: TelegramApi) -> TelegramApi:
    """The owner's phone, paired by the code that ``desk owner pair`` prints."""
    with session() as opened:
        preferences.save(opened, Preferences(quiet_from=None, quiet_until=None, language="en"), now=now())
        code = owners.new_code(opened, now=now())
    await telegram.says(OWNER, f"/start {code}")
    await telegram.sent_to(OWNER, 1)
    return telegram


def to_owner(api: TelegramApi) -> list[dict[str, Any]]:
    return [sent for sent in api.sent if sent["chat_id"] == str(OWNER)]


async def reply(api: TelegramApi, notice: dict[str, Any], text: str) -> None:
    shown = {"message_id": notice["message_id"], "chat": {"id": OWNER, "type": "private"}, "date": 1_790_000_000}
    await api.says(OWNER, text, reply_to_message=shown)


async def test_a_code_pairs_once(gateway: Gateway, phone: TelegramApi, rasa: FakeRasa) -> None:
    assert "owner's" in (await phone.sent_to(OWNER, 1))[0]
    with session() as opened:
        assert list(owners.telegram_chats(opened)) == [str(OWNER)]
        code = owners.new_code(opened, now=now() - timedelta(hours=1))
    await phone.says(LIN, f"/start {code}")
    await phone.sent_to(LIN, 1)
    with session() as opened:
        assert list(owners.telegram_chats(opened)) == [str(OWNER)]


async def test_a_stranger_who_guesses_is_a_customer(gateway: Gateway, phone: TelegramApi) -> None:
    await phone.says(LIN, "/start ABCDEFGHJK")
    await phone.sent_to(LIN, 1)
    await phone.presses(LIN, "o:take:1", 5)
    with session() as opened:
        assert not owners.is_owner(opened, Channel.TELEGRAM, str(LIN))
        conversation = conversations.latest_of(opened, _identity(opened, LIN))
        assert conversation is not None
        assert handoffs.open_handoff(opened, conversation) is None


async def test_a_handoff_reaches_the_phone_and_a_reply_reaches_the_web(
    gateway: Gateway, phone: TelegramApi, park: Visitor, rasa: FakeRasa
) -> None:
    await park.hears("my parcel 2003 is broken")
    hand_over(park.conversation_id)
    gateway.parts.owner_side.wake()
    await phone.sent_to(OWNER, 2)
    notice = to_owner(phone)[1]
    assert "asks for a person" in notice["text"]
    assert "my parcel 2003 is broken" in notice["text"]
    assert [button["text"] for button in notice["buttons"]] == ["Take over", "Open"]
    await reply(phone, notice, "I am so sorry, a new one leaves today.")
    await phone.sent_to(OWNER, 3)
    assert [(m["author"], m["text"]) for m in (await park.history())[-1:]] == [
        ("owner", "I am so sorry, a new one leaves today.")
    ]
    await park.says("thank you!", wait=None)
    texts = await phone.sent_to(OWNER, 4)
    assert "thank you!" in texts[3]
    assert rasa.texts == ["my parcel 2003 is broken"]


async def test_a_customer_on_telegram_sees_that_the_owner_speaks(
    gateway: Gateway, phone: TelegramApi, rasa: FakeRasa
) -> None:
    await phone.says(LIN, "我要找真人", language="zh-hans")
    await phone.sent_to(LIN, 1)
    with session() as opened:
        conversation = conversations.latest_of(opened, _identity(opened, LIN))
        assert conversation is not None
        public_id = conversation.public_id
    hand_over(public_id)
    gateway.parts.owner_side.wake()
    await phone.sent_to(OWNER, 2)
    await reply(phone, to_owner(phone)[1], "您好，我是店主")
    assert (await phone.sent_to(LIN, 2))[1] == "👤 店主：您好，我是店主"
    await phone.sent_to(OWNER, 3)
    back = to_owner(phone)[2]["buttons"][0]
    assert back["text"] == "Return to bot"
    await phone.presses(OWNER, back["callback_data"], to_owner(phone)[2]["message_id"])
    assert "智能助手" in (await phone.sent_to(LIN, 3))[2]
    await phone.says(LIN, "谢谢")
    assert (await phone.sent_to(LIN, 4))[3] == "You said: 谢谢"


async def test_a_score_is_one_tap_on_telegram(gateway: Gateway, phone: TelegramApi, rasa: FakeRasa) -> None:
    await phone.says(LIN, "where is my order 2003")
    await phone.sent_to(LIN, 1)
    with session() as opened:
        conversation = conversations.latest_of(opened, _identity(opened, LIN))
        assert conversation is not None
        asked = satisfaction.ask(opened, conversation, question=lambda _: "Settled?", now=now())
        assert asked is not None
    gateway.parts.answering.outlets[Channel.TELEGRAM].deliver(asked.conversation_id)
    await phone.sent_to(LIN, 2)
    shown = [sent for sent in phone.sent if sent["chat_id"] == str(LIN)][1]
    await phone.presses(LIN, shown["buttons"][0]["callback_data"], shown["message_id"])
    assert "Thank you" in (await phone.sent_to(LIN, 3))[2]
    with session() as opened:
        assert [given.score for given in opened.scalars(select(Feedback))] == [5]
    assert rasa.texts == ["where is my order 2003"]


async def test_words_without_a_reply_go_to_the_only_conversation_in_hand(
    gateway: Gateway, phone: TelegramApi, park: Visitor, lin: Visitor
) -> None:
    await park.hears("hello")
    await lin.hears("你好")
    await says(gateway, park, "I am here")
    await phone.says(OWNER, "Still with you, Ms Park")
    await until(lambda: len(_said_by_owner()) == 2)
    assert (await park.history())[-1]["text"] == "Still with you, Ms Park"
    await says(gateway, lin, "你好", key="3")
    await phone.says(OWNER, "and who is this for?")
    await until(lambda: any("Which conversation" in sent["text"] for sent in to_owner(phone)))
    assert len(_said_by_owner()) == 3


async def test_an_update_that_comes_twice_is_said_once(gateway: Gateway, phone: TelegramApi, park: Visitor) -> None:
    await park.hears("hello")
    await says(gateway, park, "I am here")
    phone.repeat_updates = True
    await phone.says(OWNER, "once only")
    await until(lambda: "once only" in _said_by_owner())
    await phone.says(OWNER, "and on")
    await until(lambda: "and on" in _said_by_owner())
    assert _said_by_owner().count("once only") == 1


async def test_quiet_hours_hold_the_notice_back_and_an_angry_customer_does_not_wait(
    gateway: Gateway, phone: TelegramApi, park: Visitor, lin: Visitor
) -> None:
    with session() as opened:
        away = Preferences(quiet_from=None, quiet_until=None, away_until=now() + timedelta(days=1), language="en")
        preferences.save(opened, away, now=now())
    await park.hears("hello")
    await lin.hears("你好")
    hand_over(park.conversation_id, HandoffReason.ASKED)
    hand_over(lin.conversation_id, HandoffReason.ANGRY)
    gateway.parts.owner_side.wake()
    await phone.sent_to(OWNER, 2)
    assert "is angry" in to_owner(phone)[1]["text"]
    hers = conversation_of(park).id
    with session() as opened:
        waiting = opened.scalars(select(OwnerNotice).where(OwnerNotice.deliver_after > now() + timedelta(hours=2)))
        assert [notice.conversation_id for notice in waiting] == [hers]


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_customers_are_answered_while_telegram_keeps_the_owner_waiting(
    gateway: Gateway, phone: TelegramApi, park: Visitor
) -> None:
    phone.fault("sendMessage", "429", chat_id=OWNER, times=3, retry_after=60)
    await park.hears("hello")
    for number in range(5):
        await says(gateway, park, f"line {number}", key=str(number))
        await park.says(f"answer {number}", wait=None)
    for number in range(3):
        await phone.says(LIN + number, f"hello {number}")
    await asyncio.gather(*(phone.sent_to(LIN + number, 1, seconds=5) for number in range(3)))


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_a_burst_to_the_owner_is_one_notice(gateway: Gateway, phone: TelegramApi, park: Visitor) -> None:
    await park.hears("hello")
    await says(gateway, park, "I am here")
    # The phone is as good as off, so that all lines wait.
    phone.fault("sendMessage", "429", chat_id=OWNER, retry_after=1)
    for number in range(6):
        await park.says(f"line {number}")
    await until(lambda: any("line 5" in sent["text"] for sent in to_owner(phone)), seconds=20)
    lines = [sent for sent in to_owner(phone) if "💬" in sent["text"]]
    assert 0 < len(lines) < 6
    assert [f"line {number}" for number in range(6)] == [
        line for sent in lines for line in sent["text"].splitlines() if line.startswith("line")
    ]


@pytest.mark.parametrize("kind", ["500", "drop", "drop_after"])
async def test_a_broken_connection_neither_loses_nor_doubles_a_notice(
    gateway: Gateway, phone: TelegramApi, park: Visitor, kind: str
) -> None:
    phone.fault("sendMessage", kind, chat_id=OWNER)
    await park.hears("hello")
    hand_over(park.conversation_id)
    gateway.parts.owner_side.wake()
    await phone.until(lambda: _settled() == [Delivery.SENT] * 2, seconds=20)
    assert len(await phone.sent_to(OWNER, 2)) == 2


def _settled() -> list[Delivery]:
    with session() as opened:
        return list(opened.scalars(select(OwnerNotice.delivery)))


async def test_unpairing_ends_it(gateway: Gateway, phone: TelegramApi) -> None:
    await phone.says(OWNER, "/unpair")
    await until(lambda: not _chats())
    await phone.says(OWNER, "hello as a customer")
    await until(lambda: any(sent["text"] == "You said: hello as a customer" for sent in to_owner(phone)))


def _identity(opened: Any, chat: int) -> Any:
    return conversations.identity_of(opened, Channel.TELEGRAM, str(chat), now=now())


def _said_by_owner() -> list[str]:
    with session() as opened:
        return list(opened.scalars(select(Message.text).where(Message.author == Author.OWNER).order_by(Message.id)))


def _chats() -> list[str]:
    with session() as opened:
        return list(owners.telegram_chats(opened))


async def test_a_return_that_somebody_asks_for_rings_once(gateway: Gateway, phone: TelegramApi, park: Visitor) -> None:
    await park.hears("I want to send it back")
    with session() as opened:
        conversation = conversations.by_public_id(opened, park.conversation_id)
        order = an_order(opened, "2003", of=a_customer(opened, "Ms Park", "park@example.com"))
        number = returns.ask(opened, conversation, order, request_key="r", reason="It leaks.", now=now()).id
    texts = await phone.sent_to(OWNER, 2)
    assert "order 2003" in texts[-1]
    assert "It leaks." in texts[-1]
    notice = to_owner(phone)[-1]
    assert f"//desk.example/owner/returns#return-{number}" in str(notice["reply_markup"])
    await reply(phone, notice, "Which part leaks?")
    await until(lambda: conversation_of(park).last_seq == 3)
    assert (await park.history())[-1]["text"] == "Which part leaks?"
    with session() as opened:
        assert returns.unannounced(opened) == []


async def test_a_decision_and_a_quote_reach_a_customer_on_telegram(gateway: Gateway, telegram: TelegramApi) -> None:
    await telegram.says(LIN, "我要退货", language="zh-hans")
    await telegram.sent_to(LIN, 1)
    with session() as opened:
        conversation = opened.scalars(select(Conversation)).one()
        order = an_order(opened, "2003", of=a_customer(opened, "林先生", "lin@example.org"))
        number = returns.ask(opened, conversation, order, request_key="r", reason="太小", now=now()).id
        talk = conversation.id
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=20) as http:
        console = Console(http)
        await console.http.post("/owner/sign-in", data={"password": PASSWORD})
        # The cookie is for https only, as the desk is reached by https.
        console.http.headers["Cookie"] = "; ".join(f"{c.name}={c.value}" for c in console.http.cookies.jar)
        console.csrf = re.findall(r'data-csrf="([0-9a-f]{64})"', (await console.http.get("/owner")).text)[0]
        assert (await console.sends(f"/returns/{number}", do="approve", note="寄到湖边路 7 号")).status_code == 303
        until = (now() + timedelta(days=5)).date().isoformat()
        line = {"title_0": "盖碗", "quantity_0": "50", "price_0": "42", "until": until}
        sent = await console.sends("/quotes", conversation=talk, ticket=0, key="k" * 32, do="send", **line)
        assert sent.status_code == 303
    texts = await telegram.sent_to(LIN, 3)
    assert "已通过" in texts[1]
    assert "寄到湖边路 7 号" in texts[1]
    assert "S$2,100.00" in texts[2]
    assert f"https://desk.example/quotes/{'k' * 32}." in texts[2]
