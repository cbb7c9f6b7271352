"""Handing a conversation to the owner. The state lives here, so restarts change nothing."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Conversation, ConversationStatus, Handoff, HandoffReason


def open_handoff(session: Session, conversation: Conversation) -> Handoff | None:
    """The handoff that waits for, or is held by, the owner."""
    return session.scalar(
        select(Handoff)
        .where(Handoff.conversation_id == conversation.id, Handoff.returned_at.is_(None))
        .order_by(Handoff.id.desc())
        .limit(1)
    )


def hand_off(
    session: Session, conversation: Conversation, *, reason: HandoffReason, summary: str, now: datetime
) -> Handoff:
    """Marks the conversation for the owner; asking again while one is open changes nothing."""
    found = open_handoff(session, conversation)
    if found is None:
        found = Handoff(conversation_id=conversation.id, reason=reason, summary=summary, opened_at=now)
        session.add(found)
    conversation.status = ConversationStatus.HANDED_OFF
    session.flush()
    return found


def take(session: Session, conversation: Conversation, *, now: datetime) -> Handoff | None:
    """The owner answers from here on and the bot is silent; None if nothing was handed off."""
    found = open_handoff(session, conversation)
    if found is not None and found.taken_at is None:
        found.taken_at = now
    return found


def give_back(session: Session, conversation: Conversation, *, now: datetime) -> None:
    """The bot answers again."""
    found = open_handoff(session, conversation)
    if found is not None:
        found.returned_at = now
    conversation.status = ConversationStatus.OPEN
