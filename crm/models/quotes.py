from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base
from crm.sealing import Sealed


class Quote(Base):
    """A price for a quantity, offered until a day. ``public_id`` is in the link and cannot be guessed."""

    __tablename__ = "quotes"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), unique=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    currency: Mapped[str]
    lines: Mapped[list[dict[str, Any]]]  # title, quantity, unit_price_minor
    note: Mapped[str] = mapped_column(Sealed("note"), default="")
    language: Mapped[str]
    made_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    seen_to_at: Mapped[datetime | None]  # the owner did what an acceptance asks for
