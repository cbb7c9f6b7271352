"""What other sites' pages may do with the desk in a visitor's browser, and what every answer tells browsers."""

import re

import httpx
import pytest
from sqlalchemy import Engine

from crm import conversations, session
from crm.settings import Settings
from tests.gateway.conftest import Gateway, Visitor, gateway_with
from tests.gateway.test_console import Console

FOREIGN = "https://evil.example"
PAGES = ["/", "/demo/", "/owner", "/owner/sign-in", "/owner/do/x", "/my-data/x", "/widget.js", "/api/shop"]
PAGES += ["/api/openapi.json", "/healthz", "/readyz", "/metrics", "/nowhere", "/owner/nowhere", "/owner/links.css"]
PAGES += [
    "/owner/static/console.css",
    "/api/chat/messages",
    "/api/chat/nowhere",
    "/docs",
    "/redoc",
    "/telegram/webhook",
]
ORIGINS = [
    FOREIGN,
    "null",
    "https://shop.example.evil.example",
    "https://evil-shop.example",
    "http://shop.example",
    "https://shop.example:8443",
    "https://SHOP.example.",
    "https://shop.example@evil.example",
    "https://shop.example, https://evil.example",
    "file://",
]


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_forbids_scripts_of_others_frames_and_guessing(gateway: Gateway, path: str) -> None:
    for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE"):
        answer = await gateway.http.request(method, path)
        policy = answer.headers["Content-Security-Policy"]
        assert re.search(r"default-src '(self|none)'", policy), (method, policy)
        assert "unsafe" not in policy
        assert "frame-ancestors" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Referrer-Policy" in answer.headers
        assert "Server" not in answer.headers
        assert "X-Powered-By" not in answer.headers
        assert answer.status_code < 500 or path == "/readyz"


async def test_a_failure_is_as_strict_and_says_nothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> bytes:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(gateway.parts.metrics, "text", fails)
    answer = await gateway.http.get("/metrics", headers={"Origin": FOREIGN})
    assert answer.status_code == 500
    assert answer.json() == {"error": {"code": "internal_error", "message": "Something went wrong on our side."}}
    assert "default-src" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def one_origin(settings: Settings) -> Settings:
    return settings.model_copy(update={"allowed_origins": "https://shop.example"})


@pytest.mark.parametrize("origin", ORIGINS)
async def test_with_origins_named_no_other_may_read(store: Engine, one_origin: Settings, origin: str) -> None:
    async with gateway_with(one_origin) as running:
        for path in ("/api/chat/sessions", "/api/chat/messages", "/api/chat/events", "/api/shop"):
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            preflight = await running.http.options(path, headers=asked)
            real = await running.http.post(path, headers={"Origin": origin})
            for answer in (preflight, real):
                assert "Access-Control-Allow-Origin" not in answer.headers
                assert "Access-Control-Allow-Credentials" not in answer.headers
        good = await running.http.post("/api/chat/sessions", headers={"Origin": "https://shop.example"})
        assert good.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "Origin" in good.headers["Vary"]


@pytest.mark.parametrize("path", ["/owner", "/owner/sign-in", "/owner/rows", "/my-data/x", "/owner/do/x", "/metrics"])
async def test_only_the_chat_is_for_other_sites_whatever_is_set(gateway: Gateway, owner: Console, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        headers = {"Origin": FOREIGN, "Access-Control-Request-Method": "POST"}
        answer = await owner.http.request(method, path, headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], method


async def test_methods_and_headers_that_nobody_needs_are_not_allowed(gateway: Gateway) -> None:
    asked = {"Origin": FOREIGN, "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-evil"}
    answer = await gateway.http.options("/api/chat/messages", headers=asked)
    assert answer.status_code == 400
    assert "DELETE" not in answer.headers.get("Access-Control-Allow-Methods", "")


async def test_a_foreign_page_without_the_token_reads_nothing(gateway: Gateway, park: Visitor) -> None:
    """The chat knows no cookies, so a browser sends nothing along that would sign somebody in."""
    await park.says("a secret of Ms Park's")
    opened = await gateway.http.post("/api/chat/sessions", headers={"Origin": FOREIGN})
    assert "Set-Cookie" not in opened.headers
    answer = await gateway.http.get("/api/chat/messages", headers={"Origin": FOREIGN, "Cookie": "token=x"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "//evil.example",
        "/\\evil.example",
        "https:evil",
        "ftp://evil.example/",
        "file:///etc/passwd",
        "http://",
        "https://user\\@evil.example",
        "blob:https://evil.example/1",
    ],
)
async def test_no_bad_address_is_kept(gateway: Gateway, address: str) -> None:
    visitor = await gateway.visitor(page_url=address)
    with session() as opened:
        assert conversations.by_public_id(opened, visitor.conversation_id).page_url is None


async def test_no_answer_says_what_stands_behind_it(gateway: Gateway, park: Visitor) -> None:
    answers: list[httpx.Response] = [
        await gateway.http.get("/api/chat/messages?after=x", headers=park.headers),
        await gateway.http.post("/api/chat/messages", content=b"{", headers=park.headers),
        await gateway.http.post("/api/chat/messages", json={"text": ["swordfish"]}, headers=park.headers),
        await gateway.http.get("/nowhere/swordfish"),
        await gateway.http.put("/api/chat/messages"),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert set(answer.json()) == {"error"}
        for word in ("Traceback", "sqlite", "SQLAlchemy", "uvicorn", "pydantic", "/gateway/", "swordfish"):
            assert word not in answer.text
