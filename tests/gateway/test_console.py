"""The owner's console: who gets in, who may do what, and what its pages do to the store and to customers."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from crm import conversations, returns, session, staff
from crm.models import Identity, KnowledgeArticle, Message, SignInFailure, StaffSession
from crm.settings import Settings
from crm.types import now
from gateway.console import pages
from tests.gateway.conftest import Gateway, Visitor
from tests.gateway.test_takeover import conversation_of, hand_over
from tests.support.factories import a_customer, an_order
from tests.support.fake_rasa import FakeRasa

PASSWORD = "correct-horse-battery"
TOKEN = re.compile(r'data-csrf="([0-9a-f]{64})"')
PAGES = (
    "",
    "/customers",
    "/questions",
    "/lessons",
    "/knowledge",
    "/catalogue",
    "/returns",
    "/quotes",
    "/follow-ups",
    "/reports",
    "/digests",
    "/settings",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"owner_password": Settings(_env_file=None, owner_password=PASSWORD).owner_password}
    )


class Console:
    """A browser at /owner."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.csrf = ""

    async def sign_in(self, name: str = "owner", password: str = PASSWORD) -> httpx.Response:
        answer = await self.http.post("/owner/sign-in", data={"name": name, "password": password})
        if answer.status_code == 303:
            found = TOKEN.search((await self.http.get("/owner")).text)
            assert found is not None
            self.csrf = found[1]
        return answer

    async def sends(self, path: str, **fields: Any) -> httpx.Response:
        return await self.http.post(f"/owner{path}", data={"csrf": self.csrf, **fields})


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[Console]:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=20) as http:
        yield Console(http)


@pytest.fixture
async def owner(browser: Console) -> Console:
    assert (await browser.sign_in()).status_code == 303
    return browser


@pytest.fixture
async def helper(gateway: Gateway, owner: Console) -> AsyncIterator[Console]:
    answer = await owner.sends("/settings/helpers", name="Mei", password="a-long-password")
    assert answer.status_code == 303
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=20) as http:
        console = Console(http)
        assert (await console.sign_in("mei", "a-long-password")).status_code == 303
        yield console


async def test_nobody_sees_a_page_without_signing_in(browser: Console) -> None:
    for path in (*PAGES, "/conversations/1", "/rows", "/knowledge/x", "/digests/2026-W01/letter"):
        answer = await browser.http.get(f"/owner{path}")
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith("/owner/sign-in"), path
    assert (await browser.http.get("/owner/rows", headers={"X-Fragment": "1"})).status_code == 401
    assert (await browser.http.post("/owner/conversations/1/say", data={"text": "hi"})).status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Console) -> None:
    answer = await browser.sign_in()
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/owner" in cookie
    assert PASSWORD not in answer.headers["Set-Cookie"]
    with session() as opened:
        stored = opened.scalars(select(StaffSession)).one()
        member = staff.owner(opened)
    assert stored.token_hash not in cookie
    assert member is not None
    assert member.password_hash.startswith("$argon2id$")


async def test_over_https_the_cookie_is_secure(settings: Settings, store: Any, rasa: FakeRasa) -> None:
    from tests.gateway.conftest import gateway_with

    async with gateway_with(settings.model_copy(update={"public_url": "https://desk.example"})) as running:
        answer = await running.http.post("/owner/sign-in", data={"password": PASSWORD})
        assert answer.status_code == 303
        assert "secure" in answer.headers["Set-Cookie"].lower()


async def test_a_forged_or_signed_out_cookie_opens_nothing(owner: Console, gateway: Gateway) -> None:
    cookie = owner.http.cookies["desk_owner"]
    for forged in ("x", cookie[:-2] + "AA", cookie.split(".")[0]):
        answer = await gateway.http.get("/owner", headers={"Cookie": f"desk_owner={forged}"})
        assert answer.status_code == 303
    assert (await gateway.http.get("/owner", headers={"Cookie": f"desk_owner={cookie}"})).status_code == 200
    await owner.sends("/sign-out")
    assert (await gateway.http.get("/owner", headers={"Cookie": f"desk_owner={cookie}"})).status_code == 303


async def test_guessing_is_stopped_and_says_when_to_try_again(browser: Console, gateway: Gateway) -> None:
    for _ in range(staff.MAX_FAILURES_PER_ADDRESS):
        assert (await browser.sign_in(password="wrong")).status_code == 401
    locked = await browser.sign_in()
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60 + 1
    with session() as opened:
        for failure in opened.scalars(select(SignInFailure)):
            failure.failed_at = now() - timedelta(minutes=16)
    assert (await browser.sign_in()).status_code == 303


