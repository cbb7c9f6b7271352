"""What is known about each customer who has bought, as numbers. docs/analytics.md is the dictionary."""

from datetime import datetime

import numpy as np
import pandas as pd

from analytics.frames import Frames

DAY = pd.Timedelta(days=1)
WINDOWS = (14, 30, 60, 90, 180)
# In this order; docs/analytics.md says what each means.
COLUMNS = (
    "recency", "tenure", "orders", "days_bought", "amount_mean", "amount_last", "amount_sum_90",
    *(f"orders_{days}" for days in WINDOWS),
    "gap_mean", "gap_spread", "overdue", "discount_share", "return_share", "categories", "products", "repeat_share",
    "messages_90", "sentiment", "complaints", "answer_minutes", "language_zh", "by_telegram",
)  # fmt: skip


def features(frames: Frames) -> pd.DataFrame:
    """One row per customer with at least one purchase up to ``frames.as_of``; index customer_id (int64), sorted.

    Days are fractions of 24 hours, amounts major units, shares 0 to 1. Nothing is missing: docs/analytics.md says what
    stands where a customer gives nothing to measure.
    """
    orders = frames.orders.dropna(subset=["customer_id"])
    orders = orders[orders["ordered_at"] <= frames.as_of].astype({"customer_id": "int64"})
    table = _buying(orders, frames.as_of)
    table = table.join(_gaps(orders, table), how="left")
    table = table.join(_returns(frames, table), how="left")
    table = table.join(_breadth(frames), how="left")
    table = table.join(_talking(frames), how="left")
    table["overdue"] = (table["recency"] / table["gap_mean"]).clip(upper=20.0)
    return table.fillna({"categories": 0.0, "products": 0.0, "repeat_share": 0.0}).fillna(0.0)[list(COLUMNS)]


def _buying(orders: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    age = (pd.Timestamp(as_of) - orders["ordered_at"]) / DAY
    orders = orders.assign(age=age, day=orders["ordered_at"].dt.floor("D"))
    groups = orders.groupby("customer_id", sort=True)
    table = pd.DataFrame(
        {
            "recency": groups["age"].min(),
            "tenure": groups["age"].max(),
            "orders": groups.size().astype(float),
            "days_bought": groups["day"].nunique().astype(float),
            "amount_mean": groups["amount"].mean(),
            "amount_last": groups["amount"].last(),
            "discount_share": groups["discount"].sum() / (groups["amount"].sum() + groups["discount"].sum() + 1e-9),
        }
    )
    table.index = table.index.astype("int64")
    for days in WINDOWS:
        recent = orders[orders["age"] < days].groupby("customer_id")
        table[f"orders_{days}"] = recent["day"].nunique().reindex(table.index, fill_value=0).astype(float)
        if days == 90:
            table["amount_sum_90"] = recent["amount"].sum().reindex(table.index, fill_value=0.0)
    return table


def _gaps(orders: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Days between days of buying. Who bought on one day only is given the time since, or 30 days if that is less."""
    days = orders.assign(day=orders["ordered_at"].dt.floor("D"))[["customer_id", "day"]].drop_duplicates()
    days = days.sort_values(["customer_id", "day"], ignore_index=True)
    gap = days.groupby("customer_id")["day"].diff() / DAY
    groups = gap.groupby(days["customer_id"])
    mean = groups.mean().reindex(table.index)
    spread = (groups.std() / groups.mean()).reindex(table.index)
    return pd.DataFrame(
        {"gap_mean": mean.fillna(table["recency"].clip(lower=30.0)).clip(lower=1.0), "gap_spread": spread.fillna(0.0)}
    )


def _returns(frames: Frames, table: pd.DataFrame) -> pd.DataFrame:
    given_back = frames.refunds.dropna(subset=["customer_id"])
    given_back = given_back[given_back["refunded_at"] <= frames.as_of]
    sums = given_back.groupby("customer_id")["amount"].sum()
    sums.index = sums.index.astype("int64")
    spent = table["amount_mean"] * table["orders"]
    # Refunds above what was ever bought are a clerk's business: the share ends at 1.
    return pd.DataFrame({"return_share": (sums.reindex(table.index, fill_value=0.0) / (spent + 1e-9)).clip(0.0, 1.0)})


def _breadth(frames: Frames) -> pd.DataFrame:
    lines = frames.lines.dropna(subset=["customer_id"])
    lines = lines[lines["ordered_at"] <= frames.as_of][["customer_id", "product_id", "order_id"]]
    groups = lines.groupby("customer_id")
    category = frames.products.set_index("product_id")["category"]
    categories = lines.assign(category=lines["product_id"].map(category)).groupby("customer_id")["category"].nunique()
    pairs = lines.drop_duplicates(["customer_id", "product_id", "order_id"])
    times = pairs.groupby(["customer_id", "product_id"]).size()
    repeated = (times > 1).groupby(level=0).mean()
    table = pd.DataFrame(
        {
            "categories": categories.astype(float),
            "products": groups["product_id"].nunique().astype(float),
            "repeat_share": repeated.astype(float),
        }
    )
    table.index = table.index.astype("int64")
    return table


def _talking(frames: Frames) -> pd.DataFrame:
    """From the log; who never wrote has 0 everywhere, and sentiment 0 is neutral."""
    messages = frames.messages.dropna(subset=["customer_id"])
    messages = messages[messages["sent_at"] <= frames.as_of]
    theirs = messages[messages["author"] == "customer"]
    recent = theirs[theirs["sent_at"] > pd.Timestamp(frames.as_of) - 90 * DAY]
    complaints = frames.complaints[frames.complaints["opened_at"] <= frames.as_of]
    table = pd.DataFrame(
        {
            "messages_90": recent.groupby("customer_id").size().astype(float),
            "sentiment": recent.groupby("customer_id")["sentiment"].mean(),
            "complaints": complaints.groupby("customer_id").size().astype(float),
            "answer_minutes": _answer_minutes(messages),
            "language_zh": _share(theirs, "language", "zh").round(),
            "by_telegram": _share(theirs, "channel", "telegram"),
        }
    )
    table.index = table.index.astype("int64")
    return table


def _share(messages: pd.DataFrame, column: str, value: str) -> pd.Series:
    return (messages[column].astype(object) == value).groupby(messages["customer_id"]).mean()


def _answer_minutes(messages: pd.DataFrame) -> pd.Series:
    """Median minutes until somebody of the shop, bot or owner, answered; at most a day."""
    if messages.empty:
        return pd.Series(dtype=float)
    ordered = messages.sort_values(["conversation_id", "message_id"])
    by_customer = ordered["author"].to_numpy() == "customer"
    nexts = ordered.groupby("conversation_id")[["sent_at", "author"]].shift(-1)
    waited = (nexts["sent_at"] - ordered["sent_at"]) / pd.Timedelta(minutes=1)
    answered = by_customer & (nexts["author"].to_numpy() != "customer") & nexts["sent_at"].notna().to_numpy()
    return waited[answered].clip(upper=1440.0).groupby(ordered["customer_id"][answered]).median()


def bought_within(orders: pd.DataFrame, customers: pd.Index, start: datetime, days: float) -> np.ndarray:
    """Whether each of ``customers`` bought in the ``days`` after ``start``: the label of a closed window; bool (n,)."""
    after = orders[(orders["ordered_at"] > start) & (orders["ordered_at"] <= pd.Timestamp(start) + days * DAY)]
    buyers = after["customer_id"].dropna().astype("int64").unique()
    return np.asarray(customers.isin(buyers))
