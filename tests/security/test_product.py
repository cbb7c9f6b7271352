"""Attacks on the whole running product: guessing orders in the chat, and what it leaves lying about."""

import csv
import json
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import func, select

from crm.models import (
    Conversation,
    Customer,
    Disclosure,
    Handoff,
    HandoffReason,
    Identity,
    Order,
    VerificationAttempt,
)
from crm.orders import MAX_FAILURES_PER_ADDRESS, MAX_FAILURES_PER_CONVERSATION, MAX_FAILURES_PER_ORDER
from crm.settings import Settings
from tests.support.product import KEYS, ROOT, RunningDesk, Visitor, running_desk
from tests.support.serving import free_port

pytestmark = pytest.mark.product

MAIL_PASSWORD = "mail-91c4-of-tests"
SECRETS = {
    **KEYS,
    "DESK_TELEGRAM_TOKEN": f"7000000001:{'secret' * 6}",
    "DESK_SMTP_URL": f"smtp://owner:{MAIL_PASSWORD}@127.0.0.1:{free_port()}",
    "DESK_IDENTITY_SECRET": "what the shop's site signs customers with",
}
_addresses = count(1)
_numbers = count(880_001)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk with the demo shop whose Telegram and mail server cannot be reached, so that it has failures to log."""
    known = {name: value for name, value in SECRETS.items() if name not in KEYS}
    with running_desk(
        tmp_path_factory.mktemp("attacked"),
        DESK_DEMO="1",
        DESK_ENCRYPT_MESSAGES="1",
        DESK_OWNER_EMAIL="owner@shop.example",
        DESK_TELEGRAM_API=f"http://127.0.0.1:{free_port()}/bot",
        DESK_ANSWER_TIMEOUT_SECONDS="4",
        **known,
    ) as running:
        yield running


def somewhere() -> str:
    """A network address that nobody wrote from before."""
    return f"127.7.{next(_addresses) // 250}.{next(_addresses) % 250 + 1}"


class Orders:
    """Orders of the demo shop, each handed out once: failures count for a day."""

    def __init__(self, desk: RunningDesk) -> None:
        with desk.store() as session:
            rows = session.execute(
                select(Order.number, Customer.email, Customer.phone, Customer.id)
                .join(Customer)
                .where(Customer.email.is_not(None), Customer.phone.is_not(None))
                .order_by(Order.placed_at.desc())
            ).all()
        self._left = [(number, str(email), str(phone), owner) for number, email, phone, owner in rows]

    def one(self) -> tuple[str, str, str]:
        """Number, e-mail and phone."""
        number, email, phone, self.owner = self._left.pop()
        return number, email, phone

    def contacts_of_another(self) -> tuple[str, str]:
        return next((email, phone) for _, email, phone, owner in self._left if owner != self.owner)


@pytest.fixture(scope="module")
def some_orders(attacked: RunningDesk) -> Orders:
    return Orders(attacked)


def wrong_number() -> str:
    return str(next(_numbers))


def heard(replies: list[dict[str, Any]], *said: str) -> str:
    """All of the answer, whatever form it takes, without its ids and what the visitor typed."""
    plain = [
        {key: value for key, value in reply.items() if key not in ("id", "created_at", "client_id")}
        for reply in replies
    ]
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True)
    for typed in said:
        text = text.replace(typed, "…")
    return text


ASKED = {
    "tracking": ("Where is my order {}? {}", "我的订单 {} 到哪了？{}"),
    "cancelling": ("I want to cancel order {}, {}", "我想取消订单 {}，{}"),
    "refund": ("When will I get the refund for order {}? {}", "订单 {} 的退款什么时候到账？{}"),
    "invoice": ("I need an invoice for order {}, {}", "订单 {} 请开发票，{}"),
    "return": ("I want to return order {}, {}", "订单 {} 我要退货，{}"),
}
CONTACTS: dict[str, Callable[[Orders], str]] = {
    "an e-mail nobody has": lambda _: "nobody.at.all@example.com",
    "another customer's e-mail": lambda orders: orders.contacts_of_another()[0],
    "a phone nobody has": lambda _: "+6599990000",
    "another customer's phone": lambda orders: orders.contacts_of_another()[1],
}


def failures(desk: RunningDesk, number: str) -> int:
    """How often somebody was not believed that the order is theirs."""
    with desk.store() as session:
        failed = select(func.count()).where(~VerificationAttempt.succeeded, VerificationAttempt.order_number == number)
        return session.scalar(failed) or 0


@pytest.mark.parametrize("wish", ASKED)
@pytest.mark.parametrize("contact", CONTACTS)
def test_a_strangers_order_and_a_wrong_number_are_answered_word_by_word_alike(
    attacked: RunningDesk, some_orders: Orders, wish: str, contact: str
) -> None:
    for asked in ASKED[wish]:
        existing, email, _ = some_orders.one()
        given = CONTACTS[contact](some_orders)
        answers = []
        for number in (existing, wrong_number()):
            visitor = attacked.visitor(address=somewhere())
            first = heard(visitor.says(asked.format(number, given)), number, given)
            second = heard(visitor.says(given), number, given)
            third = heard(visitor.says(asked.format(number, "")), number, given)
            answers.append((first, second, third))
            assert email not in "".join(answers[-1])
            assert failures(attacked, number) > 0
        assert answers[0] == answers[1]
        assert all(answer != "[]" for answer in answers[0])


def test_a_number_alone_does_not_tell_whether_there_is_such_an_order(
    attacked: RunningDesk, some_orders: Orders
) -> None:
    existing, _, _ = some_orders.one()
    for words in ("{}", "order {}", "订单号 {}", "#{}", "is {} shipped?", "Who ordered {}?", "What is in order {}?"):
        answers = [
            heard(attacked.visitor(address=somewhere()).says(words.format(number)), number)
            for number in (existing, wrong_number())
        ]
        assert answers[0] == answers[1], words


def reasons(desk: RunningDesk, visitor: Visitor) -> list[HandoffReason]:
    """Why this conversation was handed to the owner."""
    with desk.store() as session:
        found = select(Handoff.reason).join(Conversation).where(Conversation.public_id == visitor.conversation)
        return list(session.scalars(found))


def disclosed(desk: RunningDesk, visitor: Visitor) -> list[str | None]:
    """Numbers of the orders of which the audit log says that this conversation was told something."""
    with desk.store() as session:
        found = (
            select(Order.number)
            .select_from(Disclosure)
            .join(Conversation, Conversation.id == Disclosure.conversation_id)
            .outerjoin(Order, Order.id == Disclosure.order_id)
            .where(Conversation.public_id == visitor.conversation)
        )
        return list(session.scalars(found))


def fails(visitor: Visitor, number: str, contact: str = "wrong@example.com") -> str:
    return heard(visitor.says(f"Where is my order {number}? {contact}"), number)


def test_guessing_in_one_conversation_ends_with_a_person_and_even_the_right_address_helps_no_more(
    attacked: RunningDesk, some_orders: Orders
) -> None:
    number, email, _ = some_orders.one()
    visitor = attacked.visitor(address=somewhere())
    answers = [fails(visitor, wrong_number()) for _ in range(MAX_FAILURES_PER_CONVERSATION - 1)]
    assert len(set(answers)) == 1
    assert reasons(attacked, visitor) == []
    assert fails(visitor, wrong_number()) != answers[0]
    assert reasons(attacked, visitor) == [HandoffReason.VERIFICATION_LIMIT]
    visitor.says(f"Where is my order {number}? {email}")
    with attacked.store() as session:
        assert session.scalars(select(Order.id).where(Order.number == number)).one()
        linked = select(Identity.customer_id).join(Conversation).where(Conversation.public_id == visitor.conversation)
        assert session.scalars(linked).one() is None
    assert disclosed(attacked, visitor) == []


def test_a_new_chat_is_no_new_start_for_an_address(attacked: RunningDesk, some_orders: Orders) -> None:
    home, (number, email, _) = somewhere(), some_orders.one()
    left = MAX_FAILURES_PER_ADDRESS
    while left:
        visitor = attacked.visitor(address=home)
        for _ in range(min(left, MAX_FAILURES_PER_CONVERSATION - 1)):
            assert reasons(attacked, visitor) == []
            fails(visitor, wrong_number())
            left -= 1
    assert reasons(attacked, visitor) == [HandoffReason.VERIFICATION_LIMIT]
    again, elsewhere = attacked.visitor(address=home), attacked.visitor(address=somewhere())
    right = f"Where is my order {number}? {email}"
    refused = heard(again.says(right), number)
    assert reasons(attacked, again) == [HandoffReason.VERIFICATION_LIMIT]
    assert disclosed(attacked, again) == []
    assert heard(elsewhere.says(right), number) != refused
    assert disclosed(attacked, elsewhere) == [number]


def test_many_addresses_together_do_not_guess_one_order(attacked: RunningDesk, some_orders: Orders) -> None:
    number, email, _ = some_orders.one()
    missing = wrong_number()
    last: dict[str, str] = {}
    for target in (number, missing):
        for n in range(MAX_FAILURES_PER_ORDER):
            visitor = attacked.visitor(address=somewhere())
            last[target] = fails(visitor, target, f"guess{n}@example.com")
        assert reasons(attacked, visitor) == [HandoffReason.VERIFICATION_LIMIT]
    assert last[number] == last[missing]
    owner = attacked.visitor(address=somewhere())
    owner.says(f"Where is my order {number}? {email}")
    assert disclosed(attacked, owner) == []
    assert reasons(attacked, owner) == [HandoffReason.VERIFICATION_LIMIT]


def test_every_order_that_is_told_of_is_in_the_audit_log(attacked: RunningDesk, some_orders: Orders) -> None:
    for language, contact in (("en", 1), ("zh", 1), ("en", 2), ("zh", 2)):
        order = some_orders.one()
        number, given = order[0], order[contact]
        visitor = attacked.visitor(language, address=somewhere())
        wish = ASKED["tracking"][language == "zh"]
        visitor.says(wish.format(number, "wrong@example.com"))
        assert disclosed(attacked, visitor) == []
        visitor.says(wish.format(number, given))
        assert disclosed(attacked, visitor) == [number]
    with attacked.store() as session:
        told = select(Disclosure).where(Disclosure.what == "action_order_status", Disclosure.customer_id.is_(None))
        assert session.scalars(told).all() == []
        assert session.scalar(select(func.count()).where(VerificationAttempt.address.is_(None))) == 0


# ------------------------------------------------------------------------------------------- what is left lying about

WORDS = {
    "message": "quagmire81 waterfall teapot",
    "name": "Zebediah Quillfeather81",
    "email": "zebediah.quill81@example.com",
    "phone": "+6581234081",
    "address": "81 Marmalade81 Terrace",
    "order": "774499181",
    "comment": "dreadful81 and disappointing81",
    "address of a page": "page81",
    "password": "guess81-of-a-password",
    "not JSON": "broken81",
}


def customers_say_everything(desk: RunningDesk) -> list[str]:
    """Puts each of the words where customers can put them, failures included. Returns the errors that came back."""
    visitor = desk.visitor(address="127.8.0.1")
    visitor.says(WORDS["message"])
    visitor.says(f"My name is {WORDS['name']}, I live at {WORDS['address']}, call {WORDS['phone']}")
    visitor.says(f"Where is my order {WORDS['order']}? My email is {WORDS['email']}")
    visitor.says(f"The pot arrived broken and leaked, {WORDS['message']}, I am angry")
    visitor.says(f"I want to talk to a person about {WORDS['message']}")
    assert any(WORDS["message"] in message["text"] for message in visitor.history())
    scored = visitor.http.post("/api/chat/feedback", json={"score": 1, "comment": WORDS["comment"]})
    assert scored.status_code == 204
    opened = {"page_url": f"https://shop.example/{WORDS['address of a page']}", "identity": WORDS["not JSON"]}
    texts = {"text": WORDS["message"] * 400, "client_id": WORDS["message"]}
    answers = [
        visitor.http.post("/api/chat/sessions", json=opened),
        visitor.http.post("/api/chat/messages", json=texts),
        visitor.http.post("/api/chat/messages", json={"text": [WORDS["message"]], "client_id": 1}),
        visitor.http.post("/api/chat/messages", content=WORDS["not JSON"].encode()),
        visitor.http.post("/api/chat/feedback", json={"score": WORDS["comment"]}),
        visitor.http.get(f"/nowhere/{WORDS['message']}"),
        visitor.http.get(f"/my-data/{WORDS['not JSON']}"),
        visitor.http.get("/api/chat/messages", headers={"Authorization": f"Bearer {WORDS['not JSON']}"}),
        visitor.http.post("/owner/sign-in", data={"name": WORDS["name"], "password": WORDS["password"]}),
        visitor.http.post("/telegram/webhook", json={"message": WORDS["message"]}),
        visitor.http.get("/api/chat/messages", params={"after": WORDS["not JSON"]}),
    ]
    return [answer.text for answer in answers if answer.status_code >= 400]


def a_part_dies_with_words_in_hand(desk: RunningDesk) -> None:
    """The action server stops while it has a message, so that everybody has something to log."""
    part = desk.child("actions")
    part.suspend()
    visitor = desk.visitor(address="127.8.0.2")
    asking = threading.Thread(target=visitor.says, args=(f"Where is my order {WORDS['order']}? {WORDS['email']}",))
    asking.start()
    asking.join(2)
    part.kill()
    asking.join()
    desk.wait_until_ready()


@pytest.fixture(scope="module")
def used(attacked: RunningDesk) -> list[str]:
    """The errors that customers were shown."""
    errors = customers_say_everything(attacked)
    a_part_dies_with_words_in_hand(attacked)
    attacked.visitor(address="127.8.0.3").says(WORDS["message"])
    return errors


def all_secrets() -> dict[str, str]:
    internal = Settings(_env_file=None, secret_key=SECRETS["DESK_SECRET_KEY"]).require("internal_secret")
    return {**SECRETS, "the password for mails": MAIL_PASSWORD, "the internal secret": internal}


def found_in(content: bytes, words: dict[str, str]) -> list[str]:
    """Names of those that are in there, as they are or as JSON and addresses write them."""
    forms = {
        name: {text.encode(), json.dumps(text)[1:-1].encode(), httpx.QueryParams({"": text}).__str__()[1:].encode()}
        for name, text in words.items()
    }
    return [name for name, written in forms.items() if any(form in content for form in written)]


def logs(desk: RunningDesk) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in [*(desk.state / "log").rglob("*"), desk.console]}
    assert {"gateway.log", "rasa.log", "actions.log"} <= set(found), sorted(found)
    return found


def test_no_log_holds_a_customers_words_or_a_secret(attacked: RunningDesk, used: list[str]) -> None:
    written = logs(attacked)
    assert len(written["gateway.log"]) > 500
    assert b"killed by signal 9" in written[attacked.console.name]
    for name, content in written.items():
        assert found_in(content, WORDS) == [], name
        assert found_in(content, all_secrets()) == [], name


def test_neither_figures_nor_errors_hold_any(attacked: RunningDesk, used: list[str]) -> None:
    public = [httpx.get(attacked.base_url + path, trust_env=False).text for path in ("/metrics", "/readyz", "/healthz")]
    assert "desk_" in public[0]
    assert len(used) >= 8
    for text in [*public, *used]:
        assert found_in(text.encode(), {**WORDS, **all_secrets()}) == []


def test_no_secret_is_in_a_command_line(attacked: RunningDesk, used: list[str]) -> None:
    processes = [psutil.Process(attacked.process.pid), *attacked.children()]
    assert len(processes) >= 4
    for process in processes:
        assert found_in("\n".join(process.cmdline()).encode(), {**WORDS, **all_secrets()}) == []


def files(desk: RunningDesk) -> Iterator[tuple[Path, bytes]]:
    for path in desk.state.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def test_nothing_personal_can_be_read_in_any_file(attacked: RunningDesk, used: list[str]) -> None:
    """Databases with their journals, Rasa's memory, the logs: all that somebody finds who steals the disk."""
    people: dict[str, str] = {}
    with (ROOT / "demo" / "people.csv").open(encoding="utf-8") as file:
        for person in csv.DictReader(file):
            names = [f"{person['first']} {person['last']}", f"{person['last']}{person['first']}"]
            for text in (*names, person["email"], person["phone"].removeprefix("+"), person["street"]):
                if len(text) > 2:
                    people[text] = text
    assert len(people) > 100
    # Order numbers stay readable, those that somebody guessed too: by them guesses are counted.
    private = {**{name: word for name, word in WORDS.items() if name != "order"}, **people, **all_secrets()}
    seen = []
    for path, content in files(attacked):
        seen.append(path.name)
        assert found_in(content, private) == [], path.name
    assert {"desk.db", "desk.db-wal"} <= set(seen)


