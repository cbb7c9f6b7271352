"""One tap after a matter is closed: was it settled? Asked of chats with the bot alone as much as of the owner's."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from crm import conversations, feedback, preferences
from crm.briefing import SMALL_TALK
from crm.conversations import Reply
from crm.models import Author, Conversation, ConversationStatus, Feedback, Message

QUIET_FOR = timedelta(minutes=10)
GIVEN_UP_AFTER = timedelta(minutes=60)
NOT_AGAIN_FOR = timedelta(hours=24)
FACES = {5: "😀 5", 4: "🙂 4", 3: "😐 3", 2: "🙁 2", 1: "😠 1"}
_PAYLOAD = re.compile(r"/rate:([1-5])")


def due(session: Session, *, now: datetime, limit: int = 20) -> Sequence[str]:
    """Public ids of conversations that fell quiet after something was answered and were not asked lately."""
    if not preferences.load(session).ask_satisfaction:
        return []
    asked = aliased(Message)
    about_something = exists().where(
        asked.conversation_id == Conversation.id,
        asked.author == Author.CUSTOMER,
        asked.intent.not_in(SMALL_TALK),
        asked.created_at > now - NOT_AGAIN_FOR,
    )
    scored = exists().where(Feedback.conversation_id == Conversation.id, Feedback.given_at > now - NOT_AGAIN_FOR)
    last = (
        select(func.max(Message.seq)).where(Message.conversation_id == Conversation.id).correlate(Conversation)
    ).scalar_subquery()
    answered = exists().where(
        and_(Message.conversation_id == Conversation.id, Message.seq == last, Message.author != Author.CUSTOMER)
    )
    return session.scalars(
        select(Conversation.public_id)
        .where(
            Conversation.last_message_at.between(now - GIVEN_UP_AFTER, now - QUIET_FOR),
            Conversation.status == ConversationStatus.OPEN,
            or_(
                Conversation.satisfaction_asked_at.is_(None),
                Conversation.satisfaction_asked_at < now - NOT_AGAIN_FOR,
            ),
            about_something,
            answered,
            ~scored,
        )
        .order_by(Conversation.last_message_at)
        .limit(limit)
    ).all()


def ask(
    session: Session, conversation: Conversation, *, question: Callable[[str], str], now: datetime
) -> Message | None:
    """Asks once; None if somebody else just did."""
    if conversation.satisfaction_asked_at is not None and conversation.satisfaction_asked_at > now - NOT_AGAIN_FOR:
        return None
    conversation.satisfaction_asked_at = now
    language = conversation.language
    buttons = [{"title": title, "payload": f"/rate:{score}"} for score, title in FACES.items()]
    return conversations.add_message(
        session,
        conversation,
        Reply(text=question(language), buttons=buttons, language=language),
        author=Author.BOT,
        now=now,
    )


def score_in(payload: str | None) -> int | None:
    """The score that a pressed button gives, if it is one of these."""
    found = _PAYLOAD.fullmatch(payload or "")
    return int(found[1]) if found else None


def note(session: Session, conversation: Conversation, score: int, *, now: datetime) -> None:
    feedback.give(session, conversation, score=score, now=now)