async def test_many_guesses_at_once_gain_nothing(gateway: Gateway) -> None:
    import asyncio

    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=30) as http:
        answers = await asyncio.gather(
            *(http.post("/owner/sign-in", data={"password": f"guess {n}"}) for n in range(20))
        )
    refused = [answer.status_code for answer in answers]
    assert set(refused) <= {401, 429}
    assert refused.count(401) <= staff.MAX_FAILURES_PER_ADDRESS


async def test_a_new_password_in_the_environment_ends_the_old_one(
    owner: Console, gateway: Gateway, settings: Settings
) -> None:
    fresh = Settings(_env_file=None, owner_password="quite-another-one").owner_password
    object.__setattr__(gateway.parts, "settings", settings.model_copy(update={"owner_password": fresh}))
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        assert (await Console(http).sign_in(password=PASSWORD)).status_code == 401
        assert (await Console(http).sign_in(password="quite-another-one")).status_code == 303
    assert (await owner.http.get("/owner")).status_code == 303


async def test_what_another_sites_page_sends_is_refused(owner: Console, park: Visitor) -> None:
    await park.hears("hello")
    number = conversation_of(park).id
    path = f"/owner/conversations/{number}/say"
    without = await owner.http.post(path, data={"text": "hi", "key": "k"})
    forged = await owner.http.post(path, data={"text": "hi", "key": "k", "csrf": "0" * 64})
    foreign = await owner.http.post(
        path, data={"text": "hi", "key": "k", "csrf": owner.csrf}, headers={"Origin": "https://evil.example"}
    )
    crossed = await owner.http.post(
        path, data={"text": "hi", "key": "k", "csrf": owner.csrf}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert [answer.status_code for answer in (without, forged, foreign, crossed)] == [403] * 4
    assert [m["author"] for m in await park.history()] == ["customer", "bot"]


async def test_a_link_cannot_lead_away_after_signing_in(browser: Console) -> None:
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = await browser.http.post("/owner/sign-in", data={"password": PASSWORD, "next": target})
        assert answer.headers["Location"] == "/owner"


async def test_every_page_opens_in_both_languages_under_a_strict_policy(owner: Console) -> None:
    for language in pages.LANGUAGES:
        owner.http.cookies.set("desk_language", language, path="/owner")
        for path in (*PAGES, "/more", "/knowledge/new"):
            answer = await owner.http.get(f"/owner{path}")
            assert answer.status_code == 200, (path, answer.text[:300])
            policy = answer.headers["Content-Security-Policy"]
            assert "script-src 'self'" in policy
            assert "unsafe-inline" not in policy
            assert "frame-ancestors 'none'" in policy
            assert not re.search(r"<script>|<script [^>]*>[^<]|\son\w+=|\sstyle=", answer.text), path


async def test_what_a_customer_writes_stays_text(owner: Console, park: Visitor) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{ 7*7 }}"
    await park.hears(hostile)
    number = conversation_of(park).id
    for path in ("", f"/conversations/{number}", f"/conversations/{number}/messages", f"?q={hostile}"):
        text = (await owner.http.get(f"/owner{path}")).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


async def test_the_owner_answers_and_returns_from_the_console(owner: Console, park: Visitor, rasa: FakeRasa) -> None:
    await park.hears("my parcel is broken")
    hand_over(park.conversation_id)
    number = conversation_of(park).id
    listed = (await owner.http.get("/owner?shelf=waiting")).text
    assert f"/owner/conversations/{number}" in listed
    page = (await owner.http.get(f"/owner/conversations/{number}")).text
    assert "my parcel is broken" in page
    said = await owner.sends(f"/conversations/{number}/say", text="A new one leaves today.", key="web:1")
    assert said.status_code == 303
    await owner.sends(f"/conversations/{number}/say", text="A new one leaves today.", key="web:1")
    assert [m["text"] for m in await park.history() if m["author"] == "owner"] == ["A new one leaves today."]
    assert (await park.says("thanks")).json()["replies"] == []
    await owner.sends(f"/conversations/{number}/return")
    assert await park.hears("and now?") == ["You said: and now?"]
    assert rasa.texts == ["my parcel is broken", "and now?"]


