"""Customers on the web and on Telegram who go on writing to a running desk while everything around it breaks.

``run`` starts the product, lets seeded random faults happen to it, waits until it has recovered, and compares what the
customers and Telegram saw with what the store holds. The ``Report`` says what happened: nothing may be lost or doubled.
"""

import asyncio
import contextlib
import random
import resource
import sqlite3
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import (
    Author,
    Channel,
    Conversation,
    Delivery,
    Digest,
    Handoff,
    Identity,
    Message,
    OwnerAccount,
    OwnerNotice,
)
from crm.types import now
from gateway.telegram.rendering import pieces_of
from gateway.wording import Wording
from tests.support.product import RunningDesk, settings_for
from tests.support.serving import serving
from tests.support.telegram_api import TOKEN, TelegramApi

OWNER_CHAT = 900
FIRST_CHAT = 1_000
BASE_URL = "https://desk.example"
RECOVERS_WITHIN_SECONDS = 240
# Ten questions of all sorts, so that answers have buttons, cards, forms and handoffs in them.
SAYINGS = (
    "hello",
    "Where is my order 1383?",
    "what does shipping to Norway cost",
    "你们几点开门",
    "recommend me a coffee",
    "有什么推荐的吗",
    "can I return a grinder",
    "my parcel arrived broken",
    "I want to talk to a human please",
    "thanks",
    "do you have filter paper in stock",
    "快递好慢啊",
    "no",
    "qwertz uiop",
)


@dataclass
class Report:
    """What was done to the desk, and what came of it."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    sent_by_customers: int = 0
    answered: int = 0
    handed_over: int = 0
    refused_and_tried_again: int = 0
    replies: int = 0
    pieces_on_telegram: int = 0
    notices: int = 0
    seconds: float = 0.0
    recovery_seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same with plain types."""
        return vars(self) | {"faults": dict(sorted(self.faults.items())), "faults_in_all": self.faults.total()}

    def compare(self, who: str, expected: list[str], found: list[str]) -> None:
        """Notes every difference between two lists that should be the same."""
        wanted, had = Counter(expected), Counter(found)
        self.lost.extend(f"{who}: {name}" for name in (wanted - had).elements())
        self.doubled.extend(f"{who}: {name}" for name in (had - wanted).elements())
        if wanted == had and expected != found:
            self.out_of_order.append(who)


