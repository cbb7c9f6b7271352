"""What the owner should know before the next digest: noticed once, told together, never at night."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from crm import availability, notices, preferences, scores
from crm.models import (
    Alert,
    AlertKind,
    Author,
    Conversation,
    Customer,
    CustomerScore,
    Handoff,
    HandoffReason,
    Identity,
    Message,
    MessageSentiment,
    OwnerNoticeKind,
    Segment,
    Ticket,
    TicketKind,
)
from crm.shop import Shop

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
USUAL_DAYS = 28
FEWEST_COMPLAINTS, FEWEST_IN_TROUBLE = 3, 3
ANGRY_BELOW = -0.85
# Told together at most this often.
PAUSE = timedelta(minutes=30)
_TEXTS = Path(__file__).with_name("alert_texts.toml")


@dataclass(frozen=True)
class _Found:
    kind: AlertKind
    key: str
    data: dict[str, Any] = field(default_factory=dict)


def notice(session: Session, *, now: datetime) -> list[Alert]:
    """Puts down what has come up; the same occasion once."""
    made = []
    for find in (_angry_and_valuable, _complaints_rising, _payment_trouble, _desk_unhealthy):
        for found in find(session, now):
            if session.scalar(select(Alert.id).where(Alert.key == found.key)) is None:
                alert = Alert(key=found.key, kind=found.kind, data=found.data, opened_at=now)
                session.add(alert)
                session.flush()
                made.append(alert)
    return made


def _angry_and_valuable(session: Session, now: datetime) -> Iterator[_Found]:
    analysis = scores.latest(session)
    if analysis is None:
        return
    rows = session.execute(
        select(Conversation.id, Conversation.public_id, Customer.name)
        .join(Message, Message.conversation_id == Conversation.id)
        .join(MessageSentiment, MessageSentiment.message_id == Message.id)
        .join(Identity, Identity.id == Conversation.identity_id)
        .join(Customer, Customer.id == Identity.customer_id)
        .join(CustomerScore, CustomerScore.customer_id == Customer.id)
        .where(CustomerScore.analysis_id == analysis.id, CustomerScore.segment == Segment.HIGH_VALUE)
        .where(Message.created_at > now - HOUR, MessageSentiment.score < ANGRY_BELOW)
        .distinct()
    )
    for conversation_id, public_id, name in rows:
        key = f"angry:{conversation_id}:{now:%Y-%m-%d}"
        yield _Found(AlertKind.ANGRY_VALUABLE, key, {"conversation": public_id, "name": name})


def _complaints_rising(session: Session, now: datetime) -> Iterator[_Found]:
    def counted(since: datetime, until: datetime) -> int:
        complaints = select(func.count()).where(
            Ticket.kind == TicketKind.COMPLAINT, Ticket.opened_at > since, Ticket.opened_at <= until
        )
        return session.scalar(complaints) or 0

    today, usual = counted(now - DAY, now), counted(now - (USUAL_DAYS + 1) * DAY, now - DAY) / USUAL_DAYS
    # Three standard deviations of a Poisson count: about one false alarm in two years.
    if today >= max(FEWEST_COMPLAINTS, usual + 3 * sqrt(usual)):
        data = {"number": today, "usual": round(usual, 1)}
        yield _Found(AlertKind.COMPLAINTS_RISING, f"complaints:{now:%Y-%m-%d}", data)


def _payment_trouble(session: Session, now: datetime) -> Iterator[_Found]:
    number = session.scalar(
        select(func.count(distinct(Message.conversation_id)))
        .join(MessageSentiment, MessageSentiment.message_id == Message.id)
        .where(
            Message.author == Author.CUSTOMER,
            Message.created_at > now - DAY,
            Message.intent == "payment_info",
            MessageSentiment.label == "negative",
        )
    )
    if number and number >= FEWEST_IN_TROUBLE:
        yield _Found(AlertKind.PAYMENT_TROUBLE, f"payment:{now:%Y-%m-%d}", {"number": number})


def _desk_unhealthy(session: Session, now: datetime) -> Iterator[_Found]:
    number = session.scalar(
        select(func.count(distinct(Handoff.conversation_id))).where(
            Handoff.reason == HandoffReason.DESK_DOWN, Handoff.opened_at > now - HOUR
        )
    )
    if number:
        yield _Found(AlertKind.DESK_UNHEALTHY, f"desk:{now:%Y-%m-%d-%H}", {"number": number})


def tell(session: Session, shop: Shop, *, base_url: str, now: datetime) -> int:
    """Tells the owner's Telegram chats what they were not told yet, in one message; how many alerts.

    Half an hour lies between two such messages; in the owner's quiet hours it waits. Nothing is marked as told while no
    chat is paired.
    """
    waiting = session.scalars(select(Alert).where(Alert.notified_at.is_(None)).order_by(Alert.id)).all()
    latest = session.scalar(select(func.max(Alert.notified_at)))
    if not waiting or (latest is not None and latest > now - PAUSE):
        return 0
    text = _text(waiting, shop.digest_language, base_url)
    not_before = availability.notice_not_before(preferences.load(session), shop, now=now, urgent=False)
    if not notices.write(session, OwnerNoticeKind.ALERT, text, now=now, not_before=not_before):
        return 0
    for alert in waiting:
        alert.notified_at = now
    session.flush()
    return len(waiting)


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))


def _text(alerts: Sequence[Alert], language: str, base_url: str) -> str:
    lines = [_texts()["heading"][language]]
    for alert in alerts:
        values = dict(alert.data)
        if alert.kind is AlertKind.ANGRY_VALUABLE:
            values["name"] = values.get("name") or _texts()["somebody"][language]
            values["url"] = f"{base_url}/owner/conversations/{values.get('conversation')}"
        lines.append(_texts()[alert.kind][language].format(**values))
    return "\n".join(lines)