def asked_to_return(visitor: Visitor) -> tuple[int, int]:
    """A return that the visitor, a customer by now, asks for; its number and the customer's."""
    with session() as opened:
        conversation = conversations.by_public_id(opened, visitor.conversation_id)
        customer = a_customer(opened, "Ms Park", "park@example.com")
        opened.get_one(Identity, conversation.identity_id).customer_id = customer.id
        order = an_order(opened, "2003", of=customer)
        found = returns.ask(opened, conversation, order, request_key="r", reason="The lid <b>leaks</b>", now=now())
        return found.id, customer.id


async def test_a_return_is_decided_once_and_the_customer_reads_it(owner: Console, park: Visitor) -> None:
    await park.hears("I want to send it back")
    number, customer = asked_to_return(park)
    talk = f"/owner/conversations/{conversation_of(park).id}"
    assert f"#return-{number}" in (await owner.http.get(talk)).text
    for path in ("/owner/returns", f"/owner/customers/{customer}"):
        page = (await owner.http.get(path)).text
        assert "The lid &lt;b&gt;leaks&lt;/b&gt;" in page
        assert f'action="/owner/returns/{number}"' in page
    assert (await owner.sends(f"/returns/{number}", do="burn")).status_code == 422
    answer = await owner.sends(f"/returns/{number}", do="approve", note="Send it to 7 Lake Road.", next=talk)
    assert (answer.status_code, answer.headers["Location"]) == (303, talk)
    again = await owner.sends(f"/returns/{number}", do="decline", note="No.")
    assert again.headers["Location"] == "/owner/returns?problem=decided"
    assert "was decided already" in (await owner.http.get(again.headers["Location"])).text
    told = [message["text"] for message in await park.history() if "2003" in message["text"]]
    assert len(told) == 1
    assert "is approved" in told[0]
    assert "Send it to 7 Lake Road." in told[0]
    assert f"#return-{number}" not in (await owner.http.get(talk)).text
    await owner.sends(f"/returns/{number}", do="refunded")
    assert "has been refunded" in (await park.history())[-1]["text"]
    assert (await owner.sends("/returns/999", do="approve")).status_code == 404


