"""Who may talk, as whom, and how often."""

import json
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from crm import session
from crm.models import Conversation, Customer, Identity
from crm.settings import Settings
from crm.types import now
from gateway.limits import LocalLimiter, Rate, address_key
from gateway.sessions import BadToken, Tokens, Visitor, read_identity, sign_identity
from tests.gateway.conftest import Gateway, gateway_with
from tests.gateway.test_messages import code_of

KEY = "a key for the tests"


async def test_a_session_says_what_the_widget_needs(gateway: Gateway) -> None:
    answer = await gateway.http.post("/api/chat/sessions", json={"language": "zh-Hans-CN"})
    body = answer.json()
    assert answer.status_code == 201
    assert set(body) == {"token", "conversation_id", "language", "shop", "handoff", "telegram"}
    assert (body["language"], body["handoff"]) == ("zh", False)
    assert body["shop"] == {"name": {"en": "Otter & Quire", "zh": "獭与纸"}, "languages": ["en", "zh"]}


@pytest.mark.parametrize(
    ("body", "accepts", "language"),
    [
        (b"", "", "en"),
        (b"null", "zh-CN,zh;q=0.9", "zh"),
        (b'{"language": "auto"}', "zh-TW", "zh"),
        (b'{"language": "fr"}', "fr", "en"),
        (b'{"language": null, "page_url": null}', "", "en"),
    ],
)
async def test_a_session_needs_nothing(gateway: Gateway, body: bytes, accepts: str, language: str) -> None:
    answer = await gateway.http.post("/api/chat/sessions", content=body, headers={"Accept-Language": accepts})
    assert (answer.status_code, answer.json()["language"]) == (201, language)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/tea?x=1", "https://shop.example/tea?x=1"),
        ("javascript:alert(1)", None),
        ("https://shop.example/" + "x" * 3_000, None),
    ],
)
async def test_the_page_is_noted(gateway: Gateway, url: str, kept: str | None) -> None:
    await gateway.visitor(page_url=url)
    with session() as opened:
        noted = opened.scalars(select(Conversation.page_url)).one()
    assert noted == kept or (noted is not None and url.startswith(noted))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"language": 5}', b'{"identity": {}}', b'{"page_url": []}'])
async def test_wrong_sessions_are_refused(gateway: Gateway, body: bytes) -> None:
    answer = await gateway.http.post("/api/chat/sessions", content=body)
    assert answer.status_code in (400, 422)
    code_of(answer)


class TestTokens:
    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Bearer",
            "Bearer nonsense",
            "Basic dXNlcjpwdw==",
            "Bearer " + "x" * 5_000,
            "Bearer " + Tokens("another key").issue(Visitor("v", "c")),
            "Bearer " + Tokens(KEY).issue(Visitor("v", "no such conversation")),
        ],
    )
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "messages", None),
            ("POST", "messages", {"text": "hello", "client_id": "a"}),
            ("POST", "feedback", {"score": 5}),
            ("GET", "events", None),
        ],
    )
    async def test_only_ours_are_good(
        self, gateway: Gateway, header: str | None, method: str, path: str, body: Any
    ) -> None:
        headers = {} if header is None else {"Authorization": header}
        answer = await gateway.http.request(method, f"/api/chat/{path}", json=body, headers=headers)
        assert (answer.status_code, code_of(answer)) == (401, "unauthorized")

    def test_a_changed_one_is_refused(self) -> None:
        token = Tokens(KEY).issue(Visitor("v", "c"))
        for index in range(0, len(token), 3):
            changed = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
            with pytest.raises(BadToken):
                Tokens(KEY).read(changed)

    def test_it_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tokens = Tokens(KEY, max_age_seconds=60)
        token = tokens.issue(Visitor("v", "c"))
        assert tokens.read(token) == Visitor("v", "c")
        later = time.time() + 120
        monkeypatch.setattr(time, "time", lambda: later)
        with pytest.raises(BadToken):
            tokens.read(token)


def a_customer(external_id: str, email: str | None) -> int:
    with session() as opened:
        moment = now()
        customer = Customer(
            source="shopify", external_id=external_id, email=email, created_at=moment, updated_at=moment
        )
        opened.add(customer)
        opened.flush()
        return customer.id


