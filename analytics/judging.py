"""Judging messages that came in without a judgement, and what the week's complaints were about."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import delete, or_, select

import crm
from crm.models import Author, ComplaintTopic, Message, MessageSentiment
from crm.sentiment import MODEL, Label, NoSentimentModel, SentimentModel
from crm.shop import Shop
from crm.weeks import Week

NAME = "shipped"
# At 5,000 texts a second some 40 s; what is left waits for the next run, the newest first.
JUDGE_AT_MOST = 200_000
ROWS_AT_ONCE = 2_000
WEEKS_LOOKED_AT = 5
MOST_TERMS = 5
_TOPICS = Path(__file__).with_name("complaint_topics.toml")
_WORD = re.compile(r"[a-z']+")
OTHER = "other"


def judge_waiting(shop: Shop, *, as_of: datetime, now: datetime) -> Mapping[str, int]:
    """Gives every customer's message without one its sentiment; nothing while no model is trained."""
    try:
        model = SentimentModel.load(MODEL)
    except NoSentimentModel:
        return {"messages_judged": 0}
    waiting = (
        select(Message.id, Message.text)
        .outerjoin(MessageSentiment, MessageSentiment.message_id == Message.id)
        .where(Message.author == Author.CUSTOMER, Message.payload.is_(None), Message.created_at <= as_of)
        .where(MessageSentiment.message_id.is_(None))
        .order_by(Message.id.desc())
        .limit(ROWS_AT_ONCE)
    )
    judged = 0
    while judged < JUDGE_AT_MOST:
        with crm.reading() as session:
            rows = session.execute(waiting).all()
        if not rows:
            break
        told = [(number, model.judge(text)) for number, text in rows]
        with crm.session() as session:
            session.add_all(
                MessageSentiment(message_id=number, label=one.label, score=one.score, model=NAME)
                for number, one in told
            )
        judged += len(rows)
    return {"messages_judged": judged}


def name_topics(shop: Shop, *, as_of: datetime, now: datetime) -> Mapping[str, int]:
    """Counts the topics of complaints of the last five weeks, each week anew; a week is the shop's, Monday first."""
    newest = Week.containing(as_of, shop.zone)
    weeks = [newest.before(number) for number in range(WEEKS_LOOKED_AT)]
    found: list[ComplaintTopic] = []
    for week in weeks:
        found.extend(_topics_of(week, as_of))
    with crm.session() as session:
        session.execute(delete(ComplaintTopic).where(ComplaintTopic.week.in_([week.monday for week in weeks])))
        session.add_all(found)
    return {"complaint_topics": len(found)}


def _topics_of(week: Week, as_of: datetime) -> list[ComplaintTopic]:
    complaints = (
        select(Message.text, Message.language)
        .outerjoin(MessageSentiment, MessageSentiment.message_id == Message.id)
        .where(Message.author == Author.CUSTOMER, Message.created_at <= as_of)
        .where(Message.created_at >= week.starts_at, Message.created_at < week.ends_at)
        .where(or_(Message.intent == "complaint", MessageSentiment.label == Label.NEGATIVE))
    )
    messages: Counter[tuple[str, str]] = Counter()
    terms: dict[tuple[str, str], Counter[str]] = {}
    with crm.reading() as session:
        for text, language in session.execute(complaints):
            for topic, words in topics_of(text).items():
                key = (language or "en", topic)
                messages[key] += 1
                terms.setdefault(key, Counter()).update(words)
    return [
        ComplaintTopic(
            week=week.monday,
            language=language,
            topic=topic,
            terms=[word for word, _ in terms[language, topic].most_common(MOST_TERMS)],
            messages=number,
        )
        for (language, topic), number in sorted(messages.items())
    ]


@cache
def _words() -> dict[str, tuple[frozenset[str], tuple[str, ...]]]:
    catalogue = tomllib.loads(_TOPICS.read_text(encoding="utf-8"))
    return {name: (frozenset(said["en"].split()), tuple(said["zh"].split())) for name, said in catalogue.items()}


def topics_of(text: str) -> dict[str, list[str]]:
    """The topics a complaint touches, each with its words found in it; ``other`` where it touches none."""
    plain = text.lower()
    spoken = set(_WORD.findall(plain))
    found = {
        name: [*sorted(spoken & english), *(word for word in chinese if word in plain)]
        for name, (english, chinese) in _words().items()
    }
    return {name: words for name, words in found.items() if words} or {OTHER: []}
