"""What the owner needs to know before she answers: who, what about, which order, in what mood, what was said last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import conversations, orders
from crm.errors import OrderNotFound
from crm.models import (
    Author,
    Conversation,
    Customer,
    Handoff,
    HandoffReason,
    Identity,
    Message,
    MessageSentiment,
    Order,
    OrderState,
)

LOOKS_BACK = 40
LINES = 6
GLAD, FURIOUS = 0.4, -0.75
# What somebody says around a matter, and no matter itself.
SMALL_TALK = frozenset(
    "greet goodbye thank affirm deny help bot_challenge smalltalk inform out_of_scope nlu_fallback talk_to_human "
    "give_feedback".split()
)


class Mood(StrEnum):
    ANGRY = "angry"
    UNHAPPY = "unhappy"
    CALM = "calm"
    HAPPY = "happy"


@dataclass(frozen=True)
class OrderBrief:
    """An order in question; ``state`` is None while nobody has proven whose it is."""

    number: str
    state: OrderState | None


@dataclass(frozen=True)
class Briefing:
    """``name`` is None for a visitor who has not said who they are; ``about`` is an intent's name."""

    name: str | None
    customer_id: int | None
    about: str | None
    orders: Sequence[OrderBrief]
    mood: Mood
    lines: Sequence[Message]
    question: str | None


def brief(session: Session, conversation: Conversation, handoff: Handoff | None = None) -> Briefing:
    history = conversations.history(session, conversation, limit=LOOKS_BACK)
    customer = _customer(session, conversation)
    said = [message for message in history if message.author is Author.CUSTOMER]
    return Briefing(
        name=name_of(session, conversation),
        customer_id=customer.id if customer is not None else None,
        about=about(said),
        orders=_orders(session, conversation, said),
        mood=mood(said, handoff, sentiment_of(session, said[-3:])),
        lines=history[-LINES:],
        question=next((m.text for m in reversed(said) if m.intent not in SMALL_TALK and m.payload is None), None),
    )


def name_of(session: Session, conversation: Conversation) -> str | None:
    """The customer's name, else what their channel calls them."""
    customer = _customer(session, conversation)
    if customer is not None and (customer.name or customer.email):
        return customer.name or customer.email
    return session.get_one(Identity, conversation.identity_id).display_name


def about(said: Sequence[Message]) -> str | None:
    """The intent of the customer's last line that was about something."""
    return next((m.intent for m in reversed(said) if m.intent and m.intent not in SMALL_TALK), None)


def mood(said: Sequence[Message], handoff: Handoff | None, sentiment: Mapping[int, float]) -> Mood:
    """By what the handoff says, else by how the last lines sound; ``sentiment`` is −1 to 1 by message id."""
    if handoff is not None and handoff.reason is HandoffReason.ANGRY:
        return Mood.ANGRY
    heard = [sentiment[message.id] for message in said[-3:] if message.id in sentiment]
    lowest = min(heard, default=0.0)
    if lowest <= FURIOUS:
        return Mood.ANGRY
    if lowest <= -GLAD or any(message.intent == "complaint" for message in said[-4:]):
        return Mood.UNHAPPY
    if (said and said[-1].intent == "thank") or (heard and heard[-1] >= GLAD):
        return Mood.HAPPY
    return Mood.CALM


def sentiment_of(session: Session, messages: Sequence[Message]) -> dict[int, float]:
    """How messages sound, −1 to 1, by id; those not judged yet are missing."""
    if not messages:
        return {}
    found = session.execute(
        select(MessageSentiment.message_id, MessageSentiment.score).where(
            MessageSentiment.message_id.in_([message.id for message in messages])
        )
    )
    return {row.message_id: row.score for row in found}


def _customer(session: Session, conversation: Conversation) -> Customer | None:
    identity = session.get_one(Identity, conversation.identity_id)
    return session.get(Customer, identity.customer_id) if identity.customer_id is not None else None


def _orders(session: Session, conversation: Conversation, said: Sequence[Message]) -> list[OrderBrief]:
    """The orders that were mentioned, newest mention first, else the newest one of a known customer."""
    numbers: dict[str, None] = {}
    for message in reversed(said):
        for entity in message.entities or []:
            if entity.get("entity") == "order_number" and entity.get("value"):
                numbers.setdefault(orders.normal_number(str(entity["value"])))
    if not numbers:
        recent: Sequence[Order] = orders.recent_orders(session, conversation, limit=1)
        return [OrderBrief(order.number, order.state) for order in recent]
    return [_order(session, conversation, number) for number in list(numbers)[:3]]


def _order(session: Session, conversation: Conversation, number: str) -> OrderBrief:
    try:
        return OrderBrief(number, orders.order_of(session, conversation, number).state)
    except OrderNotFound:
        return OrderBrief(number, None)


def last_words_of_owner(session: Session, *, intent: str, language: str, limit: int = 3) -> Sequence[str]:
    """What the owner answered before where a customer's line had this intent, newest first."""
    asked = (
        select(Message.conversation_id, Message.seq)
        .where(Message.intent == intent, Message.author == Author.CUSTOMER, Message.language == language)
        .order_by(Message.id.desc())
        .limit(200)
        .subquery()
    )
    found = session.scalars(
        select(Message.text)
        .join(asked, (asked.c.conversation_id == Message.conversation_id) & (Message.seq > asked.c.seq))
        .where(Message.author == Author.OWNER, Message.language == language, Message.seq <= asked.c.seq + 6)
        .order_by(Message.id.desc())
        .limit(10 * limit)
    )
    return list(dict.fromkeys(found))[:limit]