class Trial:
    """One run: the desk, its customers, and what befalls them."""

    def __init__(self, state: Path, *, seed: int, web: int, telegram: int) -> None:
        self.state, self.report, self.chance = state, Report(seed), random.Random(seed)
        self.telegram = TelegramApi()
        self.env: dict[str, str] = {}
        self.desk: RunningDesk | None = None
        self.web_lines: dict[str, list[str]] = {}
        self.telegram_lines: dict[int, list[str]] = {FIRST_CHAT + number: [] for number in range(telegram)}
        self._web = web
        self._writing, self._hang_up = True, 0
        self._gentle: set[str] = set()

    @property
    def running(self) -> RunningDesk:
        assert self.desk is not None
        return self.desk

    @property
    def database(self) -> Path:
        return self.state / "desk.db"

    # the desk

    async def begin(self, telegram_url: str) -> None:
        self.env = settings_for(
            self.state,
            DESK_DEMO="1",
            DESK_TELEGRAM_TOKEN=TOKEN,
            DESK_TELEGRAM_API=f"{telegram_url}/bot",
            DESK_PUBLIC_URL=BASE_URL,
            DESK_MESSAGES_PER_MINUTE="100000",
            DESK_SESSIONS_PER_MINUTE="100000",
        )
        await self._start()
        with self.running.store() as session:
            session.add(OwnerAccount(channel=Channel.TELEGRAM, external_id=str(OWNER_CHAT), paired_at=now()))
            session.commit()

    async def _start(self) -> None:
        # What an earlier start said of parts that it had to start again says nothing about this one.
        (self.state / "console.txt").unlink(missing_ok=True)
        self.desk = RunningDesk(self.state, self.env)
        await asyncio.to_thread(self.desk.wait_until_ready)

    def _part(self, name: str) -> psutil.Process | None:
        try:
            return self.running.child(name)
        except (AssertionError, psutil.Error):
            return None  # it is down already

    # the customers

    async def web_customer(self, number: int) -> None:
        http = httpx.AsyncClient(base_url=self.running.base_url, timeout=20, trust_env=False)
        async with http:
            opened = (await self._insists(http, "/api/chat/sessions", {})).json()
            http.headers["Authorization"] = f"Bearer {opened['token']}"
            said = self.web_lines[opened["conversation_id"]] = []
            chance = random.Random(f"{self.report.seed} web {number}")
            while self._writing:
                line = {"text": chance.choice(SAYINGS), "client_id": uuid.uuid4().hex}
                await self._insists(http, "/api/chat/messages", line)
                said.append(line["client_id"])
                await asyncio.sleep(chance.choice((0.1, 1.0, 2.0, 4.0)))

    async def _insists(self, http: httpx.AsyncClient, path: str, body: dict[str, str]) -> httpx.Response:
        """As the widget does: the same message again until it is taken."""
        while True:
            impatient = self._hang_up > 0 and "client_id" in body
            self._hang_up -= impatient
            try:
                answer = await http.post(path, json=body, timeout=0.005 if impatient else 20)
            except httpx.HTTPError:
                self.report.refused_and_tried_again += 1
                await asyncio.sleep(0.3)
                continue
            if answer.is_success:
                return answer
            assert answer.status_code in (429, 503), f"{answer.status_code} {answer.text}"
            self.report.refused_and_tried_again += 1
            await asyncio.sleep(min(2.0, float(answer.headers["Retry-After"])))

    async def telegram_customer(self, chat_id: int) -> None:
        chance = random.Random(f"{self.report.seed} telegram {chat_id}")
        while self._writing:
            number = await self.telegram.says(chat_id, chance.choice(SAYINGS))
            self.telegram_lines[chat_id].append(f"{chat_id}:{number}")
            await asyncio.sleep(chance.choice((0.1, 1.0, 2.0, 4.0)))

    # the faults

    def faults(self) -> dict[str, tuple[float, Callable[[], Awaitable[None]]]]:
        """Each with its share."""
        return {
            "telegram fails": (60, self.telegram_fails),
            "telegram repeats updates": (15, self.telegram_repeats),
            "customer hangs up": (35, self.customer_hangs_up),
            "process stands still": (25, self.process_stands_still),
            "database locked": (25, self.database_locked),
            "disk full": (20, self.disk_full),
            "process killed": (12, self.process_killed),
            "everything killed": (2, self.everything_killed),
        }

    async def telegram_fails(self) -> None:
        method = self.chance.choice(("sendMessage",) * 6 + ("getUpdates", "editMessageReplyMarkup", "getMe"))
        kind = self.chance.choice(("429", "500", "502", "drop", "drop_after", "drop_after"))
        more = {"retry_after": 1} if kind == "429" else {}
        self.telegram.fault(method, kind, **more)
        self.report.faults[f"telegram {method} {kind}"] += 1

    async def telegram_repeats(self) -> None:
        self.telegram.repeat_updates = True
        self.report.faults["telegram repeats updates"] += 1

    async def customer_hangs_up(self) -> None:
        self._hang_up += 1
        self.report.faults["customer hangs up and says it again"] += 1

    async def process_stands_still(self) -> None:
        name = self.chance.choice(("gateway", "rasa", "actions"))
        part = self._part(name)
        if part is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            part.suspend()
            self.report.faults[f"{name} stands still"] += 1
            await asyncio.sleep(self.chance.choice((0.3, 1.0, 3.0, 10.0)))
            part.resume()

    async def database_locked(self) -> None:
        seconds = self.chance.choice((0.2, 1.0, 3.0, 8.0))
        self.report.faults["database locked"] += 1
        await asyncio.to_thread(_lock, self.database, seconds)

    async def disk_full(self) -> None:
        """No file of the process may grow or be overwritten past its first kilobyte."""
        name = self.chance.choice(("gateway", "gateway", "rasa", "actions"))
        part = self._part(name)
        if part is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            _, hard = part.rlimit(psutil.RLIMIT_FSIZE)
            part.rlimit(psutil.RLIMIT_FSIZE, (1_024, hard))
            self.report.faults[f"disk full for {name}"] += 1
            await asyncio.sleep(self.chance.choice((0.2, 1.0, 3.0)))
            part.rlimit(psutil.RLIMIT_FSIZE, (hard if hard != -1 else resource.RLIM_INFINITY, hard))

    async def process_killed(self) -> None:
        name = self.chance.choice(("gateway", "gateway", "rasa", "actions"))
        part = self._part(name)
        if part is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            part.kill()
            self.report.faults[f"{name} killed"] += 1

    async def everything_killed(self) -> None:
        self.running.process.kill()
        self.running.process.wait()
        self.report.faults["everything killed"] += 1
        await self._start()

    async def befall(self, count: int) -> None:
        """So many faults, several of them at the same time."""
        kinds = self.faults()
        shares = [share for share, _ in kinds.values()]
        happening: set[asyncio.Task[None]] = set()
        while self.report.faults.total() < count:
            name = self.chance.choices(list(kinds), shares)[0]
            if name == "everything killed":
                await asyncio.gather(*happening)
            work = asyncio.ensure_future(kinds[name][1]())
            if name == "everything killed":
                await work
            else:
                happening.add(work)
                work.add_done_callback(happening.discard)
            await asyncio.sleep(self.chance.uniform(0.05, 0.8))
        await asyncio.gather(*happening)

    # afterwards

    async def recover(self) -> None:
        """Raises TimeoutError if something still waits after a long time."""
        self._writing = False
        self.telegram.faults.clear()
        self.telegram.repeat_updates = False
        async with asyncio.timeout(RECOVERS_WITHIN_SECONDS):
            while not await asyncio.to_thread(self._settled):
                await asyncio.sleep(0.5)

    def _settled(self) -> bool:
        if self.telegram.updates:
            return False
        with self.running.store() as session:
            waiting = select(Message.id).where(Message.author == Author.CUSTOMER, Message.turn.is_(None))
            unsent = select(Message.id).where(Message.delivery == Delivery.PENDING)
            notices = select(OwnerNotice.id).where(OwnerNotice.delivery == Delivery.PENDING)
            unannounced = select(Handoff.id).where(Handoff.notified_at.is_(None), Handoff.returned_at.is_(None))
            return all(
                session.scalars(wanted.limit(1)).first() is None for wanted in (waiting, unsent, notices, unannounced)
            )

    def judge(self) -> None:
        """Compares what was said and seen with what is stored."""
        with self.running.store() as session:
            by_channel = self._conversations(session)
            for public_id, said in self.web_lines.items():
                self._judge_lines(session, public_id, said, [m.client_id or "" for m in _of(session, public_id)])
            for chat_id, said in self.telegram_lines.items():
                public_id = by_channel[str(chat_id)]
                self._judge_lines(session, public_id, said, [m.external_id or "" for m in _of(session, public_id)])
                self._judge_deliveries(session, chat_id, public_id)
            self._judge_notices(session)

    def _conversations(self, session: Session) -> dict[str, str]:
        rows = session.execute(
            select(Identity.external_id, Conversation.public_id)
            .join(Conversation, Conversation.identity_id == Identity.id)
            .where(Identity.channel == Channel.TELEGRAM)
        )
        found: dict[str, str] = {}
        for address, public_id in rows:
            if address in found:
                self.report.doubled.append(f"conversation of chat {address}")
            found[address] = public_id
        return found

    def _judge_lines(self, session: Session, public_id: str, said: list[str], stored: list[str]) -> None:
        """Stored once, in order, and answered once or handed over."""
        self.report.sent_by_customers += len(said)
        self.report.compare(f"line of {public_id}", said, stored)
        turns: dict[int, list[Message]] = defaultdict(list)
        for reply in _of(session, public_id, Author.BOT):
            if reply.turn is not None:
                turns[reply.turn].append(reply)
        handed_over = session.scalars(
            select(Handoff.id).join(Conversation).where(Conversation.public_id == public_id)
        ).first()
        self.report.handed_over += handed_over is not None
        for turn in {line.turn for line in _of(session, public_id)}:
            replies = turns.get(turn, []) if turn is not None else []
            self.report.replies += len(replies)
            if replies:
                self.report.answered += 1
            elif handed_over is None:
                self.report.lost.append(f"answer to turn {turn} of {public_id}")
            shown = Counter((reply.text, str(reply.cards), str(reply.buttons)) for reply in replies)
            self.report.doubled.extend(f"answer to turn {turn}: {what[0]}" for what in (shown - Counter(set(shown))))
        if turns and list(turns) != sorted(turns):
            self.report.out_of_order.append(f"answers in {public_id}")

    def _judge_deliveries(self, session: Session, chat_id: int, public_id: str) -> None:
        wording = Wording.load()
        expected = []
        for message in _of(session, public_id, Author.BOT, Author.OWNER):
            if message.delivery is not Delivery.SENT:
                self.report.lost.append(f"delivery {message.delivery} {message.delivery_error} in chat {chat_id}")
            language = message.language or "en"
            expected += [
                piece.text
                for piece in pieces_of(
                    message,
                    base_url=BASE_URL,
                    open_link=wording.say("open_link", language),
                    choose=wording.say("choose", language),
                )
            ]
        self.report.pieces_on_telegram += len(expected)
        self.report.compare(f"piece in chat {chat_id}", expected, self._seen_in(chat_id))

    def _judge_notices(self, session: Session) -> None:
        notices = [notice.text for notice in session.scalars(select(OwnerNotice))]
        self.report.notices = len(notices)
        # A digest that was due goes to the owner's chat as well; it is no notice.
        digests = set(session.scalars(select(Digest.short_text)))
        seen = [text for text in self._seen_in(OWNER_CHAT) if text not in digests]
        self.report.compare("notice", sorted(notices), sorted(seen))

    def _seen_in(self, chat_id: int) -> list[str]:
        seen = [m for m in self.telegram.sent if m["chat_id"] == str(chat_id)]
        return [m.get("text") or m.get("caption", "") for m in seen]


