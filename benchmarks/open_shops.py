"""The public shops of the measurements, as frames. They lie beside the checkout and are never part of it."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analytics.frames import Frames, without_slips

ROOT = Path(__file__).parents[1]
MOMENTS = {"created_at", "refunded_at", "sent_at", "opened_at"}


def data(name: str) -> Path:
    """``shared/data/NAME`` beside the checkout or one level up. Raises FileNotFoundError."""
    for parent in (ROOT.parent, ROOT.parent.parent):
        path = parent / "shared" / "data" / name
        if path.exists():
            return path
    raise FileNotFoundError(f"shared/data/{name} is not beside {ROOT}")


def _nothing(*columns: str) -> pd.DataFrame:
    frame = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    for name in columns:
        if name in MOMENTS:
            frame[name] = pd.Series(dtype="datetime64[us, UTC]")
        elif name == "customer_id":
            frame[name] = pd.Series(dtype="Int64")
    return frame


def _frames(orders: pd.DataFrame, lines: pd.DataFrame, products: pd.DataFrame, refunds: pd.DataFrame) -> Frames:
    return Frames(
        as_of=orders["ordered_at"].max().ceil("D").to_pydatetime(),
        zone="UTC",
        customers=_nothing("customer_id", "external_id", "created_at", "language", "accepts_marketing"),
        orders=orders,
        lines=lines,
        products=products,
        refunds=refunds,
        messages=_nothing(
            "message_id", "conversation_id", "customer_id", "sent_at", "author", "channel", "language", "intent",
            "sentiment",
        ),
        complaints=_nothing("customer_id", "opened_at"),
    )  # fmt: skip


def _utc(moments: pd.Series) -> pd.Series:
    return pd.to_datetime(moments, utc=True).astype("datetime64[us, UTC]")


@cache
def online_retail() -> Frames:
    """UCI Online Retail. C invoices are refunds; only goods (codes of five digits) with a price count."""
    rows = pd.read_csv(data("online_retail/online_retail.csv.gz"), dtype={"Invoice": str, "StockCode": str})
    rows = rows[rows["StockCode"].str.match(r"^\d{5}") & (rows["Price"] > 0)]
    rows["customer_id"] = rows["CustomerID"].round().astype("Int64")
    rows["ordered_at"] = _utc(rows["InvoiceDate"])
    rows["amount"] = rows["Quantity"] * rows["Price"]
    back = rows["Invoice"].str.startswith("C")
    sold = rows[~back & (rows["Quantity"] > 0)].copy()
    sold["order_id"] = pd.factorize(sold["Invoice"])[0] + 1
    codes, titles = pd.factorize(sold["StockCode"].str.upper())
    sold["product_id"] = codes + 1
    orders = sold.groupby("order_id").agg(
        customer_id=("customer_id", "first"), ordered_at=("ordered_at", "min"), amount=("amount", "sum")
    )
    orders = orders.reset_index().assign(discount=0.0).sort_values(["ordered_at", "order_id"], ignore_index=True)
    refunds = (
        rows[back]
        .groupby("Invoice")
        .agg(customer_id=("customer_id", "first"), refunded_at=("ordered_at", "min"), amount=("amount", "sum"))
    )
    refunds = refunds.reset_index(drop=True).assign(amount=lambda frame: -frame["amount"])
    orders, refunds = without_slips(orders, refunds.sort_values("refunded_at", ignore_index=True), {})
    lines = sold.rename(columns={"Quantity": "quantity"})
    lines = lines[["order_id", "customer_id", "product_id", "ordered_at", "quantity", "amount"]]
    lines = lines[lines["order_id"].isin(orders["order_id"])].sort_values("ordered_at", ignore_index=True)
    described = sold.groupby("product_id")["Description"].first()
    products = pd.DataFrame(
        {
            "product_id": described.index.to_numpy("int64"),
            "title": described.fillna("").to_numpy(),
            "category": pd.Series([None] * len(titles), dtype=object),
            "price": sold.groupby("product_id")["Price"].median().to_numpy(),
            "stock": pd.Series([pd.NA] * len(titles), dtype="Int64"),
            "active": True,
            "created_at": pd.Timestamp("2010-12-01", tz="UTC"),
        }
    )
    return _frames(orders, lines, products, refunds)


@cache
def cdnow(which: str) -> Frames:
    """CDNOW, ``sample`` (2,357 customers) or ``master`` (23,570): 1997-01-01 to 1998-06-30."""
    names = ["customer_id", "date", "quantity", "amount"]
    names = ["master_id", *names] if which == "sample" else names
    rows = pd.read_csv(data(f"cdnow/CDNOW_{which}.txt"), sep=r"\s+", names=names, dtype={"date": str})
    rows = rows[pd.to_numeric(rows["customer_id"], errors="coerce").notna()] if which == "master" else rows
    rows["ordered_at"] = _utc(pd.to_datetime(rows["date"], format="%Y%m%d"))
    rows["customer_id"] = pd.to_numeric(rows["customer_id"]).astype("Int64")
    orders = rows.assign(amount=pd.to_numeric(rows["amount"]), discount=0.0)[
        ["customer_id", "ordered_at", "amount", "discount"]
    ]
    orders = orders.sort_values("ordered_at", kind="stable", ignore_index=True)
    orders.insert(0, "order_id", np.arange(1, len(orders) + 1))
    lines = orders.drop(columns="discount").assign(product_id=1, quantity=1)
    products = pd.DataFrame(
        {"product_id": [1], "title": ["CD"], "category": [None], "price": [10.0],
         "stock": pd.Series([pd.NA], dtype="Int64"), "active": [True], "created_at": [orders["ordered_at"].min()]}
    )  # fmt: skip
    return _frames(orders, lines, products, _nothing("customer_id", "refunded_at", "amount"))


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
