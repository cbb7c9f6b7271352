"""Every page of the console and every public one, in a shop where each text tries to run."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urldefrag, urljoin

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect

import crm
from analytics.digest import building
from crm import bind, conversations, migrate
from crm.database import unbind
from crm.models import Conversation
from crm.settings import Settings
from crm.shop import Shop, load_shop
from crm.types import now
from crm.weeks import Week
from gateway.__main__ import make_server
from tests.support.fake_rasa import FakeRasa
from tests.support.hostile_store import ADDRESS, MARKUP, fill, public_links
from tests.support.serving import free_port, running, serving

SECRET, PASSWORD = "a key for the tests", "correct-horse-battery"
WATCH = """
  window.__ran = [];
  window.__pwned = () => window.__ran.push("a value ran");
  const refused = (e) => window.__ran.push(`${e.violatedDirective} ${e.blockedURI}`);
  document.addEventListener("securitypolicyviolation", refused);
  for (const name of ["alert", "confirm", "prompt"]) window[name] = () => window.__ran.push(name);
"""
# What our own templates never write: its being there shows that a value became markup.
FOREIGN = """() => {
  const roots = [document], found = [...(window.__ran || [])];
  for (const root of roots) for (const e of root.querySelectorAll("*")) {
    if (e.shadowRoot) roots.push(e.shadowRoot);
    for (const {name, value} of e.attributes) {
      if (name.startsWith("on") || name === "srcdoc") found.push(`${e.localName} ${name}`);
      const leads = ["href", "src", "action", "formaction", "xlink:href"].includes(name);
      if (leads && /^\\s*(javascript|vbscript):/i.test(value))
        found.push(`${e.localName} ${name}=${value}`);
    }
    if (e.localName === "script" && new URL(e.src || "x:").origin !== location.origin) found.push("script");
    if (["base", "object", "embed"].includes(e.localName)) found.push(e.localName);
    if (e.localName === "img" && e.getAttribute("src") === "x") found.push("img of a value");
    if (e.localName === "style" && /display:none}/.test(e.textContent)) found.push("style of a value");
  }
  return found;
}"""


@dataclass
class HostileDesk:
    url: str
    links: list[str]
    preview: Path
    week: str


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileDesk]:
    state = tmp_path_factory.mktemp("hostile")
    shop_file = state / "shop.toml"
    shop_file.write_text('name = "<i>Otter</i>"\nlanguages = ["en", "zh"]\ncurrency = "SGD"\n', encoding="utf-8")
    shop = load_shop(shop_file)
    engine = bind(f"sqlite:///{state}/desk.db")
    migrate.upgrade(engine)
    week, links, preview = _filled(shop, state)
    started, stopped = threading.Event(), threading.Event()
    port = free_port()

    async def serve() -> None:
        rasa = FakeRasa(SECRET)
        card = {"title": MARKUP, "text": MARKUP, "image": ADDRESS, "url": ADDRESS, "price": MARKUP}
        rasa.answers({"text": MARKUP, "buttons": [{"title": MARKUP, "payload": "/x"}]}, {"custom": {"cards": [card]}})
        async with serving(rasa.app) as rasa_url:
            settings = Settings(
                _env_file=None, port=port, secret_key=SECRET, internal_secret=SECRET, owner_password=PASSWORD,
                rasa_url=rasa_url, actions_url=rasa_url, shop=shop_file, messages_per_minute=1_000,
            )  # fmt: skip
            async with running(make_server(settings)):
                started.set()
                while not stopped.is_set():
                    await asyncio.sleep(0.02)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(30)
    yield HostileDesk(f"http://127.0.0.1:{port}", links, preview, week)
    stopped.set()
    thread.join()
    unbind()


def _filled(shop: Shop, state: Path) -> tuple[str, list[str], Path]:
    moment = now()
    week = Week.parse((moment - timedelta(days=1)).strftime("%G-W%V"), shop.zone)
    with crm.session() as session:
        fill(session)
        base = "https://desk.example"
        building.store(session, shop, week, base_url=base, secret=SECRET, now=moment)
        links = public_links(session, SECRET)
        pages = building.preview(session, shop, week, state, base_url=base, now=moment)
    return week.label, links, next(page for page in pages if page.suffix == ".html")


class Watched:
    """A page that keeps what it should not have done."""

    def __init__(self, context: BrowserContext) -> None:
        context.add_init_script(WATCH)
        self.page: Page = context.new_page()
        self.found: list[str] = []
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        self.page.on("console", self._said)

    def _dialog(self, dialog: Any) -> None:
        self.found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.found.append(message.text)

    def visit(self, address: str) -> list[str]:
        """Opens it and fails if anything ran or became markup. Returns where its links lead."""
        answer = self.page.goto(address, wait_until="load")
        assert answer is None or answer.status < 500, address
        self.look(address)
        links: list[str] = self.page.eval_on_selector_all("a[href]", "all => all.map((a) => a.href)")
        return [urldefrag(link).url for link in links]

    def look(self, where: str) -> None:
        frames: list[Frame] = self.page.frames
        found = [thing for frame in frames for thing in frame.evaluate(FOREIGN)]
        assert (where, [*found, *self.found]) == (where, [])


@pytest.fixture
def watched(browser_context: Callable[..., BrowserContext]) -> Callable[..., Watched]:
    return lambda **options: Watched(browser_context(**options))


@pytest.fixture
def owner(watched: Callable[..., Watched], hostile: HostileDesk) -> Watched:
    """Signed in."""
    owner = watched(viewport={"width": 1280, "height": 820})
    owner.visit(f"{hostile.url}/owner/sign-in?next={quote(MARKUP)}")
    owner.page.get_by_label("Password").fill(PASSWORD)
    owner.page.get_by_role("button", name="Sign in").click()
    owner.page.wait_for_url("**/owner")
    return owner


ALWAYS = ["/owner", "/owner/more", "/owner/rows", "/owner/conversations/1?all=1", "/owner/conversations/2/messages"]
QUERIES = [
    "/owner?q={}",
    "/owner?shelf={}",
    "/owner/customers?q={}",
    "/owner/catalogue?q={}",
    "/owner/knowledge/{}",
    "/owner/knowledge/delivery?language={}",
    "/owner/conversations/{}",
    "/owner/digests/{}",
    "/owner/reports/{}/{}",
    "/owner/follow-ups?problem={}",
    "/owner/returns?next={}",
    "/owner/settings?problem={}",
    "/owner/{}",
    "/owner/do/{}",
    "/quotes/{}",
    "/my-data/{}",
]
MUST_SEE = (
    "/owner/conversations/1",
    "/owner/customers/1",
    "/owner/catalogue/1",
    "/owner/knowledge/delivery",
    "/owner/lessons/1",
    "/owner/questions",
    "/owner/quotes",
    "/owner/returns",
    "/owner/follow-ups",
    "/owner/reports",
    "/owner/settings",
)


@pytest.mark.parametrize("language", ["English", "中文"])
def test_no_value_runs_on_any_page_of_the_console(owner: Watched, hostile: HostileDesk, language: str) -> None:
    if language == "中文":
        owner.page.get_by_role("button", name=language).click()
        expect(owner.page.get_by_role("heading", name="收件箱")).to_be_visible()
    waiting = [urljoin(hostile.url, path) for path in (*ALWAYS, f"/owner/digests/{hostile.week}/letter")]
    seen: set[str] = set()
    shown = 0
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        for link in owner.visit(address):
            assert not link.startswith("javascript"), address
            if link.startswith(f"{hostile.url}/owner") and link not in seen:
                waiting.append(link)
        shown += "<script>__pwned()" in owner.page.locator("body").inner_text()
    assert {hostile.url + path for path in (*MUST_SEE, f"/owner/digests/{hostile.week}")} <= seen
    assert shown > 10
    assert len(seen) < 200


def test_no_value_in_an_address_runs(owner: Watched, hostile: HostileDesk) -> None:
    for query in QUERIES:
        for value in (MARKUP, ADDRESS):
            encoded = quote(value, safe="")
            owner.visit(hostile.url + query.format(*[encoded] * query.count("{}")))


def test_what_arrives_while_the_owner_looks_does_not_run(owner: Watched, hostile: HostileDesk) -> None:
    owner.visit(f"{hostile.url}/owner/conversations/1")
    before = owner.page.locator(".line").count()
    with crm.session() as session:
        talk = session.get_one(Conversation, 1)
        conversations.receive(session, talk, text=f"live {MARKUP}", external_id="live", now=now())
    expect(owner.page.locator(".line").filter(has_text="live <script>").first).to_be_visible(timeout=15_000)
    assert owner.page.locator(".line").count() > before
    owner.look("live")


def test_no_value_runs_in_the_mail_or_its_preview_even_without_a_policy(
    watched: Callable[..., Watched], owner: Watched, hostile: HostileDesk
) -> None:
    letter = owner.page.request.get(f"{hostile.url}/owner/digests/{hostile.week}/letter")
    assert "sandbox" in letter.headers["content-security-policy"]
    mail = hostile.preview.with_name("mail.html")
    mail.write_text(letter.text(), encoding="utf-8")
    for file in (mail, hostile.preview):
        assert "&lt;script&gt;__pwned()" in file.read_text(encoding="utf-8")
        watched(bypass_csp=True).visit(file.as_uri())


def test_no_value_runs_behind_the_links_of_mails_and_chats(
    watched: Callable[..., Watched], hostile: HostileDesk
) -> None:
    anybody = watched()
    shown = 0
    for path in hostile.links:
        anybody.visit(hostile.url + path)
        shown += "<script>__pwned()" in anybody.page.content().replace("&lt;", "<").replace("&gt;", ">")
    assert shown >= 4


def test_no_value_runs_in_the_widget(watched: Callable[..., Watched], hostile: HostileDesk) -> None:
    anybody = watched()
    for path in ("/", "/demo/"):
        anybody.visit(hostile.url + path)
    anybody.page.locator(".launcher").click()
    box = anybody.page.locator("form textarea")
    box.fill(MARKUP)
    box.press("Enter")
    expect(anybody.page.get_by_role("log").locator(".card")).to_be_visible()
    anybody.look("widget")
    anybody.page.reload()
    anybody.page.locator(".launcher").click()
    expect(anybody.page.get_by_role("log").locator(".card")).to_be_visible()
    anybody.look("widget again")
