"""Pieces of SQL, templates, commands and paths in everything that takes text, on both databases."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, func, inspect, select

import crm
from crm import conversations, migrate, staff
from crm.database import bind, unbind
from crm.models import Channel, Customer, KnowledgeArticle, Message, Product
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor
from tests.gateway.test_console import Console
from tests.security.conftest import Raw, statuses
from tests.support import factories
from tests.support.databases import new_database
from tests.support.product import ROOT

SQL = [
    "' OR '1'='1",
    "'; DROP TABLE messages; --",
    '" OR ""="',
    "1; DELETE FROM customers",
    "' UNION SELECT password_hash FROM staff --",
    "\\'; DROP TABLE orders; --",
    "%' OR 1=1 --",
    "_%_%",
    "') OR sleep(5)=('",
    "'||(SELECT pg_sleep(5))||'",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}{% raw %}",
    "{0.__class__.__mro__}",
    "%s%n%x%(password)s",
    "$(touch /tmp/owned) `id` | cat /etc/passwd",
    "a:b:c' -- \n\r\t\x00\x1b[2J",
    "\u202e\ufeff\u2028\ud83d",
    "NaN",
    "[object Object]",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
]


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_url: str) -> Iterator[str]:
    """SQLite, or PostgreSQL for tests that ask for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield database_url
        return
    with new_database(request.getfixturevalue("postgres_url")) as url:
        migrate.upgrade(bind(url))
        unbind()
        yield url


on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def stocked(store: Engine) -> Engine:
    with crm.session() as session:
        park = factories.park(session)
        tea = factories.a_product(session, "Green tea", "绿茶")
        factories.an_order(session, "1001", of=park, lines=(tea,))
        factories.an_article(session, "delivery", "Delivery", "Three days.")
    return store


def counted() -> list[int]:
    with crm.session() as session:
        return [session.scalar(select(func.count()).select_from(t)) or 0 for t in (Customer, Product, KnowledgeArticle)]


@on_both
async def test_every_field_of_the_chat_takes_it_as_text(stocked: Engine, gateway: Gateway) -> None:
    tables, before = set(inspect(stocked).get_table_names()), counted()
    for attack in SQL:
        body = json.dumps({"language": attack[:60], "page_url": attack, "identity": attack})
        assert (await gateway.http.post("/api/chat/sessions", content=body)).status_code in (201, 401, 422), attack
        visitor: Visitor = await gateway.visitor(language=attack.encode("utf-8", "replace").decode()[:60])
        said: dict[str, Any] = {"text": f"x{attack}", "client_id": f"x{attack}"[:128]}
        headers = {**visitor.headers, "Content-Type": "application/json"}
        answer = await gateway.http.post("/api/chat/messages?wait=10", content=json.dumps(said), headers=headers)
        assert answer.status_code == 200, (attack, answer.text)
        pressed = json.dumps({**said, "client_id": "2", "payload": attack})
        answer = await gateway.http.post("/api/chat/messages", content=pressed, headers=headers)
        assert answer.status_code == 422, attack
        scored = json.dumps({"score": 3, "comment": attack})
        assert (await gateway.http.post("/api/chat/feedback", content=scored, headers=headers)).status_code == 204
        sought = quote(attack, errors="replace")
        for asked in (f"messages?after={sought}", f"messages?limit={sought}", f"events?last_event_id=1{sought}"):
            answer = await gateway.http.get(f"/api/chat/{asked}", headers=headers)
            assert answer.status_code in (400, 422), (asked, answer.text)
    assert set(inspect(stocked).get_table_names()) == tables
    assert counted() == before
    with crm.session() as session:
        stored = session.scalars(select(Message.text).where(Message.author == "customer")).all()
    assert len(stored) == len(SQL)
    assert f"x{SQL[1]}" in stored


FOUND_BY = ["?q=", "?shelf=all&q=", "/rows?list=1&q=", "/customers?q=", "/catalogue?q=", "/knowledge?q="]
SHOWS = ["/knowledge/new?question=", "/sign-in?next=", "/follow-ups?problem=", "/returns?problem=", "/returns?next="]
NUMBERED = ["/customers?page=", "?shelf=", "/conversations/", "/customers/", "/catalogue/", "/rows?current="]
NAMED = ["/knowledge/", "/digests/", "/reports/complaint/", "/reports/x/", "/do/"]
SECRET = ["Ms Park", "$argon2", "root:", ">49<"]


@on_both
async def test_every_search_of_the_console_takes_it_as_text(stocked: Engine, owner: Console) -> None:
    before, wrong = counted(), []
    for attack in SQL:
        sought = quote(attack, errors="replace")
        for path in (*FOUND_BY, *SHOWS, *NUMBERED, *NAMED):
            answer = await owner.http.get(f"/owner{path}{sought}")
            allowed = (400, 404, 422) if path in NAMED else (200, 204, 400, 404, 422)
            if answer.status_code not in allowed or any(word in answer.text for word in SECRET if path in FOUND_BY):
                wrong.append((path, attack, answer.status_code))
    assert wrong == []
    assert counted() == before


NUMBERS = ["0", "-1", "9" * 10, "9" * 19, "9" * 30, "9" * 5_000, "1e3", "0x1", "%D9%A1", "1.0", "%00", "%201"]
GETS = ["conversations/{}", "conversations/{}/messages", "conversations/{}/events", "customers/{}", "catalogue/{}"]
GETS += ["conversations/1/messages?after={}", "customers?page={}", "catalogue?page={}", "rows?current={}"]
GETS += ["quotes/new?conversation={}", "quotes/new?conversation=1&ticket={}"]
POSTS = ["conversations/{}/say", "conversations/{}/take", "conversations/{}/return", "catalogue/{}", "follow-ups/{}"]
POSTS += ["settings/helpers/{}/remove", "customers/{}/export", "customers/{}/erase", "returns/{}", "quotes/{}"]


