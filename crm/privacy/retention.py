"""Keeping what was said only as long as [privacy] retention_days in shop.toml allows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from crm.models import (
    Author,
    Conversation,
    Handoff,
    Identity,
    Message,
    OneTimeLink,
    Ticket,
    TicketStatus,
    VerificationAttempt,
)
from crm.privacy.erasing import finish_erasures
from crm.privacy.marks import PREFIX
from crm.privacy.removing import remove


@dataclass(frozen=True)
class Pruned:
    """How many were too old; of a dry run, how many would go."""

    messages: int
    conversations: int
    visitors: int
    tickets: int  # done long ago: their words are emptied
    attempts: int
    links: int
    forgotten: tuple[str, ...] = ()
    """Public ids of conversations that Rasa may still remember."""

    def as_dict(self) -> dict[str, int]:
        return {
            "messages": self.messages,
            "conversations": self.conversations,
            "visitors": self.visitors,
            "tickets": self.tickets,
            "verification_attempts": self.attempts,
            "links": self.links,
        }


def prune(session: Session, *, retention_days: int, now: datetime, dry_run: bool = False) -> Pruned:
    """Deletes messages older than that, conversations left without any, and visitors who never were customers.

    A conversation that waits for the owner stays, whatever its age, and so does one with an open ticket. What a
    customer's answer still needs is never touched: a line without one is kept.
    """
    before = now - timedelta(days=retention_days)
    messages = session.scalars(_old_messages(before)).all()
    conversations = session.execute(
        select(Conversation.id, Conversation.public_id).where(Conversation.last_message_at < before, _is_settled())
    ).all()
    tickets = session.scalars(
        select(Ticket.id).where(Ticket.status == TicketStatus.DONE, Ticket.opened_at < before, Ticket.text != "")
    ).all()
    attempts = session.scalars(select(VerificationAttempt.id).where(VerificationAttempt.attempted_at < before)).all()
    links = session.scalars(select(OneTimeLink.id).where(OneTimeLink.expires_at < before)).all()
    visitors = session.scalars(_strangers_seen_before(before)).all()
    forgotten = tuple(row.public_id for row in conversations)
    if not dry_run:
        remove(session, "messages", messages)
        remove(session, "conversations", [row.id for row in conversations])
        session.execute(update(Ticket).where(Ticket.id.in_(tickets)).values(text="", contact=None))
        remove(session, "verification_attempts", attempts)
        remove(session, "one_time_links", links)
        remove(session, "identities", visitors)
        session.expire_all()
        forgotten += finish_erasures(session)
    return Pruned(
        len(messages), len(conversations), len(visitors), len(tickets), len(attempts), len(links), forgotten
    )  # fmt: skip


def _old_messages(before: datetime) -> Select[int]:
    waits = (Message.author == Author.CUSTOMER) & Message.turn.is_(None)
    settled = select(Conversation.id).where(_is_settled())
    return select(Message.id).where(Message.created_at < before, ~waits, Message.conversation_id.in_(settled))


def _is_settled() -> ColumnElement[bool]:
    open_ticket = select(Ticket.id).where(Ticket.conversation_id == Conversation.id, Ticket.status == TicketStatus.OPEN)
    waiting = select(Handoff.id).where(Handoff.conversation_id == Conversation.id, Handoff.returned_at.is_(None))
    unanswered = select(Message.id).where(
        Message.conversation_id == Conversation.id, Message.author == Author.CUSTOMER, Message.turn.is_(None)
    )
    return ~open_ticket.exists() & ~waiting.exists() & ~unanswered.exists()


def _strangers_seen_before(before: datetime) -> Select[int]:
    return select(Identity.id).where(
        Identity.customer_id.is_(None),
        Identity.last_seen_at < before,
        ~Identity.external_id.startswith(PREFIX),
        ~select(Conversation.id)
        .where(Conversation.identity_id == Identity.id, (Conversation.last_message_at >= before) | ~_is_settled())
        .exists(),
    )
