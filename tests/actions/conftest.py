"""Actions on a real store: a small shop, two customers, and a way to let one action answer one message."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import crm
from actions import desk
from actions.base import DeskAction
from crm import conversations, knowledge, migrate, products, revisions
from crm.database import unbind
from crm.models import (
    Channel,
    Customer,
    FinancialStatus,
    FulfillmentStatus,
    KnowledgeArticle,
    Order,
    OrderLine,
    Product,
    Variant,
)

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)
SHOP = """
name = "Lake House 湖畔"
languages = ["en", "zh"]
default_language = "en"
timezone = "Asia/Singapore"
currency = "SGD"
opening_hours = {en = "Mon-Fri 10-18", zh = "周一至周五 10-18 点"}
contact_email = "hello@lakehouse.example.com"
[shipping]
handling_days = 2
free_over = 60.00
[[shipping.regions]]
name = "Singapore 新加坡"
countries = ["SG"]
days = "2-3"
cost = 5.00
[[shipping.regions]]
name = "Everywhere else 其他地区"
countries = []
days = "8-14"
cost = 20.00
[returns]
days = 14
conditions = "Unused, in the original box 未使用、原包装"
[payment]
methods = ["Visa", "PayNow"]
"""


@dataclass
class Answer:
    """What one action said and set."""

    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]

    @property
    def text(self) -> str:
        return "\n".join(message["text"] or "" for message in self.messages)

    @property
    def buttons(self) -> list[dict[str, str]]:
        return [button for message in self.messages for button in message["buttons"]]

    @property
    def cards(self) -> list[dict[str, Any]]:
        return [card for message in self.messages for card in (message["custom"] or {}).get("cards", [])]

    @property
    def next_action(self) -> str | None:
        return next((event["name"] for event in self.events if event["event"] == "followup"), None)

    @property
    def left_form(self) -> bool:
        return {"event": "active_loop", "name": None} in self.events

    def slot(self, name: str) -> Any:
        found = [e["value"] for e in self.events if e["event"] == "slot" and e["name"] == name]
        return found[-1] if found else None


@dataclass
class Chat:
    """A customer's conversation, as Rasa would hand it to the actions. Slots carry over from answer to answer."""

    public_id: str
    slots: dict[str, Any] = field(default_factory=dict)
    form: str | None = None
    turns: int = 0

    async def hears(
        self,
        action: DeskAction,
        text: str = "",
        *,
        intent: str = "inform",
        confidence: float = 0.95,
        language: str = "en",
        ranking: list[dict[str, Any]] | None = None,
        seen: str | None = None,
        also: list[dict[str, Any]] | None = None,
        **details: object,
    ) -> Answer:
        self.turns += 1
        entities = [{"entity": name, "value": value} for name, value in details.items()]
        self.slots.update({"language": language, **{k: v for k, v in details.items() if k != "email" and k != "phone"}})
        dispatcher = CollectingDispatcher()
        tracker = Tracker(
            sender_id=self.public_id,
            slots=dict(self.slots),
            latest_message={
                "text": text,
                "intent": {"name": intent, "confidence": confidence},
                "intent_ranking": ranking or [],
                "entities": entities,
                "language_seen": seen or language,
                "metadata": {"turn_id": f"{self.public_id}:{self.turns}", "also": also or []},
            },
            events=[],
            paused=False,
            followup_action=None,
            active_loop={"name": self.form} if self.form else {},
            latest_action_name=None,
        )
        events = [dict(event) for event in await action.run(dispatcher, tracker, {})]
        for event in events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            elif event["event"] == "active_loop":
                self.form = event["name"]
        return Answer(dispatcher.messages, events)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[None]:
    """An open store with products, articles and two customers' orders; Park's 2003 is shipped, Lin's 2004 is not."""
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    desk.open_desk(tmp_path / "shop.toml", ROOT / "domain.yml")
    migrate.upgrade(crm.bind(f"sqlite:///{tmp_path}/desk.db"))
    products.forget_catalogue()
    knowledge.forget_indexes()
    with crm.session() as session:
        for handle, english, chinese, kind, price, stock in (
            ("pearls", "Jasmine Pearls", "茉莉龙珠", "Tea", 1800, 23),
            ("lapsang", "Smoky Lapsang", "烟熏正山小种", "Tea", 1600, 0),
            ("gaiwan", "Celadon Gaiwan", "青瓷盖碗", "Teaware", 4200, 3),
            ("scoop", "Bamboo Tea Scoop", "竹茶则", "Teaware", 950, 40),
        ):
            product = Product(
                source="test",
                external_id=handle,
                title=f"{english} {chinese}",
                title_en=english,
                title_zh=chinese,
                product_type=kind,
                tags=["gift", "礼物"] if kind == "Teaware" else ["绿茶"],
                description=f"A fine thing.\n好东西。{handle}",
                created_at=NOW,
                updated_at=NOW,
            )
            product.variants.append(Variant(price_minor=price, currency="SGD", inventory=stock))
            session.add(product)
        park = Customer(
            source="test",
            external_id="1",
            name="Ms Park",
            email="park@example.com",
            phone="+6591230001",
            accepts_marketing=True,
            created_at=NOW,
            updated_at=NOW,
        )
        lin = Customer(
            source="test",
            external_id="2",
            name="林先生",
            email="lin@example.org",
            phone="+8613900001111",
            created_at=NOW,
            updated_at=NOW,
        )
        session.add_all([park, lin])
        session.flush()
        by_handle = {product.external_id: product for product in session.query(Product)}
        for number, customer, status, handles, days in (
            ("2001", park, FulfillmentStatus.FULFILLED, ("pearls", "scoop"), 90),
            ("2003", park, FulfillmentStatus.FULFILLED, ("pearls", "scoop"), 3),
            ("2004", lin, FulfillmentStatus.UNFULFILLED, ("gaiwan",), 1),
            ("2005", lin, FulfillmentStatus.FULFILLED, ("pearls", "scoop", "gaiwan"), 200),
        ):
            order = Order(
                source="test",
                external_id=number,
                number=number,
                customer=customer,
                email=customer.email,
                currency="SGD",
                total_minor=2300,
                country="SG",
                financial_status=FinancialStatus.PAID,
                fulfillment_status=status,
                placed_at=NOW - timedelta(days=days),
                updated_at=NOW,
                fulfilled_at=NOW - timedelta(days=days) if status is FulfillmentStatus.FULFILLED else None,
            )
            for position, handle in enumerate(handles, start=1):
                order.lines.append(
                    OrderLine(
                        position=position,
                        product_id=by_handle[handle].id,
                        title=by_handle[handle].title,
                        quantity=1,
                        unit_price_minor=1000,
                    )
                )
            session.add(order)
        session.add(
            KnowledgeArticle(
                slug="brewing",
                language="en",
                title="How to brew",
                updated_at=NOW,
                questions=["How hot should the water be?"],
                body="Green tea: water at 80 °C, two minutes. Black tea: boiling water, three minutes.",
            )
        )
        for name in (revisions.CATALOGUE, revisions.KNOWLEDGE, revisions.ORDERS):
            revisions.bump(session, name)
    yield
    unbind()


@pytest.fixture
def chat(shop: None) -> Chat:
    """A web visitor of whom nothing is known yet."""
    return new_chat("visitor-1")


def new_chat(visitor: str) -> Chat:
    with crm.session() as session:
        identity = conversations.identity_of(session, Channel.WEB, visitor, now=NOW)
        conversation = conversations.open_conversation(session, identity, language="en", now=NOW)
        return Chat(conversation.public_id)
