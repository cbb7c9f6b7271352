from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base
from crm.sealing import Sealed, SealedJson


class FollowUpKind(StrEnum):
    """One rule each; docs/digest.md says when it applies."""

    DELIVERED = "delivered"
    RETURN_APPROVED = "return_approved"
    AT_RISK = "at_risk"
    QUOTE_UNANSWERED = "quote_unanswered"
    REPLENISHMENT = "replenishment"
    BACK_IN_STOCK = "back_in_stock"


class FollowUpStatus(StrEnum):
    """``WITHHELD`` is the control group: drafted, and never sent on purpose."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    SENT = "sent"
    DISMISSED = "dismissed"
    STOPPED = "stopped"
    EXPIRED = "expired"
    WITHHELD = "withheld"


class FollowUpRule(Base):
    """How a rule is set. A rule without a row stands as crm/follow_up_rules.py sets it."""

    __tablename__ = "follow_up_rules"

    kind: Mapped[FollowUpKind] = mapped_column(primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    automatic: Mapped[bool] = mapped_column(default=False)
    control_share: Mapped[float] = mapped_column(default=0.0)
    updated_at: Mapped[datetime]


class FollowUp(Base):
    """One message that a rule proposes for one customer about one thing; made once per ``subject_key``."""

    __tablename__ = "follow_ups"
    __table_args__ = (UniqueConstraint("kind", "subject_key"), Index(None, "status", "due_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FollowUpKind]
    subject_key: Mapped[str]  # order:17, return:3, customer:5:2026-11 …
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    status: Mapped[FollowUpStatus] = mapped_column(default=FollowUpStatus.DRAFTED)
    language: Mapped[str]
    text: Mapped[str] = mapped_column(Sealed("follow-up"))
    data: Mapped[dict[str, Any]] = mapped_column(SealedJson("follow-up data"), default=dict)
    drafted_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))


class StockWait(Base):
    """Somebody asked for a product that was out of stock; told when it is back, once each time they asked."""

    __tablename__ = "stock_waits"
    __table_args__ = (UniqueConstraint("conversation_id", "product_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), index=True)
    asked_at: Mapped[datetime]
