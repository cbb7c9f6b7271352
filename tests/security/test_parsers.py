"""What comes from outside in forms of its own: cells, files, Telegram updates. Refused in order, never a crash."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

import crm
from crm.importers import (
    SOURCES,
    Context,
    UnreadableFile,
    plain_columns,
    shopify_columns,
    taobao_columns,
    values,
    woocommerce_columns,
)
from crm.importers.report import BadValue
from crm.models import Message
from crm.settings import Settings
from crm.shop import load_shop
from gateway.telegram.service import webhook_secret
from tests.gateway.conftest import Gateway
from tests.support.product import ROOT
from tests.support.serving import serving
from tests.support.telegram_api import TOKEN, TelegramApi

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
QUICK = bounded(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
NASTY = [
    "",
    "0",
    "-0",
    "1e999",
    "NaN",
    "Infinity",
    "9" * 400,
    "٣",
    "１２",
    "1,2,3,4",
    "0x10",
    "1_000",
    "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "'",
    '="1"',
    '="',
    "\x00",
    "\ufeff",
    "\u202e",
    "½",
    "²",
    "￥",
    "2026-02-30",
    "0000-00-00",
    "9999-12-31 23:59:59 +14:00",
    "0001-01-01",
    "<script>",
    "';--",
    "../..",
    "+",
    "a@b",
    "yes",
    "是",
]
cells = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    st.decimals().map(str),
    st.datetimes().map(str),
)


class TestCells:
    @QUICK
    @given(cells, st.sampled_from(["USD", "CNY", "JPY", "KWD", "XXX"]))
    def test_an_amount(self, text: str, currency: str) -> None:
        with suppress(BadValue):
            assert values.amount("price", text, currency).is_finite()
        with suppress(BadValue):
            assert abs(values.minor("price", text, currency, empty=0)) < 1 << 53

    @QUICK
    @given(cells)
    def test_a_whole_number(self, text: str) -> None:
        with suppress(BadValue):
            assert isinstance(values.whole("quantity", text), int)

    @QUICK
    @given(cells)
    def test_yes_or_no(self, text: str) -> None:
        with suppress(BadValue):
            assert values.yes_or_no("marketing", text) in (True, False)

    @QUICK
    @given(cells)
    def test_an_email(self, text: str) -> None:
        with suppress(BadValue):
            found = values.email("email", text)
            assert found is None or (found.count("@") == 1 and "\n" not in found)

    @QUICK
    @given(cells, st.one_of(st.none(), cells))
    def test_a_phone(self, text: str, country: str | None) -> None:
        with suppress(BadValue):
            assert (values.phone(text, country) or "+")[0] in "+0123456789"

    @QUICK
    @given(cells, cells)
    def test_a_country_and_a_name(self, one: str, two: str) -> None:
        with suppress(BadValue):
            values.country(one)
            values.person(one, two)

    @QUICK
    @given(cells, st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Apia"]), st.booleans())
    def test_a_date(self, text: str, zone: str, day_first: bool) -> None:
        read = values.DateReader(ZoneInfo(zone), now=NOW, day_first=day_first)
        with suppress(BadValue):
            assert read("date", text).tzinfo is UTC

    @QUICK
    @given(st.lists(cells, max_size=8))
    def test_the_order_of_day_and_month(self, texts: list[str]) -> None:
        order = values.DayOrder()
        for text in texts:
            order.look_at(text)
        assert order.decide("Asia/Singapore") in (True, False)


KINDS: list[tuple[str, str, dict[str, tuple[str, ...]]]] = [
    ("csv", "products", plain_columns.PRODUCTS),
    ("csv", "customers", plain_columns.CUSTOMERS),
    ("csv", "orders", plain_columns.ORDERS),
    ("shopify", "products", shopify_columns.PRODUCTS),
    ("shopify", "customers", shopify_columns.CUSTOMERS),
    ("shopify", "orders", shopify_columns.ORDERS),
    ("woocommerce", "products", woocommerce_columns.PRODUCTS),
    ("woocommerce", "orders", woocommerce_columns.ORDERS),
    ("taobao", "orders", taobao_columns.ORDERS),
]


@pytest.mark.parametrize(("source", "kind", "columns"), KINDS, ids=[f"{source} {kind}" for source, kind, _ in KINDS])
def test_no_file_breaks_an_import(
    store: Engine, tmp_path: Path, source: str, kind: str, columns: dict[str, tuple[str, ...]]
) -> None:
    header = [names[0] for names in columns.values()]
    rows = st.lists(st.lists(cells, min_size=len(header), max_size=len(header)), min_size=1, max_size=6)
    context = Context(load_shop(ROOT / "tests" / "gateway" / "shop.toml"), NOW)
    path = tmp_path / "file.csv"

    @bounded(QUICK, max_examples=15)
    @given(rows)
    def take(rows: list[list[str]]) -> None:
        out = io.StringIO()
        csv.writer(out).writerows([header, *rows])
        path.write_bytes(out.getvalue().encode("utf-8", "replace"))
        with suppress(UnreadableFile):
            report = SOURCES[source][kind](path, context)
            assert all(refusal.line > 1 and refusal.reason for refusal in report.refused)

    take()


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
            "telegram_mode": "webhook",
            "public_url": "https://desk.example",
        }
    )


values_of_any_kind = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), cells),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
MESSAGE: dict[str, Any] = {
    "message_id": 4,
    "date": 1_790_000_000,
    "text": "hello",
    "from": {"id": 71, "is_bot": False, "first_name": "Lin"},
    "chat": {"id": 71, "type": "private"},
}
FIELDS = ["message_id", "date", "text", "from", "chat", "photo", "document", "entities", "reply_to_message", "caption"]
KINDS_OF_UPDATE = ["message", "edited_message", "callback_query", "my_chat_member", "inline_query", "poll", "nonsense"]
updates = st.builds(
    lambda kind, changed, number, whole: {"update_id": number, kind: whole if whole is not None else MESSAGE | changed},
    st.sampled_from(KINDS_OF_UPDATE),
    st.dictionaries(st.sampled_from(FIELDS), values_of_any_kind, max_size=4),
    st.integers(-(2**70), 2**70),
    st.one_of(st.none(), st.none(), st.none(), values_of_any_kind),
)


async def test_no_update_of_telegrams_breaks_or_holds_up_the_next(
    gateway: Gateway, settings: Settings, telegram: TelegramApi
) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(settings.require("secret_key"))}
    loop, statuses = asyncio.get_running_loop(), []

    async def bring(update: Any) -> int:
        answer = await gateway.http.post("/telegram/webhook", json=update, headers=headers)
        return answer.status_code

    @bounded(QUICK, max_examples=150)
    @given(updates)
    def bring_all(update: Any) -> None:
        statuses.append(asyncio.run_coroutine_threadsafe(bring(update), loop).result(20))
        assert statuses[-1] in (200, 422), update

    await asyncio.to_thread(bring_all)
    assert statuses.count(200) > 100
    await bring({"update_id": 2, "message": MESSAGE | {"message_id": 77, "text": "after all of that"}})
    with crm.session() as session:
        assert session.scalar(select(func.count()).where(Message.text == "after all of that")) == 1


DEEP: list[Callable[[], bytes]] = [
    lambda: b"[" * 30_000,
    lambda: b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    lambda: b'{"text": ' + b"9" * 20_000 + b"}",
    lambda: b'{"score": 1e400, "client_id": "1", "text": "x"}',
    lambda: b'{"text": "x", "text": "y", "client_id": "1"}',
    lambda: b'\xff\xfe{\x00"\x00',
    lambda: b"\xef\xbb\xbf{}",
    lambda: b'{"text": "\\ud800", "client_id": "\\udfff"}',
    lambda: b'{"__proto__": {"x": 1}, "constructor": {}}',
    lambda: b"null",
]


@pytest.mark.parametrize("number", range(len(DEEP)))
async def test_no_json_breaks_a_call(gateway: Gateway, settings: Settings, number: int) -> None:
    visitor = await gateway.visitor()
    content = DEEP[number]()
    secret = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(settings.require("secret_key"))}
    for path, headers in (
        ("/api/chat/sessions", {}),
        ("/api/chat/messages", visitor.headers),
        ("/api/chat/feedback", visitor.headers),
        ("/telegram/webhook", secret),
    ):
        answer: httpx.Response = await gateway.http.post(path, content=content, headers=headers)
        assert answer.status_code in (200, 201, 202, 400, 422), (path, answer.status_code)
