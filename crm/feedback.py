"""Scores that customers give."""

from datetime import datetime

from sqlalchemy.orm import Session

from crm.models import Conversation, Feedback


def give(
    session: Session,
    conversation: Conversation,
    *,
    score: int,
    now: datetime,
    comment: str | None = None,
    message_seq: int | None = None,
) -> Feedback:
    """Stores one score, 1 to 5. Raises ValueError outside that range."""
    if not 1 <= score <= 5:
        raise ValueError(f"score {score} is not between 1 and 5")
    given = Feedback(
        conversation_id=conversation.id, score=score, comment=comment, message_seq=message_seq, given_at=now
    )
    session.add(given)
    session.flush()
    return given
