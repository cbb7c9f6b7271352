from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.models.base import Base
from crm.models.customers import Identity
from crm.models.enums import Author, Channel, ConversationStatus, Delivery, HandoffReason, ReturnedBy
from crm.sealing import Sealed, SealedJson

UNANSWERED = text("turn IS NULL")


class Conversation(Base):
    """All that one identity and the shop said to each other, in order.

    ``last_seq`` numbers the messages; taking the next number locks the row, so numbers appear in the order in which
    they are committed. ``lease_owner``/``lease_until`` say which gateway is answering just now.
    """

    __tablename__ = "conversations"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    identity_id: Mapped[int] = mapped_column(ForeignKey("identities.id"), index=True)
    channel: Mapped[Channel]
    language: Mapped[str]
    status: Mapped[ConversationStatus] = mapped_column(default=ConversationStatus.OPEN)
    page_url: Mapped[str | None]
    last_seq: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime]
    last_message_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    address: Mapped[str | None]  # a one-way mark of the network address it was opened from
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    # the first message that was said while the owner spoke and that the bot has not been told of yet
    unheard_from: Mapped[int | None]
    satisfaction_asked_at: Mapped[datetime | None]

    identity: Mapped[Identity] = relationship()
    messages: Mapped[list["Message"]] = relationship(back_populates="conversation", order_by="Message.seq")


class Message(Base):
    """One line of a conversation.

    A customer's message with ``turn`` NULL still waits for its answer. Answering gives all lines of a burst, and the
    replies to them, the same ``turn``: the ``seq`` of the burst's first line.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("channel", "external_id"),
        Index("ix_messages_waiting", "conversation_id", "turn"),
        # Only what waits for an answer: looked for at every start, however long the log has grown.
        Index("ix_messages_unanswered", "created_at", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
        Index("ix_messages_delivery", "delivery"),
        Index(None, "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    author: Mapped[Author]
    channel: Mapped[Channel]
    external_id: Mapped[str | None]
    client_id: Mapped[str | None]
    text: Mapped[str] = mapped_column(Sealed("message", messages=True))
    payload: Mapped[str | None] = mapped_column(Sealed("payload", messages=True))
    buttons: Mapped[list[dict[str, Any]] | None] = mapped_column(SealedJson("buttons", messages=True))
    cards: Mapped[list[dict[str, Any]] | None] = mapped_column(SealedJson("cards", messages=True))
    image: Mapped[str | None]
    turn: Mapped[int | None]
    created_at: Mapped[datetime]

    # what the bot understood, on the customer's messages
    intent: Mapped[str | None]
    confidence: Mapped[float | None]
    entities: Mapped[list[dict[str, Any]] | None] = mapped_column(SealedJson("entities", messages=True))
    ranking: Mapped[list[dict[str, Any]] | None]
    language: Mapped[str | None]
    model_id: Mapped[str | None]
    answer_ms: Mapped[float | None]

    # how far it got, on messages to the customer
    delivery: Mapped[Delivery] = mapped_column(default=Delivery.NOT_NEEDED)
    delivery_attempts: Mapped[int] = mapped_column(default=0)
    deliver_after: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    delivery_error: Mapped[str | None]
    delivered_pieces: Mapped[int] = mapped_column(default=0, server_default="0")  # of a message sent in several
    # While nobody knows how a try ended: the highest number that the channel had given to a message before it.
    tried_after: Mapped[int | None]

    conversation: Mapped[Conversation] = relationship(back_populates="messages")


class Handoff(Base):
    """A conversation that waits for, or is held by, the owner. Open while ``returned_at`` is NULL.

    The bot is silent while ``taken_at`` is set and ``returned_at`` is not.
    """

    __tablename__ = "handoffs"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    reason: Mapped[HandoffReason]
    summary: Mapped[str] = mapped_column(Sealed("summary"))
    opened_at: Mapped[datetime] = mapped_column(index=True)
    notified_at: Mapped[datetime | None]  # when the owner's notice was written
    taken_at: Mapped[datetime | None]
    spoke_at: Mapped[datetime | None]  # the owner's last words
    returned_at: Mapped[datetime | None] = mapped_column(index=True)
    returned_by: Mapped[ReturnedBy | None]
