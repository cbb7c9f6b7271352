"""Telegram from end to end, against a stand-in for its Bot API."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Engine, select

from crm import conversations, session
from crm.models import (
    AccountLink,
    Author,
    Channel,
    Consent,
    ConsentKind,
    Conversation,
    Delivery,
    Handoff,
    HandoffReason,
    Identity,
    Message,
)
from crm.settings import Settings
from crm.types import now
from gateway.telegram.bot import bot_addresses
from gateway.telegram.service import webhook_secret
from tests.gateway.conftest import Gateway, gateway_with
from tests.support import factories
from tests.support.fake_rasa import FakeRasa
from tests.support.serving import serving
from tests.support.telegram_api import TOKEN, TelegramApi

LIN, PARK = 71, 72


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
        }
    )


def stored(author: Author = Author.CUSTOMER) -> list[Message]:
    with session() as opened:
        return list(opened.scalars(select(Message).where(Message.author == author).order_by(Message.id)))


async def test_a_question_is_answered(gateway: Gateway, telegram: TelegramApi) -> None:
    await telegram.says(LIN, "我的订单到哪了？", language="zh-hans")
    assert await telegram.sent_to(LIN, 1) == ["You said: 我的订单到哪了？"]
    assert "sendChatAction" in telegram.calls
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT])
    assert stored()[0].external_id == f"{LIN}:1"
    assert stored(Author.BOT)[0].external_id == f"out:{LIN}:{telegram.sent[0]['message_id']}"
    assert "parse_mode" not in telegram.sent[0]


async def test_a_burst_is_one_turn(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    for line in ("hi", "where is my order", "2003"):
        await telegram.says(LIN, line)
    await telegram.sent_to(LIN, 1)
    assert rasa.texts == ["hi\nwhere is my order\n2003"]
    assert len(telegram.sent) == 1


async def test_an_update_is_stored_before_it_is_confirmed(gateway: Gateway, telegram: TelegramApi) -> None:
    lost: list[int] = []

    async def look() -> None:
        known = {message.external_id for message in stored()}
        lost.extend(n for n in range(1, telegram.confirmed + 1) if f"{LIN}:{n}" not in known)

    telegram.before_updates = look
    for number in range(5):
        await telegram.says(LIN, f"line {number}")
        await asyncio.sleep(0.02)
    await telegram.until(lambda: telegram.confirmed == 5)
    assert lost == []


async def test_a_repeated_update_is_answered_once(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    await telegram.says(LIN, "hello")
    await telegram.sent_to(LIN, 1)
    telegram.repeat_updates = True
    await telegram.says(LIN, "and again")
    await telegram.sent_to(LIN, 2)
    assert [message.text for message in stored()] == ["hello", "and again"]
    assert rasa.texts == ["hello", "and again"]


async def test_one_chat_does_not_wait_for_another(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    rasa.takes(0.5)
    await telegram.says(LIN, "slow")
    await telegram.says(PARK, "quick")
    await telegram.sent_to(LIN, 1)
    await telegram.sent_to(PARK, 1)
    assert rasa.most_running == 2


@pytest.mark.parametrize(
    ("command", "says"), [("/start abc", "/human"), ("/help", "order"), ("/privacy@desk_bot", "keep")]
)
async def test_commands_are_answered_without_the_bot(
    gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa, command: str, says: str
) -> None:
    await telegram.says(LIN, command)
    assert says in (await telegram.sent_to(LIN, 1))[0]
    assert rasa.turns == []
    assert stored()[0].text == command.split()[0].split("@")[0]


async def test_commands_speak_chinese_to_a_chinese_telegram(gateway: Gateway, telegram: TelegramApi) -> None:
    await telegram.says(LIN, "/help", language="zh-hans")
    assert "订单" in (await telegram.sent_to(LIN, 1))[0]


async def test_human_asks_the_bot_for_a_person(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    await telegram.says(LIN, "/human")
    await telegram.sent_to(LIN, 1)
    assert rasa.turns[0]["payload"] == "/talk_to_human"


async def test_other_commands_are_only_words(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    await telegram.says(LIN, '/track_order{"order_number":"1"}')
    await telegram.sent_to(LIN, 1)
    assert rasa.turns[0]["payload"] is None


async def test_a_picture_is_noted_and_answered(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    await telegram.says(LIN, photo=photo)
    assert "words" in (await telegram.sent_to(LIN, 1))[0]
    assert (stored()[0].text, rasa.turns) == ("[photo]", [])
    await telegram.says(LIN, photo=photo, caption="it arrived broken")
    await telegram.sent_to(LIN, 2)
    assert rasa.texts == ["it arrived broken"]
    assert stored()[1].text == "[photo] it arrived broken"


async def test_groups_are_left_alone(gateway: Gateway, telegram: TelegramApi) -> None:
    await telegram.says(-5, "hello all", chat_type="group")
    await telegram.says(LIN, "hello")
    await telegram.sent_to(LIN, 1)
    assert [message.text for message in stored()] == ["hello"]


async def test_an_edit_before_the_answer_corrects(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    number = await telegram.says(LIN, "where is ordr 2003")
    await telegram.says(LIN, "where is order 2003", edits=number)
    await telegram.sent_to(LIN, 1)
    assert rasa.texts == ["where is order 2003"]
    await telegram.says(LIN, "too late", edits=number)
    await telegram.until(lambda: telegram.confirmed == 3)
    assert [message.text for message in stored()] == ["where is order 2003"]


async def test_a_button_is_pressed_once(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    payload = '/track_order{"order_number":"' + "二" * 40 + '"}'
    rasa.answers({"text": "Which?", "buttons": [{"title": "Order 2003", "payload": payload}]})
    await telegram.says(LIN, "where is it")
    await telegram.sent_to(LIN, 1)
    key = telegram.sent[0]["buttons"][0]["callback_data"]
    assert len(key.encode()) <= 64
    await telegram.presses(LIN, key, telegram.sent[0]["message_id"])
    await telegram.sent_to(LIN, 2)
    assert rasa.turns[1]["payload"] == payload
    await telegram.until(lambda: "editMessageReplyMarkup" in telegram.calls)
    assert len(telegram.calls["answerCallbackQuery"]) == 1


@pytest.mark.parametrize("data", ["m:1:9", "m:999999:0", "m:1", "/restart", "m:x:0", "m:99999999999999999999:0"])
async def test_a_made_up_key_does_nothing(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa, data: str) -> None:
    await telegram.says(LIN, "hello")
    await telegram.sent_to(LIN, 1)
    await telegram.presses(LIN, data, telegram.sent[0]["message_id"])
    await telegram.until(lambda: len(telegram.calls["answerCallbackQuery"]) == 1)
    assert len(rasa.turns) == 1


async def test_another_chats_button_does_nothing(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    rasa.answers({"text": "Which?", "buttons": [{"title": "Mine", "payload": "/secret"}]})
    await telegram.says(LIN, "hello")
    await telegram.sent_to(LIN, 1)
    await telegram.presses(PARK, telegram.sent[0]["buttons"][0]["callback_data"], telegram.sent[0]["message_id"])
    await telegram.until(lambda: len(telegram.calls["answerCallbackQuery"]) == 1)
    assert [turn["payload"] for turn in rasa.turns] == [None]


async def test_a_long_answer_is_split_in_order(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    rasa.answers({"text": "word " * 1_500}, {"text": "last"})
    await telegram.says(LIN, "tell me all")
    texts = await telegram.sent_to(LIN, 3)
    assert all(len(text) <= 4_096 for text in texts)
    assert " ".join(texts) == ("word " * 1_500).strip() + " last"


async def test_cards_are_pictures_with_words(gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa) -> None:
    card = {"title": "Gaiwan", "price": "S$42.00", "image": "/demo/gaiwan.jpg", "url": "/p/gaiwan"}
    local = {"title": "Teapot", "image": "http://127.0.0.1/pot.jpg"}
    rasa.answers({"text": "How about", "custom": {"cards": [card, local]}})
    await telegram.says(LIN, "recommend")
    await telegram.sent_to(LIN, 3)
    _, gaiwan, teapot = telegram.sent
    assert (gaiwan["photo"], gaiwan["caption"]) == ("https://desk.example/demo/gaiwan.jpg", "Gaiwan\nS$42.00")
    assert gaiwan["buttons"][0]["url"] == "https://desk.example/p/gaiwan"
    assert (teapot["text"], "photo" in teapot) == ("Teapot", False)


async def test_a_picture_telegram_cannot_fetch_becomes_words(
    gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa
) -> None:
    rasa.answers({"custom": {"cards": [{"title": "Gaiwan", "image": "/demo/gone.jpg"}]}})
    telegram.fault("sendPhoto", "400")
    await telegram.says(LIN, "recommend")
    assert await telegram.sent_to(LIN, 1) == ["Gaiwan"]


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_being_told_to_wait_holds_up_that_chat_only(gateway: Gateway, telegram: TelegramApi) -> None:
    telegram.fault("sendMessage", "429", chat_id=LIN, retry_after=2)
    await telegram.says(LIN, "hello")
    await telegram.says(PARK, "hello")
    began = asyncio.get_running_loop().time()
    await telegram.sent_to(PARK, 1)
    assert [m for m in telegram.sent if m["chat_id"] == str(LIN)] == []
    await telegram.sent_to(LIN, 1)
    assert asyncio.get_running_loop().time() - began >= 1.9
    assert len(telegram.sent) == 2


async def test_server_errors_are_tried_again(gateway: Gateway, telegram: TelegramApi) -> None:
    telegram.fault("sendMessage", "500", times=2)
    await telegram.says(LIN, "hello")
    assert len(await telegram.sent_to(LIN, 1)) == 1


async def test_a_broken_connection_is_tried_again(gateway: Gateway, telegram: TelegramApi) -> None:
    telegram.fault("sendMessage", "drop")
    await telegram.says(LIN, "hello")
    assert len(await telegram.sent_to(LIN, 1)) == 1


async def test_what_arrived_is_not_sent_again_when_only_the_answer_was_lost(
    gateway: Gateway, telegram: TelegramApi
) -> None:
    telegram.fault("sendMessage", "drop_after")
    await telegram.says(LIN, "hello")
    await telegram.says(PARK, "hello")
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT] * 2)
    assert sorted(m["chat_id"] for m in telegram.sent) == sorted([str(LIN), str(PARK)])
    assert {m.external_id for m in stored(Author.BOT)} == {
        f"out:{m['chat_id']}:{m['message_id']}" for m in telegram.sent
    }


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_it_is_asked_until_telegram_says_whether_it_arrived(gateway: Gateway, telegram: TelegramApi) -> None:
    telegram.fault("sendMessage", "drop_after")
    telegram.fault("editMessageReplyMarkup", "drop")
    telegram.fault("editMessageReplyMarkup", "429", retry_after=1)
    await telegram.says(LIN, "hello")
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT], seconds=20)
    assert len(telegram.sent) == 1


async def test_of_a_long_answer_only_the_missing_piece_is_sent(
    gateway: Gateway, telegram: TelegramApi, rasa: FakeRasa
) -> None:
    rasa.answers({"text": "word " * 1_500})
    for kind in ("drop_after", "drop", "500"):
        telegram.fault("sendMessage", kind)
    await telegram.says(LIN, "tell me all")
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT], seconds=20)
    assert len(await telegram.sent_to(LIN, 2)) == 2
    assert [len(m["text"]) > 4_000 for m in telegram.sent] == [True, False]


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_crash_while_sending_neither_loses_nor_doubles(
    store: Engine, settings: Settings, telegram: TelegramApi, rasa: FakeRasa, arrived: bool
) -> None:
    """The gateway died between the request and noting its answer; the lease of its try is over."""
    async with gateway_with(settings):
        await telegram.says(LIN, "hello")
        await telegram.sent_to(LIN, 1)
        await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT])
    number = telegram.sent[0]["message_id"]
    with session() as opened:
        message = opened.scalars(select(Message).where(Message.author == Author.BOT)).one()
        message.delivery, message.external_id, message.delivered_at = Delivery.PENDING, None, None
        message.tried_after, message.deliver_after = number - 1, None
    if not arrived:
        telegram.sent.clear()
    async with gateway_with(settings):
        await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT])
    assert len(telegram.sent) == 1


async def test_what_was_sent_but_could_not_be_noted_is_not_sent_again(gateway: Gateway, telegram: TelegramApi) -> None:
    """The store took no writing just then, and the same process comes back to it."""
    await telegram.says(LIN, "hello")
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT])
    with session() as opened:
        message = opened.scalars(select(Message).where(Message.author == Author.BOT)).one()
        message.delivery, message.external_id, message.deliver_after = Delivery.PENDING, None, None
        message.tried_after = telegram.sent[0]["message_id"] - 1
    gateway.parts.answering.outlets[Channel.TELEGRAM].deliver(message.conversation_id)
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT])
    assert len(telegram.sent) == 1


async def test_what_an_earlier_run_sent_is_not_taken_for_what_it_did_not(
    store: Engine, settings: Settings, telegram: TelegramApi, rasa: FakeRasa
) -> None:
    """A reply is due before Telegram lets the bot in: it waits until the numbers of the log are known again."""
    rasa.answers({"text": "word " * 1_500})
    async with gateway_with(settings):
        await telegram.says(LIN, "tell me all")
        await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT])
    with session() as opened:
        conversation = opened.scalars(select(Conversation)).one()
        conversations.receive(opened, conversation, text="and now?", external_id=f"{LIN}:1000", now=now())
    rasa.answers({"text": "All."})
    for method, kind in (("getMe", "500"), ("getMe", "500"), ("sendMessage", "drop")):
        telegram.fault(method, kind)
    async with gateway_with(settings):
        await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.SENT] * 2, seconds=20)
    assert [m["text"] for m in telegram.sent][2:] == ["All."]


async def test_an_answer_that_telegram_refuses_for_good_is_handed_to_the_owner(
    gateway: Gateway, telegram: TelegramApi
) -> None:
    telegram.fault("sendMessage", "400", description="Bad Request: chat not found")
    await telegram.says(LIN, "hello")
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.FAILED])
    with session() as opened:
        handoff = opened.scalars(select(Handoff)).one()
        assert (handoff.reason, handoff.summary) == (HandoffReason.UNDELIVERED, "You said: hello")


async def test_who_blocks_the_bot_is_left_in_peace(gateway: Gateway, telegram: TelegramApi) -> None:
    telegram.fault("sendMessage", "403", description="Forbidden: bot was blocked by the user")
    await telegram.says(LIN, "hello")
    await telegram.until(lambda: [m.delivery for m in stored(Author.BOT)] == [Delivery.FAILED])
    assert stored(Author.BOT)[0].delivery_error == "blocked"
    assert len(telegram.calls["sendMessage"]) == 1


async def test_what_waits_is_sent_after_a_restart(
    store: Engine, settings: Settings, telegram: TelegramApi, rasa: FakeRasa
) -> None:
    telegram.fault("sendMessage", "500", times=30)
    async with gateway_with(settings):
        await telegram.says(LIN, "hello")
        await telegram.until(lambda: len(telegram.calls["sendMessage"]) > 0)
    telegram.faults.clear()
    async with gateway_with(settings):
        assert await telegram.sent_to(LIN, 1) == ["You said: hello"]
    assert len(rasa.turns) == 1


async def test_a_wrong_token_says_so_and_the_web_goes_on(
    store: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Settings(_env_file=None, telegram_token="1:wrong").telegram_token
    async with gateway_with(settings.model_copy(update={"telegram_token": wrong})) as gateway:
        with caplog.at_level(logging.ERROR):
            while not caplog.messages:
                await asyncio.sleep(0.01)
        assert caplog.messages == [
            "Telegram does not accept DESK_TELEGRAM_TOKEN; the web chat goes on without Telegram."
        ]
        assert await (await gateway.visitor()).hears("hello") == ["You said: hello"]


async def test_the_web_does_not_need_telegram(store: Engine, settings: Settings) -> None:
    away = settings.model_copy(update={"telegram_api": "http://127.0.0.1:9/bot"})
    async with gateway_with(away) as gateway:
        assert await (await gateway.visitor()).hears("hello") == ["You said: hello"]


class TestWebhook:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"telegram_mode": "webhook"})

    UPDATE = {  # noqa: RUF012 - read only
        "update_id": 9,
        "message": {
            "message_id": 4,
            "date": 1_790_000_000,
            "text": "hello",
            "from": {"id": LIN, "is_bot": False, "first_name": "Lin"},
            "chat": {"id": LIN, "type": "private"},
        },
    }

    async def test_an_update_is_stored_with_the_answer_200_and_answered_once(
        self, gateway: Gateway, telegram: TelegramApi
    ) -> None:
        await telegram.until(lambda: telegram.webhook.get("url") == "https://desk.example/telegram/webhook")
        headers = {"X-Telegram-Bot-Api-Secret-Token": telegram.webhook["secret_token"]}
        answers = await asyncio.gather(
            *(gateway.http.post("/telegram/webhook", json=self.UPDATE, headers=headers) for _ in range(4))
        )
        assert [answer.status_code for answer in answers] == [200] * 4
        assert [message.text for message in stored()] == ["hello"]
        await telegram.sent_to(LIN, 1)
        assert len(telegram.sent) == 1

    @pytest.mark.parametrize("secret", [None, "", "wrong", webhook_secret("another key"), "密"])
    async def test_nobody_else_is_let_in(self, gateway: Gateway, telegram: TelegramApi, secret: str | None) -> None:
        headers = {} if secret is None else {b"X-Telegram-Bot-Api-Secret-Token": secret.encode()}
        answer = await gateway.http.post("/telegram/webhook", json=self.UPDATE, headers=headers)
        assert answer.status_code == 401
        assert stored() == []

    async def test_nonsense_is_refused(self, gateway: Gateway, settings: Settings) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(settings.require("secret_key"))}
        statuses = [
            (await gateway.http.post("/telegram/webhook", content=body, headers=headers)).status_code
            for body in (b"{", b"[]", b'{"update_id": "x"}')
        ]
        assert statuses == [400, 422, 422]


async def test_polling_leaves_the_webhook_closed(gateway: Gateway, settings: Settings) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(settings.require("secret_key"))}
    answer = await gateway.http.post("/telegram/webhook", json=TestWebhook.UPDATE, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "api", ["https://api.telegram.org/bot", "https://api.telegram.org", "https://api.telegram.org/"]
)
def test_the_address_is_understood_with_and_without_its_end(api: str) -> None:
    assert bot_addresses(api) == ("https://api.telegram.org/bot", "https://api.telegram.org/file/bot")


async def test_a_chat_has_one_conversation(gateway: Gateway, telegram: TelegramApi) -> None:
    await telegram.says(LIN, "hello")
    await telegram.sent_to(LIN, 1)
    await telegram.says(LIN, "hello again")
    await telegram.sent_to(LIN, 2)
    with session() as opened:
        assert len(opened.scalars(select(Conversation)).all()) == 1


class TestContinuing:
    """From the web chat to Telegram by a link that works once."""

    async def _link(self, gateway: Gateway, **opened: str) -> tuple[str, dict[str, object]]:
        visitor = await gateway.visitor(**opened)
        answer = await visitor.post("telegram")
        assert answer.status_code == 200, answer.text
        return visitor.conversation_id, answer.json()

    async def test_what_was_proven_on_the_web_holds_on_telegram(self, gateway: Gateway, telegram: TelegramApi) -> None:
        await telegram.until(lambda: "getMe" in telegram.calls)
        web, link = await self._link(gateway, language="zh")
        assert str(link["url"]).startswith("https://t.me/desk_bot?start=")
        assert "Telegram" in str(link["wording"])
        with session() as opened:
            park = factories.park(opened)
            conversations.by_public_id(opened, web).identity.customer_id = park.id
            park_id = park.id
        token = str(link["url"]).partition("=")[2]
        await telegram.says(PARK, f"/start {token}", language="en")
        assert "goes on here" in (await telegram.sent_to(PARK, 1))[0]
        with session() as opened:
            account = opened.scalars(select(Identity).where(Identity.external_id == str(PARK))).one()
            assert (account.customer_id, account.linked_by) == (park_id, "followed_link")
            consent = opened.scalars(select(Consent)).one()
            assert (consent.kind, consent.wording) == (ConsentKind.ACCOUNT_LINK, link["wording"])
        assert [m.text for m in stored()] == ["/start linked"]  # the token is kept nowhere

        await telegram.says(LIN, f"/start {token}")  # somebody else found the link
        assert "too old" in (await telegram.sent_to(LIN, 1))[0]
        with session() as opened:
            assert opened.scalars(select(Identity.customer_id).where(Identity.external_id == str(LIN))).one() is None

    async def test_an_invented_token_links_nobody(self, gateway: Gateway, telegram: TelegramApi) -> None:
        await telegram.says(PARK, "/start " + "a" * 32)
        assert "too old" in (await telegram.sent_to(PARK, 1))[0]
        with session() as opened:
            assert opened.scalars(select(AccountLink)).all() == []


async def test_a_shop_without_telegram_says_so(store: Engine, settings: Settings) -> None:
    async with gateway_with(settings.model_copy(update={"telegram_token": None})) as gateway:
        visitor = await gateway.visitor()
        assert visitor.session["telegram"] is False
        assert (await visitor.post("telegram")).status_code == 404
