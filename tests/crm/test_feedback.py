from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

import crm
from crm import conversations, feedback
from crm.models import Channel, Conversation, Feedback

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def conversation_id(store: Engine) -> int:
    with crm.session() as session:
        lin = conversations.identity_of(session, Channel.WEB, "lin", now=NOW)
        return conversations.open_conversation(session, lin, language="zh", now=NOW).id


def give(conversation_id: int, score: int, *, after: timedelta = timedelta(0), **more: object) -> None:
    with crm.session() as session:
        conversation = session.get_one(Conversation, conversation_id)
        feedback.give(session, conversation, score=score, now=NOW + after, **more)  # type: ignore[arg-type]


def given() -> list[tuple[int, str | None]]:
    with crm.reading() as session:
        return [(row.score, row.comment) for row in session.scalars(select(Feedback).order_by(Feedback.id))]


def test_a_score_and_the_comment_after_it_are_one_opinion(conversation_id: int) -> None:
    give(conversation_id, 4, message_seq=6)
    give(conversation_id, 4, after=timedelta(minutes=1), message_seq=6, comment="quick")
    assert given() == [(4, "quick")]


def test_a_changed_mind_replaces_the_score(conversation_id: int) -> None:
    give(conversation_id, 2)
    give(conversation_id, 5, after=timedelta(minutes=5))
    assert given() == [(5, None)]


def test_another_message_or_another_day_is_another_opinion(conversation_id: int) -> None:
    give(conversation_id, 2, message_seq=6)
    give(conversation_id, 5, message_seq=9)
    give(conversation_id, 3, message_seq=9, after=timedelta(days=1))
    assert given() == [(2, None), (5, None), (3, None)]


@pytest.mark.parametrize("score", [0, 6, -1])
def test_a_score_outside_the_range_is_refused(conversation_id: int, score: int) -> None:
    with pytest.raises(ValueError, match="not between 1 and 5"):
        give(conversation_id, score)
    assert given() == []
