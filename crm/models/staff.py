from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.models.base import Base
from crm.models.enums import Delivery
from crm.sealing import Sealed


class StaffRole(StrEnum):
    """A helper answers customers and edits articles; exports, erasure, settings and helpers are the owner's."""

    OWNER = "owner"
    HELPER = "helper"


class StaffMember(Base):
    """Somebody who signs in at /owner. ``seed`` recognises the password in DESK_OWNER_PASSWORD without holding it."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[StaffRole]
    password_hash: Mapped[str]
    seed: Mapped[str | None]
    language: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class StaffSession(Base):
    """One signed-in browser. The cookie holds the token, signed; here is only its hash."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    member: Mapped[StaffMember] = relationship()


class SignInFailure(Base):
    """A wrong password, counted to stop guessing."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index(None, "address", "failed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(index=True)


class OwnerNoticeKind(StrEnum):
    HANDOFF = "handoff"
    LINE = "line"
    RETURNED = "returned"
    ANSWER = "answer"
    ALERT = "alert"
    RETURN_REQUEST = "return_request"
    QUOTE_ANSWER = "quote_answer"


class OwnerNotice(Base):
    """A message to the owner on Telegram. It waits here until it is sent; a reply to it belongs to its conversation."""

    __tablename__ = "owner_notices"
    __table_args__ = (Index(None, "chat_id", "telegram_id"), Index("ix_owner_notices_delivery", "delivery"))

    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[str]
    kind: Mapped[OwnerNoticeKind]
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Sealed("notice"))  # quotes what customers wrote
    buttons: Mapped[list[dict[str, Any]] | None]
    made_at: Mapped[datetime]
    delivery: Mapped[Delivery] = mapped_column(default=Delivery.PENDING)
    delivery_attempts: Mapped[int] = mapped_column(default=0)
    deliver_after: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    telegram_id: Mapped[int | None]
    tried_after: Mapped[int | None]  # as on messages: the end of a try is not known


class Preference(Base):
    """What the owner set in the console; one row per name."""

    __tablename__ = "preferences"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]