class TestIdentity:
    def _signed(self, secret: str = KEY, **claims: Any) -> str:
        return sign_identity({"exp": time.time() + 60, **claims}, secret)

    async def _linked(self, gateway: Gateway, identity: str) -> tuple[int | None, str | None]:
        await gateway.visitor(identity=identity)
        with session() as opened:
            found = opened.scalars(select(Identity)).one()
            return found.customer_id, found.linked_by

    async def test_the_shops_site_vouches_by_number(self, gateway: Gateway) -> None:
        lin = a_customer("6001", "lin@example.org")
        assert await self._linked(gateway, self._signed(customer_id=6001)) == (lin, "signed_identity")

    async def test_or_by_email(self, gateway: Gateway) -> None:
        lin = a_customer("6001", "lin@example.org")
        assert await self._linked(gateway, self._signed(email=" Lin@Example.org")) == (lin, "signed_identity")

    async def test_an_email_of_two_customers_proves_nothing(self, gateway: Gateway) -> None:
        a_customer("6001", "lin@example.org")
        a_customer("6002", "lin@example.org")
        assert await self._linked(gateway, self._signed(email="lin@example.org")) == (None, None)

    async def test_somebody_unknown_is_a_stranger(self, gateway: Gateway) -> None:
        assert await self._linked(gateway, self._signed(customer_id="new")) == (None, None)

    @pytest.mark.parametrize(
        "identity",
        [
            "nonsense",
            ".",
            "a.b.c",
            "é.ü",
            sign_identity({"customer_id": "6001", "exp": 4e9}, "another key"),
            sign_identity({"customer_id": "6001", "exp": 1}, KEY),
            sign_identity({"customer_id": "6001"}, KEY),
            sign_identity({"customer_id": "6001", "exp": "soon"}, KEY),
            sign_identity({"customer_id": "6001", "exp": float("nan")}, KEY),
            sign_identity({"exp": 4e9}, KEY),
            sign_identity([], KEY),  # type: ignore[arg-type]
            sign_identity({"customer_id": "6001", "exp": 4e9}, KEY) + "0",
        ],
    )
    async def test_anything_else_is_refused(self, gateway: Gateway, identity: str) -> None:
        a_customer("6001", "lin@example.org")
        answer = await gateway.http.post("/api/chat/sessions", json={"identity": identity})
        assert (answer.status_code, code_of(answer)) == (401, "unauthorized")

    async def test_a_secret_of_its_own_replaces_the_key(self, store: Engine, settings: Settings) -> None:
        lin = a_customer("6001", None)
        own = Settings(_env_file=None, identity_secret="only for identities").identity_secret
        async with gateway_with(settings.model_copy(update={"identity_secret": own})) as gateway:
            old = self._signed(customer_id="6001")
            assert (await gateway.http.post("/api/chat/sessions", json={"identity": old})).status_code == 401
            assert await self._linked(gateway, self._signed("only for identities", customer_id="6001")) == (
                lin,
                "signed_identity",
            )

    def test_the_form_is_the_documented_one(self) -> None:
        """printf %s BODY | openssl dgst -sha256 -hmac secret"""
        identity = (
            "eyJjdXN0b21lcl9pZCI6ICI2MDAxIiwgImV4cCI6IDQwMDAwMDAwMDB9"
            ".efee8a19ac5711e4bfd3718e6675bb293335af9b82d9a1401f5413b87e3141c0"
        )
        assert sign_identity({"customer_id": "6001", "exp": 4_000_000_000}, "secret") == identity
        assert read_identity(identity, "secret", now=now()).customer_id == "6001"


class TestLimits:
    async def test_sessions_per_address(self, store: Engine, settings: Settings) -> None:
        async with gateway_with(settings.model_copy(update={"sessions_per_minute": 2})) as gateway:
            for _ in range(2):
                await gateway.visitor()
            answer = await gateway.http.post("/api/chat/sessions")
            assert (answer.status_code, code_of(answer)) == (429, "too_many_requests")
            assert 1 <= int(answer.headers["Retry-After"]) <= 30
            elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
            async with httpx.AsyncClient(base_url=gateway.url, transport=elsewhere) as other:
                assert (await other.post("/api/chat/sessions")).status_code == 201

    async def test_messages_per_visitor(self, store: Engine, settings: Settings) -> None:
        async with gateway_with(settings.model_copy(update={"messages_per_minute": 3})) as gateway:
            park, lin = await gateway.visitor(), await gateway.visitor()
            statuses = [(await park.says(str(number))).status_code for number in range(4)]
            assert statuses == [200, 200, 200, 429]
            refused = await park.says("again")
            assert int(refused.headers["Retry-After"]) >= 1
            assert (await lin.says("hello")).status_code == 200
            assert len(await park.history()) == 6

    async def test_forwarded_addresses_count_only_behind_our_proxy(self, store: Engine, settings: Settings) -> None:
        async def statuses(trusted: str) -> list[int]:
            limited = settings.model_copy(update={"sessions_per_minute": 1, "trusted_proxies": trusted})
            async with gateway_with(limited) as gateway:
                return [
                    (
                        await gateway.http.post("/api/chat/sessions", headers={"X-Forwarded-For": f"203.0.113.{n}"})
                    ).status_code
                    for n in (1, 2)
                ]

        assert await statuses("") == [201, 429]
        assert await statuses("127.0.0.1") == [201, 201]

    async def test_a_bucket_fills_again(self) -> None:
        clock = 0.0
        limiter = LocalLimiter(clock=lambda: clock)
        assert [await limiter.wait_for("a", Rate(2)) for _ in range(3)] == [0, 0, 30]
        clock = 30.0
        assert [await limiter.wait_for("a", Rate(2)) for _ in range(2)] == [0, 30]
        assert await limiter.wait_for("b", Rate(2)) == 0

    @pytest.mark.parametrize(
        ("host", "key"),
        [
            ("127.0.0.2", "127.0.0.2"),
            ("::ffff:127.0.0.2", "127.0.0.2"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("testclient", "testclient"),
        ],
    )
    def test_one_household_is_one_address(self, host: str, key: str) -> None:
        assert address_key(host) == key


async def test_the_description_of_the_api_is_true(gateway: Gateway) -> None:
    described = (await gateway.http.get("/api/openapi.json")).json()
    paths = described["paths"]
    assert {"/api/chat/sessions", "/api/chat/messages", "/api/chat/events", "/api/chat/feedback"} <= set(paths)
    say = paths["/api/chat/messages"]["post"]["responses"]
    assert {"200", "202", "400", "401", "413", "422", "429", "503"} <= set(say)
    assert say["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")
    assert "webhook" not in json.dumps(described).lower()
