from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base
from crm.models.enums import TicketKind, TicketStatus
from crm.sealing import Sealed


class Ticket(Base):
    """Something the owner has to see to. ``request_key`` makes a repeated turn harmless."""

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[TicketKind]
    status: Mapped[TicketStatus] = mapped_column(default=TicketStatus.OPEN, index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="SET NULL"))
    quantity: Mapped[int | None]
    contact: Mapped[str | None] = mapped_column(Sealed("contact"))
    text: Mapped[str] = mapped_column(Sealed("ticket"))
    opened_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Feedback(Base):
    """CSAT, 1 (bad) to 5 (good), for a conversation or one message of it."""

    __tablename__ = "feedback"
    __table_args__ = (CheckConstraint("score BETWEEN 1 AND 5", name="score_range"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_seq: Mapped[int | None]
    score: Mapped[int]
    comment: Mapped[str | None] = mapped_column(Sealed("comment"))
    given_at: Mapped[datetime]


class KnowledgeArticle(Base):
    """One article in one language; ``slug`` is shared by its translations."""

    __tablename__ = "knowledge_articles"
    __table_args__ = (UniqueConstraint("slug", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    language: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    questions: Mapped[list[str]] = mapped_column(default=list)
    tags: Mapped[list[str]] = mapped_column(default=list)
    updated_at: Mapped[datetime]


class ShownRecommendation(Base):
    """What was recommended to whom and why, and whether they looked at it; purchases are matched against it.

    ``personal`` is the customer's group: personal picks, or (False) what sells just now. NULL is outside the trial.
    """

    __tablename__ = "shown_recommendations"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), index=True)
    rank: Mapped[int]
    reason: Mapped[str]
    shown_at: Mapped[datetime]
    personal: Mapped[bool | None]
    clicked_at: Mapped[datetime | None]


class Revision(Base):
    """Counts the changes of one part of the store, so that what was derived from it knows when to be made anew."""

    __tablename__ = "revisions"

    name: Mapped[str] = mapped_column(primary_key=True)  # catalogue | knowledge | orders
    number: Mapped[int]
