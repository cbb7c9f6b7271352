from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.models.base import Base
from crm.sealing import Sealed, SealedJson


class DigestChannel(StrEnum):
    EMAIL = "email"
    TELEGRAM = "telegram"


class DigestDeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class OwnerLinkKind(StrEnum):
    """What one tap in a digest or alert does."""

    SEND_FOLLOW_UP = "send_follow_up"
    DISMISS_FOLLOW_UP = "dismiss_follow_up"
    ADD_ARTICLE = "add_article"
    CLOSE_TICKET = "close_ticket"
    DISMISS = "dismiss"


class Digest(Base):
    """One week's report to the owner as it was sent: the archive shows exactly this."""

    __tablename__ = "digests"

    id: Mapped[int] = mapped_column(primary_key=True)
    week: Mapped[str] = mapped_column(unique=True)  # 2026-W47
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    language: Mapped[str]
    subject: Mapped[str]
    html: Mapped[str] = mapped_column(Sealed("digest"))  # pictures as cid:NAME
    text: Mapped[str] = mapped_column(Sealed("digest"))
    short_text: Mapped[str] = mapped_column(Sealed("digest"))  # for Telegram
    facts: Mapped[dict[str, Any]] = mapped_column(SealedJson("digest"))
    built_at: Mapped[datetime]

    pictures: Mapped[list["DigestPicture"]] = relationship(
        order_by="DigestPicture.id", cascade="all, delete-orphan", back_populates="digest"
    )
    deliveries: Mapped[list["DigestDelivery"]] = relationship(
        order_by="DigestDelivery.id", cascade="all, delete-orphan", back_populates="digest"
    )


class DigestPicture(Base):
    __tablename__ = "digest_pictures"
    __table_args__ = (UniqueConstraint("digest_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest_id: Mapped[int] = mapped_column(ForeignKey("digests.id", ondelete="CASCADE"))
    name: Mapped[str]
    png: Mapped[bytes] = mapped_column(LargeBinary)

    digest: Mapped[Digest] = relationship(back_populates="pictures")


class DigestDelivery(Base):
    """How far a digest got on one channel; the pair is unique, so it is sent once, whoever restarts."""

    __tablename__ = "digest_deliveries"
    __table_args__ = (UniqueConstraint("digest_id", "channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest_id: Mapped[int] = mapped_column(ForeignKey("digests.id", ondelete="CASCADE"))
    channel: Mapped[DigestChannel]
    state: Mapped[DigestDeliveryState] = mapped_column(default=DigestDeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]

    digest: Mapped[Digest] = relationship(back_populates="deliveries")


class OwnerLink(Base):
    """A link that does one thing once. The address holds the nonce, signed; nothing about the customer."""

    __tablename__ = "owner_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[OwnerLinkKind]
    subject_id: Mapped[int | None]  # the follow-up's, ticket's … id, by kind
    data: Mapped[dict[str, Any]] = mapped_column(SealedJson("owner link"), default=dict)
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digests.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
