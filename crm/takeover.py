"""The owner in a conversation: she speaks and the bot is silent, until she or her silence returns it to the bot.

All of it is in the store: neither a restart nor Rasa's own idea of a session changes who speaks.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from crm import conversations, handoffs
from crm.conversations import Reply
from crm.models import Author, Conversation, ConversationStatus, Handoff, HandoffReason, Message, ReturnedBy

MOST_HEARD = 30


def lock(session: Session, public_id: str) -> Conversation:
    """The conversation, held until the transaction ends. Raises ConversationNotFound."""
    conversation = conversations.by_public_id(session, public_id)
    session.refresh(conversation, with_for_update=True)
    return conversation


def take(session: Session, conversation: Conversation, *, now: datetime) -> Handoff:
    """From here on the owner answers and the bot is silent; a handoff is opened where nobody had asked for one."""
    handoff = handoffs.open_handoff(session, conversation)
    if handoff is None:
        handoff = handoffs.hand_off(session, conversation, reason=HandoffReason.OWNER, summary="", now=now)
        handoff.notified_at = now  # she knows: it was she who stepped in
    if handoff.taken_at is None:
        handoff.taken_at = handoff.spoke_at = now
        if conversation.unheard_from is None:
            conversation.unheard_from = conversation.last_seq + 1
    session.flush()
    return handoff


def say(session: Session, conversation: Conversation, text: str, *, key: str, now: datetime) -> tuple[Message, bool]:
    """Stores the owner's words to the customer and takes the conversation. Returns them, and whether they are new.

    ``key`` names the words where they came from, so that a repeated delivery is stored once.
    """
    known = session.scalar(
        select(Message).where(
            Message.conversation_id == conversation.id, Message.author == Author.OWNER, Message.client_id == key
        )
    )
    if known is not None:
        return known, False
    handoff = take(session, conversation, now=now)
    handoff.spoke_at = now
    message = conversations.add_message(
        session, conversation, Reply(text=text, language=conversation.language), author=Author.OWNER, now=now
    )
    message.client_id = key
    settle(session, conversations.waiting(session, conversation))
    session.flush()
    return message, True


def settle(session: Session, lines: Sequence[Message]) -> None:
    """Lines that the bot need not answer any more."""
    session.execute(
        update(Message)
        .where(Message.id.in_([line.id for line in lines]), Message.turn.is_(None))
        .values(turn=Message.seq)
        .execution_options(synchronize_session=False)
    )


def give_back(
    session: Session, conversation: Conversation, *, line: str, by: ReturnedBy, now: datetime
) -> Message | None:
    """The bot answers again and says so in ``line``; None, and nothing is said, if nothing was handed off."""
    handoff = handoffs.open_handoff(session, conversation)
    if handoff is None:
        return None
    was_taken = handoff.taken_at is not None
    handoffs.give_back(session, conversation, now=now)
    handoff.returned_by = by
    if not was_taken:
        return None
    return conversations.add_message(
        session, conversation, Reply(text=line, language=conversation.language), author=Author.BOT, now=now
    )


def fallen_silent(session: Session, *, silence: timedelta, now: datetime, limit: int = 50) -> Sequence[str]:
    """Public ids of conversations that the owner holds and in which she has said nothing for that long."""
    return session.scalars(
        select(Conversation.public_id)
        .join(Handoff)
        .where(Handoff.taken_at.is_not(None), Handoff.returned_at.is_(None), Handoff.spoke_at < now - silence)
        .order_by(Handoff.spoke_at)
        .limit(limit)
    ).all()


def let_bot_stand_in(session: Session, conversation: Conversation, *, line: str, now: datetime) -> Message | None:
    """The owner has left the customer's last words unanswered: the bot sees to them, and the handoff stays open.

    None if the conversation is not held any more, or her words were the last.
    """
    handoff = handoffs.open_handoff(session, conversation)
    unanswered = lines_since_owner(session, conversation)
    if handoff is None or handoff.taken_at is None or not unanswered:
        return None
    handoff.taken_at = None
    said = conversations.add_message(
        session, conversation, Reply(text=line, language=conversation.language), author=Author.BOT, now=now
    )
    session.execute(
        update(Message)
        .where(Message.id.in_([message.id for message in unanswered]))
        .values(turn=None)
        .execution_options(synchronize_session=False)
    )
    return said


def lines_since_owner(session: Session, conversation: Conversation) -> Sequence[Message]:
    """The customer's lines after the last words of the shop's side, oldest first."""
    last = session.scalar(
        select(func.max(Message.seq)).where(
            Message.conversation_id == conversation.id, Message.author != Author.CUSTOMER
        )
    )
    return session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.author == Author.CUSTOMER, Message.seq > (last or 0))
        .order_by(Message.seq)
    ).all()


def unheard(session: Session, conversation: Conversation, *, before: int) -> Sequence[Message]:
    """What was said while the owner held the conversation and the bot has not been told, oldest first."""
    if conversation.unheard_from is None:
        return []
    found = session.scalars(
        select(Message)
        .where(
            Message.conversation_id == conversation.id,
            Message.seq >= conversation.unheard_from,
            Message.seq < before,
            or_(Message.author != Author.BOT, Message.turn.is_(None)),
        )
        .order_by(Message.seq.desc())
        .limit(MOST_HEARD)
    ).all()
    return found[::-1]


def is_held(session: Session, conversation: Conversation) -> bool:
    """Whether the owner speaks here now."""
    if conversation.status is not ConversationStatus.HANDED_OFF:
        return False
    handoff = handoffs.open_handoff(session, conversation)
    return handoff is not None and handoff.taken_at is not None
