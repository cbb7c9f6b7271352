from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.models.base import Base
from crm.models.customers import Customer
from crm.models.enums import FinancialStatus, FulfillmentStatus, OrderState, ReturnStatus
from crm.sealing import Sealed
from crm.types import MINOR


class Order(Base):
    """One purchase. All ``*_minor`` are in the currency's smallest unit; refunds are never netted into totals."""

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("source", "external_id"), Index(None, "number"), Index(None, "placed_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    number: Mapped[str]  # as customers type it: no "#", upper case
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    email: Mapped[str | None] = mapped_column(Sealed("email", lookup=True))
    phone: Mapped[str | None] = mapped_column(Sealed("phone", lookup=True))
    currency: Mapped[str]
    subtotal_minor: Mapped[int] = mapped_column(MINOR, default=0)
    discount_minor: Mapped[int] = mapped_column(MINOR, default=0)
    shipping_minor: Mapped[int] = mapped_column(MINOR, default=0)
    tax_minor: Mapped[int] = mapped_column(MINOR, default=0)
    total_minor: Mapped[int] = mapped_column(MINOR, default=0)
    refunded_minor: Mapped[int] = mapped_column(MINOR, default=0)
    discount_code: Mapped[str | None]
    financial_status: Mapped[FinancialStatus] = mapped_column(default=FinancialStatus.PAID)
    fulfillment_status: Mapped[FulfillmentStatus] = mapped_column(default=FulfillmentStatus.UNFULFILLED)
    country: Mapped[str | None]  # ISO 3166 alpha-2 where known
    city: Mapped[str | None] = mapped_column(Sealed("city"))
    placed_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    customer: Mapped[Customer | None] = relationship()
    lines: Mapped[list["OrderLine"]] = relationship(
        back_populates="order", order_by="OrderLine.position", cascade="all, delete-orphan"
    )
    shipments: Mapped[list["Shipment"]] = relationship(
        back_populates="order", order_by="Shipment.shipped_at", cascade="all, delete-orphan"
    )

    @property
    def state(self) -> OrderState:
        """What the customer is told: cancellation and full refunds outrank fulfilment, fulfilment outranks payment."""
        if self.cancelled_at is not None or self.financial_status is FinancialStatus.VOIDED:
            return OrderState.CANCELLED
        if self.financial_status is FinancialStatus.REFUNDED:
            return OrderState.REFUNDED
        if self.fulfillment_status is FulfillmentStatus.DELIVERED:
            return OrderState.DELIVERED
        if self.fulfillment_status is FulfillmentStatus.FULFILLED:
            return OrderState.SHIPPED
        if self.fulfillment_status is FulfillmentStatus.PARTIAL:
            return OrderState.PARTLY_SHIPPED
        if self.financial_status is FinancialStatus.PENDING:
            return OrderState.AWAITING_PAYMENT
        return OrderState.PREPARING


class OrderLine(Base):
    """``quantity`` units of one thing at ``unit_price_minor``; a negative quantity is a return noted as a line."""

    __tablename__ = "order_lines"
    __table_args__ = (UniqueConstraint("order_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    position: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="SET NULL"), index=True)
    sku: Mapped[str | None]
    title: Mapped[str]
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(MINOR)
    discount_minor: Mapped[int] = mapped_column(MINOR, default=0)
    fulfilled: Mapped[bool] = mapped_column(default=False)

    order: Mapped[Order] = relationship(back_populates="lines")


class Shipment(Base):
    __tablename__ = "shipments"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    carrier: Mapped[str | None]
    tracking_number: Mapped[str | None]
    tracking_url: Mapped[str | None]
    shipped_at: Mapped[datetime | None]  # None: known to be sent, not when
    delivered_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(back_populates="shipments")


class ReturnRequest(Base):
    """A customer wants to send something back. ``request_key`` makes a repeated turn harmless.

    ``decision_note`` is a line that the shop adds for the customer; ``told_at`` is when they last heard of the state
    in their chat, None if there was none to tell it in.
    """

    __tablename__ = "return_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_key: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    reason: Mapped[str] = mapped_column(Sealed("return reason"))
    status: Mapped[ReturnStatus] = mapped_column(default=ReturnStatus.REQUESTED)
    requested_at: Mapped[datetime]
    owner_told_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    decision_note: Mapped[str] = mapped_column(Sealed("return note"), default="")
    refunded_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
