"""Getting into the owner's console, and making her browser do what she did not mean."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import func, select

import crm
from crm.models import SignInFailure, StaffMember, StaffSession
from crm.settings import Settings
from gateway.console import access, app
from tests.gateway.conftest import Gateway, Visitor, gateway_with
from tests.gateway.test_console import PASSWORD, Console

# Open to those who are not signed in: the sign-in itself.
OPEN = {("GET", "/owner/sign-in"), ("POST", "/owner/sign-in")}
# Only for the owner, by the contract of roles; everything else a helper may do too.
OWNERS = {
    "/owner/settings",
    "/owner/settings/pair",
    "/owner/settings/unpair",
    "/owner/settings/helpers",
    "/owner/settings/helpers/{number}/remove",
    "/owner/settings/doctor",
    "/owner/customers/{number}/export",
    "/owner/customers/{number}/erase",
    "/owner/follow-ups/rules/{kind}",
}
VALUES = {"number": "1", "slug": "delivery", "week": "2026-W47", "kind": "back_in_stock", "label": "x", "outcome": "x"}


def routes(method: str) -> list[str]:
    """All of the console's addresses, with values in them: what is added later is attacked too."""
    found = [
        route.path
        for module in app.ROUTES
        for route in module.router.routes
        if isinstance(route, APIRoute) and method in route.methods and (method, route.path) not in OPEN
    ]
    assert len(found) > 10
    return sorted(set(found))


def filled(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda name: VALUES.get(name[1], "1"), path)


POSTS, GETS = routes("POST"), routes("GET")


@pytest.fixture
async def helper(gateway: Gateway, owner: Console) -> AsyncIterator[Console]:
    answer = await owner.sends("/settings/helpers", name="Mei", password="a-long-password")
    assert answer.status_code == 303
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=20) as http:
        console = Console(http)
        assert (await console.sign_in("mei", "a-long-password")).status_code == 303
        yield console


async def test_no_page_is_shown_to_strangers(gateway: Gateway, browser: Console) -> None:
    for path in GETS:
        answer = await browser.http.get(filled(path))
        led_to_sign_in = answer.status_code == 303 and answer.headers["Location"].startswith("/owner/sign-in")
        assert led_to_sign_in or answer.status_code == 401, path
        fragment = await browser.http.get(filled(path), headers={"X-Fragment": "1"})
        assert fragment.status_code == 401, path


async def test_no_form_is_taken_from_strangers(gateway: Gateway, browser: Console) -> None:
    for path in POSTS:
        answer = await browser.http.post(filled(path), data={"csrf": "0" * 64, "text": "x", "key": "k"})
        assert answer.status_code == 401, path


FOREIGN: dict[str, dict[str, Any]] = {
    "without the page's secret": {},
    "an empty secret": {"data": {"csrf": ""}},
    "a guessed secret": {"data": {"csrf": "0" * 64}},
    "a secret that is no text": {"headers": {"X-Desk-Token": "\u00e9"}},
    "the secret, from another site": {"good": True, "headers": {"Origin": "https://evil.example"}},
    "the secret, from a site with our name in it": {
        "good": True,
        "headers": {"Origin": "http://127.0.0.1.evil.example"},
    },
    "the secret, by another site's frame": {"good": True, "headers": {"Sec-Fetch-Site": "cross-site"}},
    "the secret, by a neighbour": {"good": True, "headers": {"Sec-Fetch-Site": "same-site"}},
    "the secret of a session of before": {"data": {"csrf": "old"}},
}


@pytest.mark.parametrize("attack", FOREIGN)
async def test_no_form_is_taken_from_another_sites_page(owner: Console, attack: str) -> None:
    how, old = FOREIGN[attack], owner.csrf
    if attack.endswith("of before"):
        await owner.sign_in()
        assert owner.csrf != old
    fields = dict(how.get("data", {}))
    if fields.get("csrf") == "old":
        fields["csrf"] = old
    if how.get("good"):
        fields["csrf"] = owner.csrf
    headers = {name: value.encode() for name, value in how.get("headers", {}).items()}
    for path in POSTS:
        answer = await owner.http.post(filled(path), data=fields, headers=headers)
        assert answer.status_code == 403, (path, answer.status_code)


async def test_a_form_as_text_or_json_needs_the_secret_too(owner: Console) -> None:
    for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x", ""):
        answer = await owner.http.post(
            "/owner/settings/pair", content=b'{"a": "=1"}', headers={"Content-Type": kind} if kind else {}
        )
        assert answer.status_code == 403, kind


async def test_looking_changes_nothing(owner: Console) -> None:
    """Links and pictures on another site make a browser GET: no GET may do anything."""
    with crm.session() as session:
        before = session.scalar(select(func.count()).select_from(StaffMember))
    for path in POSTS:
        answer = await owner.http.get(filled(path), params={"csrf": owner.csrf, "do": "send"})
        assert answer.status_code in (200, 404, 405, 422), path
        if answer.status_code == 200:
            assert path in GETS, path
    with crm.session() as session:
        assert session.scalar(select(func.count()).select_from(StaffMember)) == before


async def test_a_helper_gets_nothing_that_is_the_owners(helper: Console) -> None:
    assert set(POSTS) >= OWNERS
    for path in sorted(OWNERS):
        answer = await helper.sends(filled(path).removeprefix("/owner"))
        assert answer.status_code == 403, path


