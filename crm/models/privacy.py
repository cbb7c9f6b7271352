from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class DataKey(Base):
    """One row: which DESK_DATA_KEY the personal fields are encrypted with, by its id."""

    __tablename__ = "data_key"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class Erasure(Base):
    """Somebody was forgotten. Holds no name: ``marks`` recognise their records should a backup bring them back."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(unique=True)
    marks: Mapped[list[str]]  # one-way, of source and id of each customer record and account
    asked_by: Mapped[str]  # owner | customer
    erased_at: Mapped[datetime] = mapped_column(index=True)
    receipt: Mapped[dict[str, Any]]
    # asked for in this conversation, whose last lines go with the next daily run: the answer has to reach them first
    open_conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id", ondelete="SET NULL"))


class MergeProof(StrEnum):
    """Why two customer records are one person."""

    ORDER_AND_CONTACT = "order_and_contact"
    SIGNED_IDENTITY = "signed_identity"
    FOLLOWED_LINK = "followed_link"
    OWNER = "owner"


class CustomerMerge(Base):
    """Two customer records became one. ``moved`` says which rows changed hands, so that it can be undone."""

    __tablename__ = "customer_merges"

    id: Mapped[int] = mapped_column(primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    merged_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    proof: Mapped[MergeProof]
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    moved: Mapped[dict[str, Any]]  # table -> ids
    merged_at: Mapped[datetime] = mapped_column(index=True)
    undone_at: Mapped[datetime | None]


class LinkPurpose(StrEnum):
    CONTINUE_ON_TELEGRAM = "continue_on_telegram"
    EXPORT = "export"


class OneTimeLink(Base):
    """A link that does one thing once for whoever holds it. Stored only as its hash."""

    __tablename__ = "one_time_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[LinkPurpose]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    identity_id: Mapped[int] = mapped_column(ForeignKey("identities.id"), index=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class AccountLink(Base):
    """Two accounts of one person, by a link that they followed themselves with their consent."""

    __tablename__ = "account_links"
    __table_args__ = (Index(None, "from_identity_id", "to_identity_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    from_identity_id: Mapped[int] = mapped_column(ForeignKey("identities.id"))
    to_identity_id: Mapped[int] = mapped_column(ForeignKey("identities.id"), index=True)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consents.id"))
    linked_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class SharingReport(Base):
    """Figures that left the shop, and what privacy they cost: the budget of a year is the sum of its epsilons."""

    __tablename__ = "sharing_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    week: Mapped[str] = mapped_column(unique=True)  # 2026-W47
    epsilon: Mapped[float]
    figures: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(index=True)
