"""What an analysis does before it reads: judging messages that wait for it, and naming what complaints are about."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

import crm
from analytics import judging
from crm.models import Author, Channel, ComplaintTopic, Conversation, Identity, Message, MessageSentiment
from crm.sentiment import SentimentModel
from crm.shop import Shop
from tests.support.factories import NOW

SHOP = Shop(currency="SGD", timezone="Asia/Singapore")


@pytest.fixture
def angry_model(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that knows one word."""
    file = tmp_path_factory.mktemp("model") / "sentiment.npz"
    SentimentModel(
        ["w:broken"], np.array([[50.0, 0.0, -50.0]], np.float32), np.array([0.0, 2.0, 0.0], np.float32)
    ).save(file)
    monkeypatch.setattr(judging, "MODEL", file)


def _conversation(session: Session) -> Conversation:
    identity = Identity(channel=Channel.WEB, external_id="w1", created_at=NOW, last_seen_at=NOW)
    opened = Conversation(
        public_id="p1", identity=identity, channel=Channel.WEB, language="en", opened_at=NOW, last_message_at=NOW
    )
    session.add(opened)
    session.flush()
    return opened


def _says(session: Session, conversation: Conversation, text: str, *, days_ago: float = 0.0, **more: str) -> None:
    conversation.last_seq += 1
    fields = {"author": Author.CUSTOMER, "language": "en", **more}
    session.add(
        Message(
            conversation_id=conversation.id, seq=conversation.last_seq, channel=Channel.WEB, text=text,
            created_at=NOW - timedelta(days=days_ago), **fields,
        )
    )  # fmt: skip


@pytest.mark.usefixtures("angry_model")
def test_only_customers_words_of_the_past_are_judged_and_only_once(store: Engine) -> None:
    with crm.session() as session:
        chat = _conversation(session)
        _says(session, chat, "it is broken")
        _says(session, chat, "😀")
        _says(session, chat, "So sorry!", author=Author.BOT)
        _says(session, chat, "of tomorrow", days_ago=-1)
    assert judging.judge_waiting(SHOP, as_of=NOW, now=NOW) == {"messages_judged": 2}
    assert judging.judge_waiting(SHOP, as_of=NOW, now=NOW) == {"messages_judged": 0}
    with crm.reading() as session:
        assert session.scalars(select(MessageSentiment.label).order_by(MessageSentiment.message_id)).all() == [
            "negative",
            "neutral",
        ]


@pytest.mark.usefixtures("angry_model")
def test_topics_are_counted_per_week_and_language_and_a_second_run_changes_nothing(store: Engine) -> None:
    with crm.session() as session:
        chat = _conversation(session)
        _says(session, chat, "The mug arrived broken", intent="complaint")
        _says(session, chat, "another broken one", intent="inform")
        _says(session, chat, "快递一直没到，客服也不回", language="zh", intent="complaint")
        _says(session, chat, "where is my parcel?", intent="track_order")
        _says(session, chat, "Late again", intent="complaint", days_ago=8)
    judging.judge_waiting(SHOP, as_of=NOW, now=NOW)
    for _ in range(2):
        judging.name_topics(SHOP, as_of=NOW, now=NOW)
    with crm.reading() as session:
        rows = {(row.week.isoformat(), row.language, row.topic): row for row in session.scalars(select(ComplaintTopic))}
    this, last = "2026-11-16", "2026-11-09"
    assert {key: row.messages for key, row in rows.items()} == {
        (this, "en", "damaged"): 2,
        (this, "en", "delivery"): 1,
        (this, "zh", "delivery"): 1,
        (this, "zh", "service"): 1,
        (last, "en", "delivery"): 1,
    }
    assert rows[this, "en", "damaged"].terms == ["broken"]


def test_a_complaint_about_nothing_known_is_counted_as_other() -> None:
    assert judging.topics_of("I am so angry") == {"other": []}
