"""Fills a store with a made-up shop of any size, straight into its tables: what scale is measured on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Engine, insert

from crm import migrate
from crm.importers.upsert import table_of
from crm.models import Conversation, Customer, Identity, Message, Order, OrderLine, Product, Variant
from crm.models.base import Base

AS_OF = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAYS = 730
ROWS_AT_ONCE = 20_000
CATEGORIES = ("tea", "candles", "ceramics", "linen", "incense", "paper")
INTENTS = ("track_order", "product_info", "delivery_info", "return_or_refund", "complaint", "thank")


def fill(engine: Engine, *, orders: int, messages: int, seed: int = 7) -> None:
    """An upgraded, filled store: a fifth as many customers as orders, 500 products, two lines per three orders."""
    migrate.upgrade(engine)
    chance = np.random.default_rng(seed)
    customers, products = max(1, orders // 5), 500
    began = AS_OF - timedelta(days=DAYS)
    _add(engine, Product, _products(products, began))
    _add(engine, Variant, _variants(products, chance))
    _add(engine, Customer, _customers(customers, chance, began))
    owners, moments = _who_buys_when(orders, customers, chance, began)
    amounts = np.maximum(100, chance.lognormal(8, 0.7, orders)).astype(int)
    reduced = (chance.random(orders) < 0.2) * (amounts * 0.1).astype(int)
    _add(engine, Order, _orders(owners, moments, amounts, reduced))
    _add(engine, OrderLine, _lines(orders, amounts, products, chance))
    conversations = max(1, messages // 10)
    _add(engine, Identity, _identities(conversations, customers, began))
    _add(engine, Conversation, _conversations(conversations, began))
    _add(engine, Message, _messages(messages, conversations, chance, began))


def _add(engine: Engine, model: type[Base], rows: Iterator[dict[str, object]]) -> None:
    table, waiting = table_of(model), []
    with engine.begin() as connection:
        for row in rows:
            waiting.append(row)
            if len(waiting) == ROWS_AT_ONCE:
                connection.execute(insert(table), waiting)
                waiting = []
        if waiting:
            connection.execute(insert(table), waiting)


def _products(number: int, began: datetime) -> Iterator[dict[str, object]]:
    for one in range(1, number + 1):
        kind = CATEGORIES[one % len(CATEGORIES)]
        yield {
            "id": one, "source": "made", "external_id": str(one), "title": f"{kind} {one}", "description": "",
            "product_type": kind, "tags": [], "status": "active", "created_at": began, "updated_at": began,
        }  # fmt: skip


def _variants(number: int, chance: np.random.Generator) -> Iterator[dict[str, object]]:
    for one in range(1, number + 1):
        yield {
            "product_id": one, "position": 1, "title": "", "options": {}, "currency": "CNY",
            "price_minor": int(chance.integers(500, 20_000)), "inventory": 500, "sells_when_empty": False,
        }  # fmt: skip


def _customers(number: int, chance: np.random.Generator, began: datetime) -> Iterator[dict[str, object]]:
    chinese = chance.random(number) < 0.5
    for one in range(1, number + 1):
        yield {
            "id": one, "source": "made", "external_id": f"C{one}", "accepts_marketing": False,
            "language": "zh" if chinese[one - 1] else "en", "created_at": began, "updated_at": began,
        }  # fmt: skip


def _who_buys_when(
    orders: int, customers: int, chance: np.random.Generator, began: datetime
) -> tuple[np.ndarray, list[datetime]]:
    """Customers come at some day, buy at a pace of their own, and go; sorted by moment."""
    weight = chance.gamma(0.6, 1.0, customers) + 0.02
    owners = chance.choice(customers, orders, p=weight / weight.sum()) + 1
    arrives, stays = chance.uniform(0, DAYS * 0.85, customers), chance.exponential(250, customers)
    start = arrives[owners - 1]
    end = np.minimum(start + stays[owners - 1], DAYS - 0.01)
    days = start + chance.random(orders) * (end - start)
    order = np.argsort(days)
    return owners[order], [began + timedelta(days=float(day)) for day in days[order]]


def _orders(
    owners: np.ndarray, moments: list[datetime], amounts: np.ndarray, reduced: np.ndarray
) -> Iterator[dict[str, object]]:
    for place, (owner, moment) in enumerate(zip(owners, moments, strict=True)):
        amount = int(amounts[place])
        yield {
            "id": place + 1, "source": "made", "external_id": str(place + 1), "number": str(place + 1),
            "customer_id": int(owner), "currency": "CNY", "subtotal_minor": amount, "total_minor": amount,
            "discount_minor": int(reduced[place]), "shipping_minor": 0, "tax_minor": 0, "refunded_minor": 0,
            "financial_status": "paid", "fulfillment_status": "fulfilled", "placed_at": moment, "updated_at": moment,
        }  # fmt: skip


def _lines(orders: int, amounts: np.ndarray, products: int, chance: np.random.Generator) -> Iterator[dict[str, object]]:
    popular = 1.0 / np.arange(1, products + 1)
    chosen = chance.choice(products, (orders, 2), p=popular / popular.sum()) + 1
    for place in range(orders):
        for position in range(1 + place % 3 // 2):
            yield {
                "order_id": place + 1, "position": position + 1, "product_id": int(chosen[place, position]),
                "title": "", "quantity": 1, "unit_price_minor": int(amounts[place]) // (1 + place % 3 // 2),
                "discount_minor": 0, "fulfilled": True,
            }  # fmt: skip


def _identities(number: int, customers: int, began: datetime) -> Iterator[dict[str, object]]:
    for one in range(1, number + 1):
        yield {
            "id": one, "channel": "web", "external_id": f"w{one}", "wants_marketing": True, "created_at": began,
            "customer_id": one % customers + 1 if one % 3 else None, "last_seen_at": began,
        }  # fmt: skip


def _conversations(number: int, began: datetime) -> Iterator[dict[str, object]]:
    for one in range(1, number + 1):
        yield {
            "id": one, "public_id": f"p{one}", "identity_id": one, "channel": "web", "language": "en",
            "status": "closed", "last_seq": 10, "opened_at": began, "last_message_at": began,
        }  # fmt: skip


def _messages(
    number: int, conversations: int, chance: np.random.Generator, began: datetime
) -> Iterator[dict[str, object]]:
    days = np.sort(chance.random(conversations)) * (DAYS - 1)
    for place in range(number):
        conversation, seq = place // 10 % conversations, place % 10 + 1
        customer = seq % 2 == 1
        yield {
            "conversation_id": conversation + 1, "seq": seq + place // (10 * conversations) * 10,
            "author": "customer" if customer else "bot", "channel": "web", "text": "…", "turn": seq,
            "created_at": began + timedelta(days=float(days[conversation]), minutes=seq), "delivery": "not_needed",
            "intent": INTENTS[place % len(INTENTS)] if customer else None, "language": "en" if place % 2 else "zh",
            "delivery_attempts": 0,
        }  # fmt: skip
