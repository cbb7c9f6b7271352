"""Scores that customers give."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Conversation, Feedback

# A score and the comment that follows it, or a changed mind, are one opinion.
SAME_OPINION_WITHIN = timedelta(minutes=30)


def give(
    session: Session,
    conversation: Conversation,
    *,
    score: int,
    now: datetime,
    comment: str | None = None,
    message_seq: int | None = None,
) -> Feedback:
    """Stores one score, 1 to 5; a later one on the same thing within half an hour takes its place.

    Raises ValueError outside that range.
    """
    if not 1 <= score <= 5:
        raise ValueError(f"score {score} is not between 1 and 5")
    given = session.scalar(
        select(Feedback)
        .where(
            Feedback.conversation_id == conversation.id,
            Feedback.message_seq.is_(None) if message_seq is None else Feedback.message_seq == message_seq,
            Feedback.given_at > now - SAME_OPINION_WITHIN,
        )
        .order_by(Feedback.id.desc())
        .limit(1)
    )
    if given is None:
        given = Feedback(conversation_id=conversation.id, message_seq=message_seq, score=score, given_at=now)
        session.add(given)
    given.score, given.given_at = score, now
    given.comment = comment or given.comment
    session.flush()
    return given
