"""From the store to frames: everything that was known at one moment, and nothing later.

Amounts are floats in major units of the shop's currency. What counts as a purchase, and what is left out and counted,
is written down in docs/analytics.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from crm import money
from crm.models import (
    Author,
    Conversation,
    Customer,
    FinancialStatus,
    Identity,
    Message,
    MessageSentiment,
    Order,
    OrderLine,
    Product,
    ProductStatus,
    ReturnRequest,
    Ticket,
    TicketKind,
    Variant,
)
from crm.shop import Shop

ROWS_AT_ONCE = 50_000
# An order and its full reversal within this time were a slip, not a sale and a return.
SLIP = timedelta(days=1)


@dataclass(frozen=True)
class Frames:
    """The shop as it stood at ``as_of`` (aware UTC).

    customers : customer_id, external_id, created_at, language, accepts_marketing
    orders    : order_id, customer_id (Int64, NA for guests), ordered_at, amount ≥ 0, discount ≥ 0
    lines     : order_id, customer_id, product_id, ordered_at, quantity > 0, amount
    products  : product_id, title, category, price, stock (NA: not counted), active, created_at
    refunds   : customer_id, refunded_at, amount > 0
    messages  : message_id, conversation_id, customer_id, sent_at, author, channel, language, intent, sentiment
    complaints: customer_id, opened_at
    left_out  : how many rows were left out, by reason
    """

    as_of: datetime
    zone: str
    customers: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    products: pd.DataFrame
    refunds: pd.DataFrame
    messages: pd.DataFrame
    complaints: pd.DataFrame
    left_out: dict[str, int] = field(default_factory=dict)

    def before(self, as_of: datetime) -> "Frames":
        """The same frames as they stood at an earlier moment. Raises ValueError for a later one."""
        if as_of > self.as_of:
            raise ValueError(f"frames of {self.as_of} cannot tell what was known at {as_of}")
        return Frames(
            as_of=as_of,
            zone=self.zone,
            customers=self.customers,
            orders=self.orders[self.orders["ordered_at"] <= as_of],
            lines=self.lines[self.lines["ordered_at"] <= as_of],
            products=self.products,
            refunds=self.refunds[self.refunds["refunded_at"] <= as_of],
            messages=self.messages[self.messages["sent_at"] <= as_of],
            complaints=self.complaints[self.complaints["opened_at"] <= as_of],
            left_out=self.left_out,
        )

    def sampled(self, most: int) -> "Frames":
        """Frames of an even sample of at most ``most`` customers: enough to learn from, however large the shop."""
        owners = np.unique(self.orders["customer_id"].dropna().to_numpy("int64"))
        if len(owners) <= most:
            return self
        kept = np.random.default_rng(0).choice(owners, most, replace=False)

        def theirs(frame: pd.DataFrame) -> pd.DataFrame:
            return frame[frame["customer_id"].isin(kept)]

        return replace(
            self,
            orders=theirs(self.orders),
            lines=theirs(self.lines),
            refunds=theirs(self.refunds),
            messages=theirs(self.messages),
            complaints=theirs(self.complaints),
        )

    def daily(self) -> pd.Series:
        """Sales per calendar day of the shop, from the first to the day before ``as_of``'s; 0 where nothing was sold.

        The day of ``as_of`` itself is not over and left out.
        """
        return daily_sales(self.orders, self.as_of, self.zone)


def daily_sales(orders: pd.DataFrame, as_of: datetime, zone: str) -> pd.Series:
    """As ``Frames.daily``, for some of the orders."""
    if orders.empty:
        return pd.Series(dtype=float, index=pd.DatetimeIndex([], name="day"), name="amount")
    day = orders["ordered_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    sums = orders["amount"].groupby(day).sum()
    # The last microsecond of a day is the end of it.
    today = (pd.Timestamp(as_of) + pd.Timedelta(microseconds=1)).tz_convert(zone).tz_localize(None).normalize()
    days = pd.date_range(sums.index.min(), today - pd.Timedelta(days=1), freq="D", name="day")
    return sums.reindex(days, fill_value=0.0).rename("amount")


def read_frames(session: Session, shop: Shop, as_of: datetime) -> Frames:
    """One pass over the store. ``as_of`` is aware; rows after it are not read."""
    left_out: dict[str, int] = {}
    orders = _orders(session, shop, as_of, left_out)
    refunds = _refunds(session, shop, as_of)
    orders, refunds = without_slips(orders, refunds, left_out)
    return Frames(
        as_of=as_of,
        zone=shop.timezone,
        customers=_customers(session, as_of),
        orders=orders,
        lines=_lines(session, shop, as_of, orders),
        products=_products(session, shop),
        refunds=refunds,
        messages=_messages(session, as_of),
        complaints=_complaints(session, as_of),
        left_out=left_out,
    )


def _frame(session: Session, statement: Select[*tuple[Any, ...]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows in chunks, so that the driver's objects never all lie beside the frame; values as the database gives them.

    Reading times and states one by one into Python's own objects would take most of a large run.
    """
    plain = select(*(type_coerce(column, NullType()) for column in statement.selected_columns))
    plain = statement.with_only_columns(*plain.selected_columns, maintain_column_froms=True)
    result = session.connection().execution_options(yield_per=ROWS_AT_ONCE).execute(plain)
    parts = [pd.DataFrame(dict(zip(columns, zip(*rows, strict=True), strict=True))) for rows in result.partitions()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def _times(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    for name in names:
        # SQLite gives text and PostgreSQL datetimes; both are UTC by the store's own rule.
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    return frame


def _orders(session: Session, shop: Shop, as_of: datetime, left_out: dict[str, int]) -> pd.DataFrame:
    cancelled = or_(
        and_(Order.cancelled_at.is_not(None), Order.cancelled_at <= as_of),
        Order.financial_status == FinancialStatus.VOIDED,
    )
    columns = ("order_id", "customer_id", "ordered_at", "amount", "discount", "currency", "cancelled", "refund")
    frame = _frame(
        session,
        select(
            Order.id,
            Order.customer_id,
            Order.placed_at,
            Order.total_minor,
            Order.discount_minor,
            Order.currency,
            cancelled,
            Order.refunded_minor > 0,
        )
        .where(Order.placed_at <= as_of)
        .order_by(Order.placed_at, Order.id),
        columns,
    )
    frame = _times(frame, "ordered_at")
    frame["customer_id"] = frame["customer_id"].astype("Int64")
    frame["order_id"] = frame["order_id"].astype("int64")
    later = session.scalar(select(func.count()).where(Order.placed_at > as_of)) or 0
    frame = _sorted_out(frame, shop, left_out | {"after the date": later}, left_out)
    scale = 10 ** money.digits(shop.currency)
    frame["amount"] = frame["amount"].astype(float) / scale
    frame["discount"] = frame["discount"].astype(float).clip(lower=0.0) / scale
    return frame[["order_id", "customer_id", "ordered_at", "amount", "discount"]].reset_index(drop=True)


def _sorted_out(frame: pd.DataFrame, shop: Shop, counted: dict[str, int], left_out: dict[str, int]) -> pd.DataFrame:
    """Only purchases; each row that is none is counted under the first reason that applies."""
    is_cancelled = frame["cancelled"].astype(bool)
    is_refund = ~is_cancelled & (frame["amount"] <= 0) & frame["refund"].astype(bool)
    is_negative = ~is_cancelled & ~is_refund & (frame["amount"] < 0)
    is_foreign = ~is_cancelled & ~is_refund & ~is_negative & (frame["currency"] != shop.currency)
    reasons = {"cancelled": is_cancelled, "refund": is_refund, "below 0": is_negative, "other currency": is_foreign}
    for reason, which in reasons.items():
        counted[reason] = int(which.sum())
    left_out.update({reason: number for reason, number in counted.items() if number})
    return frame[~(is_cancelled | is_refund | is_negative | is_foreign)]


def _refunds(session: Session, shop: Shop, as_of: datetime) -> pd.DataFrame:
    """Money given back that has a date of its own: a return booked as an entry, or a return request."""
    booked = (
        select(Order.customer_id, Order.placed_at, Order.refunded_minor)
        .where(Order.placed_at <= as_of, Order.total_minor <= 0, Order.refunded_minor > 0)
        .where(Order.currency == shop.currency)
    )
    asked = (
        select(Order.customer_id, ReturnRequest.requested_at, Order.total_minor)
        .join(Order)
        .where(ReturnRequest.requested_at <= as_of, Order.currency == shop.currency, Order.total_minor > 0)
    )
    columns = ("customer_id", "refunded_at", "amount")
    frame = pd.concat([_frame(session, booked, columns), _frame(session, asked, columns)], ignore_index=True)
    frame = _times(frame, "refunded_at")
    frame["customer_id"] = frame["customer_id"].astype("Int64")
    frame["amount"] = frame["amount"].astype(float) / 10 ** money.digits(shop.currency)
    return frame.sort_values("refunded_at", ignore_index=True)


def without_slips(
    orders: pd.DataFrame, refunds: pd.DataFrame, left_out: dict[str, int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders and refunds without the pairs in which a customer's order was reversed in full within a day."""
    if orders.empty or refunds.empty:
        return orders, refunds
    left = orders.reset_index(names="order_row").dropna(subset=["customer_id"])
    right = refunds.reset_index(names="refund_row").dropna(subset=["customer_id"])
    pairs = left.merge(right, on=["customer_id", "amount"])
    waited = pairs["refunded_at"] - pairs["ordered_at"]
    pairs = pairs[(waited >= pd.Timedelta(0)) & (waited <= SLIP)]
    pairs = pairs.drop_duplicates("order_row").drop_duplicates("refund_row")
    if len(pairs):
        left_out["reversed within a day"] = len(pairs)
    kept = orders.drop(index=pairs["order_row"]).reset_index(drop=True)
    return kept, refunds.drop(index=pairs["refund_row"]).reset_index(drop=True)


def _lines(session: Session, shop: Shop, as_of: datetime, orders: pd.DataFrame) -> pd.DataFrame:
    frame = _frame(
        session,
        select(
            OrderLine.order_id,
            OrderLine.product_id,
            OrderLine.quantity,
            OrderLine.quantity * OrderLine.unit_price_minor - OrderLine.discount_minor,
        )
        .join(Order)
        .where(Order.placed_at <= as_of, OrderLine.quantity > 0, OrderLine.product_id.is_not(None)),
        ("order_id", "product_id", "quantity", "amount"),
    )
    frame = frame.astype({"order_id": "int64", "product_id": "int64", "quantity": "int64", "amount": float})
    frame["amount"] /= 10 ** money.digits(shop.currency)
    known = orders[["order_id", "customer_id", "ordered_at"]]
    return frame.merge(known, on="order_id").sort_values("ordered_at", kind="stable", ignore_index=True)


def _customers(session: Session, as_of: datetime) -> pd.DataFrame:
    columns = ("customer_id", "external_id", "created_at", "language", "accepts_marketing")
    frame = _frame(
        session,
        select(
            Customer.id, Customer.external_id, Customer.created_at, Customer.language, Customer.accepts_marketing
        ).where(Customer.erased_at.is_(None)),
        columns,
    )
    frame = _times(frame, "created_at")
    return frame.astype({"customer_id": "int64", "accepts_marketing": bool})


def _products(session: Session, shop: Shop) -> pd.DataFrame:
    """The catalogue as it is now: its past is not kept."""
    rows = session.execute(
        select(
            Product.id,
            Product.title,
            Product.product_type,
            func.min(Variant.price_minor),
            func.sum(Variant.inventory),
            func.count(Variant.id) - func.count(Variant.inventory),
            func.max(case((Variant.sells_when_empty, 1), else_=0)),
            Product.status,
            Product.created_at,
        )
        .outerjoin(Variant)
        .group_by(Product.id)
    ).all()
    frame = pd.DataFrame(
        [
            (
                product_id, title, category, (price or 0) / 10 ** money.digits(shop.currency),
                None if uncounted or endless else stock, status is ProductStatus.ACTIVE, created_at,
            )
            for product_id, title, category, price, stock, uncounted, endless, status, created_at in rows
        ],
        columns=["product_id", "title", "category", "price", "stock", "active", "created_at"],
    )  # fmt: skip
    frame["stock"] = frame["stock"].astype("Int64")
    return _times(frame, "created_at").astype({"product_id": "int64", "price": float, "active": bool})


def _messages(session: Session, as_of: datetime) -> pd.DataFrame:
    columns = (
        "message_id", "conversation_id", "customer_id", "sent_at", "author", "channel", "language", "intent",
        "sentiment",
    )  # fmt: skip
    frame = _frame(
        session,
        select(
            Message.id,
            Message.conversation_id,
            Identity.customer_id,
            Message.created_at,
            Message.author,
            Message.channel,
            Message.language,
            Message.intent,
            MessageSentiment.score,
        )
        .join(Conversation, Message.conversation_id == Conversation.id)
        .join(Identity, Conversation.identity_id == Identity.id)
        .outerjoin(MessageSentiment, MessageSentiment.message_id == Message.id)
        .where(Message.created_at <= as_of, Message.author.in_((Author.CUSTOMER, Author.BOT, Author.OWNER))),
        columns,
    )
    frame = _times(frame, "sent_at")
    frame["customer_id"] = frame["customer_id"].astype("Int64")
    frame["sentiment"] = frame["sentiment"].astype(float)
    for name in ("author", "channel", "language", "intent"):
        frame[name] = frame[name].astype("category")
    return frame


def _complaints(session: Session, as_of: datetime) -> pd.DataFrame:
    frame = _frame(
        session,
        select(Ticket.customer_id, Ticket.opened_at).where(
            Ticket.kind == TicketKind.COMPLAINT, Ticket.opened_at <= as_of, Ticket.customer_id.is_not(None)
        ),
        ("customer_id", "opened_at"),
    )
    return _times(frame, "opened_at").astype({"customer_id": "int64"})