@on_both
async def test_a_number_that_is_none_or_too_large_is_refused_in_order(store: Engine, owner: Console) -> None:
    wrong = []
    for number in NUMBERS:
        for path in GETS:
            answer = await owner.http.get(f"/owner/{path.format(number)}")
            if answer.status_code not in (200, 204, 400, 404, 422):
                wrong.append((path, number[:20], answer.status_code))
        for path in POSTS:
            answer = await owner.sends(f"/{path.format(number)}", text="x", key="k", status="active", do="dismiss")
            if answer.status_code not in (303, 400, 404, 422):
                wrong.append((path, number[:20], answer.status_code))
        answer = await owner.sends("/questions", ids=f"1,{number}", do="aside")
        if answer.status_code not in (303, 422):
            wrong.append(("questions", number[:20], answer.status_code))
    assert wrong == []


@on_both
async def test_every_form_of_the_console_takes_it_as_text(stocked: Engine, owner: Console) -> None:
    with crm.session() as session:
        product = session.scalars(select(Product)).one()
        number, variant = product.id, product.variants[0].id
        identity = conversations.identity_of(session, Channel.WEB, "v", now=now())
        talk = str(conversations.open_conversation(session, identity, language="en", now=now()).id)
    wrong = []
    for attack in SQL:
        text = attack.encode("utf-8", "replace").decode()
        article = {"language": "en", "title": text, "body": text, "questions": text, "tags": text, "slug": text}
        a_quote = {"key": "k" * 32, "do": "check", "title_0": "Tea", "quantity_0": "1", "price_0": "1"}
        forms: list[tuple[str, dict[str, str]]] = [
            ("/knowledge", article),
            ("/questions", {**article, "do": "answer", "ids": text}),
            (f"/catalogue/{number}", {"status": "active", "title": text, "description": text, f"price_{variant}": "1"}),
            (f"/catalogue/{number}", {"status": "active", "title": "Tea", f"price_{variant}": text}),
            (f"/catalogue/{number}", {"status": text, "title": "Tea"}),
            ("/settings", {"language": text, "return_after_minutes": text, "quiet_from": text, "away_until": text}),
            ("/settings", {"language": text, "return_after_minutes": "30"}),
            ("/settings/unpair", {"chat": text}),
            ("/settings/helpers", {"name": text, "password": "a-long-password" + text}),
            ("/follow-ups/rules/back_in_stock", {"control": text}),
            ("/quotes", {"conversation": text, "ticket": text, "key": text}),
            ("/quotes", {**a_quote, "conversation": talk, "title_0": text, "note": text}),
            ("/quotes", {**a_quote, "conversation": talk, "quantity_0": text, "price_0": text, "until": text}),
            (f"/knowledge/{quote(text, safe='')}/remove", {"language": text}),
            ("/look", {"language": text, "theme": text, "next": text}),
        ]
        for path, fields in forms:
            answer = await owner.sends(path, **fields)
            if answer.status_code not in (200, 303, 400, 404, 422):
                wrong.append((path, attack, answer.status_code))
    assert wrong == []
    for path in ("/knowledge", "/settings", "/catalogue", f"/catalogue/{number}", ""):
        assert (await owner.http.get(f"/owner{path}")).status_code == 200


async def test_a_name_or_password_at_the_sign_in_is_only_compared(gateway: Gateway) -> None:
    for attack in SQL[: staff.MAX_FAILURES_PER_ADDRESS]:
        text = attack.encode("utf-8", "replace").decode()
        answer = await gateway.http.post("/owner/sign-in", data={"name": text, "password": text})
        assert answer.status_code == 401, attack
        assert "Set-Cookie" not in answer.headers


TRAVERSALS = [
    b"../pyproject.toml",
    b"../../../../../../etc/passwd",
    b"..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    b"%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    b"%252e%252e%252f%252e%252e%252fetc/passwd",
    b"..\\..\\..\\etc\\passwd",
    b"..%5c..%5cetc%5cpasswd",
    b"....//....//etc/passwd",
    b"/etc/passwd",
    b"//etc/passwd",
    b"%2fetc%2fpasswd",
    b"..%c0%af..%c0%afetc/passwd",
    b"..%00/etc/passwd",
    b"index.html%00.png",
    b"~root/.bashrc",
    b"file:///etc/passwd",
    b"../../crm/database.py",
    b"../templates/base.html",
    b"..;/..;/pyproject.toml",
    b".env",
]
INSIDE = [b"root:", b"[project]", b"DESK_", b"import ", b"{% block", b"{{ "]


@pytest.mark.parametrize(
    "folder",
    [b"/owner/static/", b"/demo/", b"/", b"/my-data/", b"/owner/do/", b"/owner/digests/", b"/owner/knowledge/"],
)
async def test_no_path_leads_out_of_its_folder(gateway: Gateway, raw: Raw, folder: bytes) -> None:
    assert (ROOT / "pyproject.toml").is_file()
    for traversal in TRAVERSALS:
        heard = await raw(b"GET " + folder + traversal + b" HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n")
        assert statuses(heard)[0] in (303, 307, 400, 404, 405), traversal
        head, _, body = heard.partition(b"\r\n\r\n")
        assert not [word for word in INSIDE if word in body], traversal
        if b"\r\nlocation:" in head.lower():
            location = head.lower().partition(b"\r\nlocation:")[2].splitlines()[0].strip()
            assert location.startswith((b"/owner/sign-in", b"http://desk/")), (traversal, location)
