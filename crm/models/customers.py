from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.models.base import Base
from crm.models.enums import Channel, ConsentKind
from crm.sealing import Sealed


class Customer(Base):
    """Somebody who buys from the shop. ``source`` and ``external_id`` say where the record came from."""

    __tablename__ = "customers"
    __table_args__ = (UniqueConstraint("source", "external_id"), Index(None, "email"), Index(None, "phone"))

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    # often an e-mail address or phone number, where the source has no ids of its own
    external_id: Mapped[str] = mapped_column(Sealed("customer", lookup=True))
    name: Mapped[str | None] = mapped_column(Sealed("name"))
    email: Mapped[str | None] = mapped_column(Sealed("email", lookup=True))  # lower case
    phone: Mapped[str | None] = mapped_column(Sealed("phone", lookup=True))  # E.164 if possible, else its digits
    country: Mapped[str | None]
    language: Mapped[str | None]
    accepts_marketing: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(index=True)  # the record that stands for both

    identities: Mapped[list["Identity"]] = relationship(back_populates="customer")


class Identity(Base):
    """An account on one channel. Linked to a customer when, and only when, that was proven."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Channel]
    external_id: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    display_name: Mapped[str | None] = mapped_column(Sealed("name"))
    language: Mapped[str | None]
    linked_at: Mapped[datetime | None]
    linked_by: Mapped[str | None]  # order_and_contact | signed_identity | followed_link
    wants_marketing: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]

    customer: Mapped[Customer | None] = relationship(back_populates="identities")


class Consent(Base):
    """A permission given or withdrawn, with the words the customer was shown."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identities.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[ConsentKind]
    granted: Mapped[bool]
    wording: Mapped[str]
    source: Mapped[str | None]  # the export that says so; None: told to the bot
    recorded_at: Mapped[datetime]


class VerificationAttempt(Base):
    """Somebody tried to prove that an order is theirs. Counted to stop guessing."""

    __tablename__ = "verification_attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    order_number: Mapped[str] = mapped_column(index=True)
    address: Mapped[str | None] = mapped_column(index=True)  # a one-way mark of where the attempt came from
    succeeded: Mapped[bool]
    attempted_at: Mapped[datetime] = mapped_column(index=True)


class Disclosure(Base):
    """The audit log: what was told about whom, in which conversation."""

    __tablename__ = "disclosures"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    what: Mapped[str]
    told_at: Mapped[datetime]