async def test_a_helper_decides_a_return_under_their_own_name_and_another_site_cannot(
    owner: Console, helper: Console, lin: Visitor
) -> None:
    await lin.hears("我要退货")
    number, _ = asked_to_return(lin)
    path = f"/owner/returns/{number}"
    assert (await helper.http.post(path, data={"do": "approve"})).status_code == 403
    crossed = await helper.http.post(
        path, data={"do": "approve", "csrf": helper.csrf}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert crossed.status_code == 403
    assert (await helper.sends(f"/returns/{number}", do="decline", note="杯子用过了")).status_code == 303
    assert re.search(r"decided Today \d\d:\d\d mei", (await owner.http.get("/owner/returns")).text)
    told = (await lin.history())[-1]["text"]
    assert "没有通过" in told
    assert "杯子用过了" in told


async def test_the_list_says_only_when_it_changed(owner: Console, park: Visitor) -> None:
    await park.hears("hello")
    first = await owner.http.get("/owner/rows", params={"version": ""})
    assert first.status_code == 200
    version = first.headers["X-Version"]
    assert (await owner.http.get("/owner/rows", params={"version": version})).status_code == 204
    hand_over(park.conversation_id)
    changed = await owner.http.get("/owner/rows", params={"version": version})
    assert (changed.status_code, changed.headers["X-Waiting"]) == (200, "1")


async def test_search_finds_words_and_takes_wildcards_as_text(owner: Console, park: Visitor, lin: Visitor) -> None:
    await park.hears("the teapot drips")
    await lin.hears("100% 棉的吗")
    assert "the teapot drips" in (await owner.http.get("/owner", params={"q": "teapot"})).text
    found = (await owner.http.get("/owner", params={"q": "100%"})).text
    assert f"/conversations/{conversation_of(lin).id}" in found
    assert f"/conversations/{conversation_of(park).id}" not in found


async def test_a_helper_answers_but_neither_sets_nor_exports(helper: Console, park: Visitor) -> None:
    await park.hears("hello")
    number = conversation_of(park).id
    assert (await helper.sends(f"/conversations/{number}/say", text="Mei here", key="1")).status_code == 303
    for path in ("/settings", "/settings/pair", "/settings/helpers", "/settings/doctor"):
        assert (await helper.sends(path, name="x", password="y" * 12)).status_code == 403, path
    assert "Examine the installation" not in (await helper.http.get("/owner/settings")).text


async def test_the_owner_exports_and_erases_a_customer_and_a_helper_cannot(
    owner: Console, helper: Console, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESK_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("DESK_TRACKER_URL", f"sqlite:///{tmp_path}/rasa.db")
    monkeypatch.setenv("DESK_SECRET_KEY", "a key for the tests")
    with session() as opened:
        customer = a_customer(opened, "Ms Park", "park@example.com")
        number, record = customer.id, customer.external_id
    page = (await owner.http.get(f"/owner/customers/{number}")).text
    assert "park@example.com" in page
    for path in ("export", "erase"):
        refused = await helper.sends(f"/customers/{number}/{path}", typed=record)
        assert refused.status_code == 403, path
    exported = await owner.sends(f"/customers/{number}/export")
    assert "attachment" in exported.headers["Content-Disposition"]
    assert "park@example.com" in exported.text
    unsure = await owner.sends(f"/customers/{number}/erase", typed="no")
    assert unsure.status_code == 422
    receipt = await owner.sends(f"/customers/{number}/erase", typed=record)
    assert receipt.status_code == 200, receipt.text
    assert "erased_at" in receipt.text
    assert "park@example.com" not in (await owner.http.get(f"/owner/customers/{number}")).text


async def test_a_removed_helper_is_out_at_once(owner: Console, helper: Console) -> None:
    assert (await helper.http.get("/owner")).status_code == 200
    with session() as opened:
        number = staff.helpers(opened)[0].id
    await owner.sends(f"/settings/helpers/{number}/remove")
    assert (await helper.http.get("/owner")).status_code == 303


async def test_a_question_answered_in_place_becomes_an_article(owner: Console, park: Visitor) -> None:
    await park.hears("may I bring my camel?")
    with session() as opened:
        message = opened.scalars(select(Message).where(Message.author == "customer")).one()
        message.intent, message.language = "out_of_scope", "en"
        number = message.id
    assert "may I bring my camel?" in (await owner.http.get("/owner/questions")).text
    await owner.sends(
        "/questions",
        do="answer",
        ids=str(number),
        language="en",
        title="Camels",
        body="Camels wait in the yard.",
        questions="may I bring my camel?",
    )
    with session() as opened:
        article = opened.scalars(select(KnowledgeArticle)).one()
        assert (article.title, article.questions) == ("Camels", ["may I bring my camel?"])
        assert opened.scalar(select(func.count()).select_from(KnowledgeArticle)) == 1
    assert "may I bring my camel?" not in (await owner.http.get("/owner/questions")).text


async def test_a_refusal_is_a_page_for_people_and_json_for_programs(owner: Console) -> None:
    missing = await owner.http.get("/owner/customers/999", headers={"Accept": "text/html"})
    assert missing.status_code == 404
    assert "no such page" in missing.text
    assert "script-src 'self'" in missing.headers["Content-Security-Policy"]
    assert (await owner.http.get("/owner/customers/999")).json()["error"]["code"] == "not_found"
    elsewhere = await owner.http.get("/api/chat/messages", headers={"Accept": "text/html"})
    assert elsewhere.json()["error"]["code"] == "unauthorized"


async def test_without_a_password_set_nobody_gets_in(browser: Console, gateway: Gateway, settings: Settings) -> None:
    object.__setattr__(gateway.parts, "settings", settings.model_copy(update={"owner_password": None}))
    assert (await browser.sign_in(password="")).status_code == 401
    assert (await browser.sign_in(password="None")).status_code == 401


async def test_settings_are_kept(owner: Console) -> None:
    answer = await owner.sends(
        "/settings", return_after_minutes="45", quiet_from="21:00", quiet_until="07:30", language="zh"
    )
    assert answer.status_code == 303
    text = (await owner.http.get("/owner/settings")).text
    assert 'value="45"' in text
    assert 'value="21:00"' in text
    assert (await owner.sends("/settings", return_after_minutes="-3")).status_code == 422


def test_both_catalogues_say_the_same_things() -> None:
    english, chinese = pages.wording("en"), pages.wording("zh")
    assert set(english) == set(chinese)
    for name in english:
        fields = {frozenset(re.findall(r"{(\w+)}", text[name])) for text in (english, chinese)}
        assert len(fields) == 1, name


def test_every_sentence_that_a_page_names_exists() -> None:
    named = set()
    for file in (pages.FOLDER / "templates").glob("*.html"):
        named |= set(re.findall(r"""\bt\("([a-z_]+(?:\.[a-z_]+)*)"[,)]""", file.read_text(encoding="utf-8")))
    assert named - set(pages.wording("en")) == set()
