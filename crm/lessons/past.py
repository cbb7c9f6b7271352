"""What customers asked so far, what they were told, and whether that was right."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Author, Feedback, Handoff, HandoffReason, Message
from crm.resolution import NOT_UNDERSTOOD, UNHAPPY

MOST = 2_000
JUDGED_WITHIN = timedelta(hours=24)
# What is looked up in the articles although the shop may state something itself (actions/).
LOOKED_UP = frozenset(
    "delivery_info payment_info discount_info contact_info warranty_info product_info product_availability"
    " return_or_refund refund_status change_order".split()
)
_TROUBLE = (HandoffReason.ASKED, HandoffReason.ANGRY, HandoffReason.NOT_UNDERSTOOD)


@dataclass(frozen=True)
class Asked:
    """A customer's question. ``told`` is all the bot said to it.

    was_right : no unhappy score and no call for the owner followed within a day
    """

    message_id: int
    text: str
    language: str
    understood: bool
    told: str
    was_right: bool


def asked(session: Session, *, limit: int = MOST) -> list[Asked]:
    """The newest questions that the articles were or may have been asked, each wording once, the newest first."""
    found = session.execute(
        select(Message.id, Message.conversation_id, Message.turn, Message.text, Message.language, Message.intent)
        .add_columns(Message.created_at)
        .where(
            Message.author == Author.CUSTOMER,
            Message.payload.is_(None),
            Message.turn.is_not(None),
            Message.intent.in_(NOT_UNDERSTOOD | LOOKED_UP),
        )
        .order_by(Message.id.desc())
        .limit(limit)
    ).all()
    conversations = {row.conversation_id for row in found}
    told_there, trouble = told(session, conversations), _trouble(session, conversations)
    questions: dict[tuple[str, str], Asked] = {}
    for row in found:
        language = "zh" if row.language == "zh" else "en"
        question = Asked(
            message_id=row.id,
            text=row.text,
            language=language,
            understood=row.intent not in NOT_UNDERSTOOD,
            told="\n".join(told_there.get((row.conversation_id, row.turn), ())),
            was_right=not _followed(row.created_at, trouble.get(row.conversation_id, ())),
        )
        questions.setdefault((row.text, language), question)
    return list(questions.values())


def told(session: Session, conversations: Collection[int]) -> dict[tuple[int, int | None], list[str]]:
    """The bot's lines by conversation and turn."""
    lines: dict[tuple[int, int | None], list[str]] = {}
    for conversation, turn, text in session.execute(
        select(Message.conversation_id, Message.turn, Message.text)
        .where(Message.conversation_id.in_(conversations), Message.author == Author.BOT, Message.turn.is_not(None))
        .order_by(Message.id)
    ):
        lines.setdefault((conversation, turn), []).append(text)
    return lines


def _trouble(session: Session, conversations: Collection[int]) -> dict[int, list[datetime]]:
    """When customers of these conversations were unhappy or wanted the owner."""
    found: dict[int, list[datetime]] = {}
    unhappy = select(Feedback.conversation_id, Feedback.given_at).where(
        Feedback.conversation_id.in_(conversations), Feedback.score <= UNHAPPY
    )
    wanted = select(Handoff.conversation_id, Handoff.opened_at).where(
        Handoff.conversation_id.in_(conversations), Handoff.reason.in_(_TROUBLE)
    )
    for rows in (unhappy, wanted):
        for conversation, at in session.execute(rows):
            found.setdefault(conversation, []).append(at)
    return found


def _followed(said_at: datetime, times: Collection[datetime]) -> bool:
    return any(said_at <= at <= said_at + JUDGED_WITHIN for at in times)
