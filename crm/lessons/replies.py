"""What the owner answered herself to something the bot had not understood: the makings of a lesson."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Author, Message
from crm.resolution import NOT_UNDERSTOOD

WITHIN = timedelta(hours=24)
MOST_BACK = 12
SHORTEST = 8


@dataclass(frozen=True)
class Answered:
    """The owner's ``answer``, and the customer's messages before it that the bot had not understood, oldest first."""

    answer: Message
    questions: Sequence[Message]


def answered_by_owner(messages: Sequence[Message]) -> list[Answered]:
    """Of one conversation's messages, oldest first: what the owner answered where the bot could not.

    Her first line after each such question counts; what she says later may be about anything.
    """
    found: list[Answered] = []
    open_questions: list[Message] = []
    for message in messages:
        if message.author is Author.CUSTOMER and message.intent in NOT_UNDERSTOOD and message.payload is None:
            open_questions.append(message)
        elif message.author is Author.OWNER and len(message.text.strip()) >= SHORTEST:
            recent = [q for q in open_questions[-MOST_BACK:] if message.created_at - q.created_at <= WITHIN]
            if recent:
                found.append(Answered(message, tuple(recent)))
            open_questions.clear()
    return found


def reply_to(session: Session, message_id: int) -> Answered | None:
    """What the owner's message answers; None if nothing that the bot had not understood."""
    answer = session.get(Message, message_id)
    if answer is None or answer.author is not Author.OWNER:
        return None
    before = session.scalars(
        select(Message)
        .where(Message.conversation_id == answer.conversation_id, Message.created_at >= answer.created_at - WITHIN)
        .where(Message.seq <= answer.seq)
        .order_by(Message.seq)
    ).all()
    return next((found for found in answered_by_owner(before) if found.answer.id == message_id), None)


def replies(session: Session, conversations: Collection[int], questions: Collection[int]) -> dict[int, str]:
    """The owner's answers to these questions, by the question's number; those without one are left out."""
    if not conversations:
        return {}
    talks: dict[int, list[Message]] = {}
    for message in session.scalars(
        select(Message)
        .where(Message.conversation_id.in_(conversations), Message.author != Author.BOT)
        .order_by(Message.conversation_id, Message.seq)
    ):
        talks.setdefault(message.conversation_id, []).append(message)
    return {
        question.id: found.answer.text
        for talk in talks.values()
        for found in answered_by_owner(talk)
        for question in found.questions
        if question.id in questions
    }