async def run(state: Path, *, seed: int, faults: int, web: int = 6, telegram: int = 6) -> Report:
    """``faults`` random faults while so many customers write. Leaves nothing running."""
    trial = Trial(state, seed=seed, web=web, telegram=telegram)
    began = time.monotonic()
    try:
        async with serving(trial.telegram.app) as url:
            trial.telegram.url = url
            await trial.begin(url)
            async with asyncio.TaskGroup() as customers:
                for number in range(web):
                    customers.create_task(trial.web_customer(number))
                for chat_id in trial.telegram_lines:
                    customers.create_task(trial.telegram_customer(chat_id))
                await trial.befall(faults)
                over = time.monotonic()
                trial._writing = False
            await trial.recover()
            trial.report.recovery_seconds = time.monotonic() - over
            trial.judge()
    finally:
        if trial.desk is not None:
            trial.desk.stop()
    trial.report.seconds = time.monotonic() - began
    return trial.report


def _of(session: Session, public_id: str, *authors: Author) -> list[Message]:
    wanted = authors or (Author.CUSTOMER,)
    return list(
        session.scalars(
            select(Message)
            .join(Conversation)
            .where(Conversation.public_id == public_id, Message.author.in_(wanted))
            .order_by(Message.seq)
        )
    )


def _lock(database: Path, seconds: float) -> None:
    """As another program that writes for long."""
    connection = sqlite3.connect(database, timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
    finally:
        connection.close()
