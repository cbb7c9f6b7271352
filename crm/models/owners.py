from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base
from crm.models.enums import Channel


class OwnerAccount(Base):
    """An account on a channel that belongs to the owner, proven by a one-time code."""

    __tablename__ = "owner_accounts"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Channel]
    external_id: Mapped[str]
    paired_at: Mapped[datetime]


class PairingCode(Base):
    """A code that turns the account which sends it into the owner's. Stored only as its hash."""

    __tablename__ = "pairing_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