async def test_a_helper_cannot_become_the_owner(helper: Console, gateway: Gateway) -> None:
    for cookie in ("desk_owner=owner", "role=owner", "desk_role=owner; admin=1"):
        answer = await helper.http.get("/owner/settings", headers={"Cookie": cookie})
        assert answer.status_code == 303
    answer = await helper.sends("/settings/helpers", name="owner", password="a-long-password")
    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["owner", " OWNER ", "Owner", "owner\x00"])
async def test_no_helper_may_take_the_owners_name(owner: Console, name: str, gateway: Gateway) -> None:
    await owner.sends("/settings/helpers", name=name, password="a-long-password")
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        assert (await Console(http).sign_in("owner", "a-long-password")).status_code == 401


async def test_a_session_planted_before_the_sign_in_is_worth_nothing(gateway: Gateway, browser: Console) -> None:
    planted = "planted-by-somebody-else"
    answer = await browser.http.post(
        "/owner/sign-in", data={"password": PASSWORD}, headers={"Cookie": f"desk_owner={planted}"}
    )
    assert answer.status_code == 303
    given = answer.cookies["desk_owner"]
    assert given != planted
    assert (await gateway.http.get("/owner", headers={"Cookie": f"desk_owner={planted}"})).status_code == 303


async def test_each_sign_in_is_a_session_of_its_own(owner: Console) -> None:
    first = owner.http.cookies["desk_owner"]
    await owner.sign_in()
    assert owner.http.cookies["desk_owner"] != first


async def test_the_chats_token_opens_no_console_and_the_cookie_no_chat(
    gateway: Gateway, owner: Console, park: Visitor
) -> None:
    token = park.session["token"]
    assert (await gateway.http.get("/owner", headers={"Cookie": f"desk_owner={token}"})).status_code == 303
    assert (await gateway.http.get("/owner", headers=park.headers)).status_code == 303
    cookie = owner.http.cookies["desk_owner"]
    answer = await gateway.http.get("/api/chat/messages", headers={"Authorization": f"Bearer {cookie}"})
    assert answer.status_code == 401
    assert (await owner.http.get("/api/chat/messages")).status_code == 401


async def test_whether_a_name_exists_is_not_told(gateway: Gateway, helper: Console) -> None:
    answers = []
    for name in ("mei", "nobody", "owner"):
        answers.append(await gateway.http.post("/owner/sign-in", data={"name": name, "password": "wrong"}))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


async def test_guesses_under_different_names_count_together(gateway: Gateway) -> None:
    statuses = [
        (await gateway.http.post("/owner/sign-in", data={"name": f"name{n}", "password": "x"})).status_code
        for n in range(12)
    ]
    assert statuses.count(401) < 12
    assert statuses[-1] == 429


SAYS_WHERE = {"X-Forwarded-For": 4, "Forwarded": 0, "X-Real-IP": 4, "CF-Connecting-IP": 4, "True-Client-IP": 4}


async def test_another_address_in_a_header_gets_no_more_guesses(gateway: Gateway) -> None:
    statuses = [
        (
            await gateway.http.post(
                "/owner/sign-in",
                data={"password": "x"},
                headers={
                    "X-Forwarded-For": f"203.0.113.{n}",
                    "Forwarded": f"for=203.0.113.{n}",
                    "X-Real-IP": f"203.0.113.{n}",
                },
            )
        ).status_code
        for n in range(12)
    ]
    assert statuses[-1] == 429


async def test_the_lock_holds_for_the_right_password_too_and_says_until_when(
    gateway: Gateway, browser: Console
) -> None:
    for _ in range(12):
        await browser.sign_in(password="wrong")
    locked = await browser.sign_in()
    assert locked.status_code == 429
    assert int(locked.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in locked.headers
    with crm.session() as session:
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0
        assert (session.scalar(select(func.count()).select_from(SignInFailure)) or 0) > 0


async def test_another_sites_page_cannot_lock_the_owner_out(gateway: Gateway, browser: Console) -> None:
    for _ in range(15):
        answer = await browser.http.post(
            "/owner/sign-in", data={"password": "x"}, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403
    assert (await browser.sign_in()).status_code == 303


AWAY = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/owner\\@evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/owner@evil.example:80//",
    "//owner.evil.example",
    "owner",
    "http:/owner",
    "/%2f/evil.example",
    "/\t/evil.example",
    "/owner\r\nSet-Cookie: x=1",
    "/owner\r\n\r\n<script>",
    " //evil.example",
    "/owner/../..//evil.example",
    "/./owner//evil",
]


@pytest.mark.parametrize("target", AWAY)
async def test_no_link_leads_away_from_the_desk(owner: Console, gateway: Gateway, target: str) -> None:
    answers = [
        await gateway.http.post("/owner/sign-in", data={"password": PASSWORD, "next": target}),
        await owner.sends("/look", next=target),
    ]
    for answer in answers:
        location = answer.headers["Location"]
        assert answer.status_code == 303
        landing = httpx.URL(gateway.url).join(location)
        assert (landing.host, landing.port) == (httpx.URL(gateway.url).host, httpx.URL(gateway.url).port), location
        assert "\n" not in location
        assert "x" not in answer.cookies
    page = await owner.http.get("/owner/sign-in", params={"next": target})
    assert "evil.example" not in page.text
    assert "<script>" not in page.text


async def test_the_cookie_is_bound_to_https_and_to_the_console(settings: Settings, store: Any) -> None:
    async with gateway_with(settings.model_copy(update={"public_url": "https://desk.example"})) as running:
        answer = await running.http.post("/owner/sign-in", data={"password": PASSWORD})
        cookie = answer.headers["Set-Cookie"].lower()
        for word in ("secure", "httponly", "samesite=lax", f"path={access.PATH}"):
            assert word in cookie
        assert "domain" not in cookie