# ---------------------------------------------------------------------------------------- doors that only we go through


def listening(process: psutil.Process) -> set[tuple[str, int]]:
    return {
        (connection.laddr.ip, connection.laddr.port)
        for each in [process, *process.children(recursive=True)]
        for connection in each.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_no_part_listens_on_more_than_this_machine(attacked: RunningDesk) -> None:
    for name in ("gateway", "rasa", "actions"):
        ears = listening(attacked.child(name))
        assert len(ears) == 1, (name, ears)
        assert {address for address, _ in ears} == {"127.0.0.1"}, (name, ears)


TURN = {"sender": "x", "text": "/restart", "message_id": "1", "payload": "/restart"}
RASAS = [
    ("POST", "/webhooks/desk/turn"),
    ("POST", "/webhooks/desk/parse"),
    ("DELETE", "/webhooks/desk/trackers/x"),
    ("GET", "/webhooks/desk/trackers/x"),
    ("POST", "/webhooks/rest/webhook"),
    ("GET", "/conversations/x/tracker"),
    ("POST", "/conversations/x/messages"),
    ("POST", "/model/parse"),
    ("PUT", "/model"),
    ("GET", "/domain"),
    ("GET", "/status"),
    ("GET", "/version"),
    ("GET", "/"),
]
WITHOUT: list[dict[str, Any]] = [
    {},
    {"headers": {"Authorization": ""}},
    {"headers": {"Authorization": "Bearer"}},
    {"headers": {"Authorization": "Bearer guess"}},
    {"headers": {"Authorization": "Bearer \u00e9".encode("latin-1")}},
    {"headers": {"Authorization": f"Bearer {SECRETS['DESK_SECRET_KEY']}"}},
    {"params": {"token": ""}},
    {"params": {"token": "guess"}},
    {"params": {"token": SECRETS["DESK_SECRET_KEY"]}},
    {"headers": {"X-Forwarded-For": "127.0.0.1", "Host": "localhost"}},
]


@pytest.mark.parametrize(("method", "path"), RASAS)
def test_rasa_answers_nobody_without_the_secret(attacked: RunningDesk, method: str, path: str) -> None:
    for way in WITHOUT:
        answer = httpx.request(method, attacked.env["DESK_RASA_URL"] + path, json=TURN, trust_env=False, **way)
        assert answer.status_code in (401, 404, 405), (way, answer.text)
        assert "model" not in answer.text.replace("/model", "")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/webhook"), ("GET", "/webhook"), ("GET", "/actions"), ("GET", "/")]
)
def test_the_action_server_answers_nobody_without_the_secret(attacked: RunningDesk, method: str, path: str) -> None:
    call = {"next_action": "action_order_status", "sender_id": "x", "tracker": {"sender_id": "x"}, "domain": {}}
    for way in WITHOUT:
        answer = httpx.request(method, attacked.env["DESK_ACTIONS_URL"] + path, json=call, trust_env=False, **way)
        assert answer.status_code in (401, 404, 405), (way, answer.text)
        assert "events" not in answer.json()
