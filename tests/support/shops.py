"""Made-up shops of any size, as frames: what the models read, without a store."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from analytics.frames import Frames

AS_OF = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTHING = {
    "customers": ("customer_id", "external_id", "created_at", "language", "accepts_marketing"),
    "products": ("product_id", "title", "category", "price", "stock", "active", "created_at"),
    "refunds": ("customer_id", "refunded_at", "amount"),
    "messages": (
        "message_id", "conversation_id", "customer_id", "sent_at", "author", "channel", "language", "intent",
        "sentiment",
    ),
    "complaints": ("customer_id", "opened_at"),
}  # fmt: skip
_MOMENTS = ("created_at", "refunded_at", "sent_at", "opened_at", "ordered_at")


def empty(*columns: str) -> pd.DataFrame:
    frame = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    for name in columns:
        if name in _MOMENTS:
            frame[name] = pd.Series(dtype="datetime64[us, UTC]")
        elif name == "customer_id":
            frame[name] = pd.Series(dtype="Int64")
        elif name in ("amount", "sentiment", "discount"):
            frame[name] = pd.Series(dtype=float)
    return frame


def a_shop(orders: pd.DataFrame | None = None, *, as_of: datetime = AS_OF, **frames: pd.DataFrame) -> Frames:
    """Frames around these orders (customer_id, ordered_at, amount, discount); what is not given is empty."""
    if orders is None:
        orders = empty("order_id", "customer_id", "ordered_at", "amount", "discount")
    orders = orders.sort_values("ordered_at", ignore_index=True)
    if "order_id" not in orders:
        orders["order_id"] = np.arange(1, len(orders) + 1)
    orders["ordered_at"] = pd.to_datetime(orders["ordered_at"], utc=True).astype("datetime64[us, UTC]")
    orders["customer_id"] = orders["customer_id"].astype("Int64")
    lines = orders[["order_id", "customer_id", "ordered_at", "amount"]].assign(
        product_id=orders["order_id"] % 7 + 1, quantity=1
    )
    rest = {name: frames.get(name, empty(*columns)) for name, columns in NOTHING.items()}
    return Frames(as_of=as_of, zone="UTC", orders=orders, lines=frames.get("lines", lines), **rest)


def customers_who_buy(number: int, *, days: int = 400, seed: int = 1, until: datetime = AS_OF) -> pd.DataFrame:
    """Orders of ``number`` customers with rates and life times of their own, over the ``days`` before ``until``."""
    chance = np.random.default_rng(seed)
    rows: list[tuple[int, datetime, float, float]] = []
    for customer in range(1, number + 1):
        day = float(chance.uniform(0, days * 0.8))
        gap, end = float(chance.gamma(1.5, 40)) + 2, day + float(chance.exponential(300))
        mean = float(chance.lognormal(3.5, 0.6))
        while day < min(days, end):
            amount = round(mean * float(chance.lognormal(0, 0.3)), 2)
            discount = round(amount * 0.1, 2) if chance.random() < 0.2 else 0.0
            rows.append((customer, until - timedelta(days=days - day), amount, discount))
            day += float(chance.exponential(gap)) + 0.1
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "discount"])
