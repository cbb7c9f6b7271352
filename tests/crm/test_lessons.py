"""Answers that the owner gives: tried on what was asked before, adopted if nothing gets worse, taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

import crm
from crm import articles, conversations, feedback, knowledge, open_questions
from crm.articles import Draft
from crm.conversations import Reply, Understanding
from crm.lessons import articles as lessons
from crm.lessons.articles import ChangedSince, LessonDecided
from crm.lessons.reports import Report
from crm.models import Channel, KnowledgeArticle, Lesson, LessonStatus, Message
from tests.support.factories import an_article

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POTTERY = "On Saturdays we teach pottery. A class costs 60 SGD."
LEFT_HANDED = Draft("en", "Left-handed scissors", "Our scissors come for left hands too.", ["scissors for lefties?"])

GREEDY = Draft(
    "en",
    "Do you teach pottery on weekends",
    "We teach pottery on weekends.",
    ["do you teach pottery on weekends", "do you teach pottery?"],
)


@pytest.fixture
def shop(store: Engine) -> Engine:
    """Two articles."""
    knowledge.forget_indexes()
    with crm.session() as session:
        an_article(session, "classes", "Pottery classes", POTTERY, questions=("Do you teach pottery?",))
        an_article(session, "care", "Caring for mugs", "Mugs may go into the dishwasher.", questions=("dishwasher?",))
    return store


def _said(
    text: str, reply: str, *, intent: str = "out_of_scope", language: str = "en", score: int | None = None
) -> int:
    """A customer's question of yesterday with the bot's answer; its number."""
    at = NOW - timedelta(days=1)
    with crm.session() as session:
        identity = conversations.identity_of(session, Channel.WEB, text, now=at)
        conversation = conversations.open_conversation(session, identity, language=language, now=at)
        line, _ = conversations.receive(session, conversation, text=text, external_id=text, now=at)
        understood = Understanding(intent=intent, language=language)
        conversations.answer(session, conversation, [line], [Reply(reply)], understood, now=at)
        if score is not None:
            feedback.give(session, conversation, score=score, now=at + timedelta(minutes=5))
        return line.id


def _teach(draft: Draft, *, slug: str | None = None, messages: tuple[int, ...] = ()) -> tuple[int, Report]:
    with crm.session() as session:
        number = lessons.propose(session, draft, by="owner", now=NOW, slug=slug, messages=messages).id
    with crm.reading() as session:
        report, revision = lessons.replayed(session, number)
    with crm.session() as session:
        lessons.decide(session, number, report, revision, now=NOW)
    return number, report


def _status(number: int) -> LessonStatus:
    with crm.reading() as session:
        return session.get_one(Lesson, number).status


def _told(question: str, language: str = "en") -> str | None:
    with crm.reading() as session:
        found = knowledge.look_up(session, question, language, limit=1)
        return found[0].text if found and found[0].score >= knowledge.SURE else None


def test_what_the_owner_answers_is_told_to_the_next_who_asks(shop: Engine) -> None:
    message = _said("scissors for lefties?", "I did not get that.")

    number, report = _teach(LEFT_HANDED, messages=(message,))

    assert _status(number) is LessonStatus.ADOPTED
    assert (report.customers, report.listed, report.found) == (1, 4, ("scissors for lefties?",))
    assert _told("do you have scissors for lefties") == LEFT_HANDED.body
    with crm.reading() as session:
        assert open_questions.grouped(session, now=NOW) == []


def test_one_tap_takes_it_back_and_the_question_is_open_again(shop: Engine) -> None:
    message = _said("scissors for lefties?", "I did not get that.")
    number, _ = _teach(LEFT_HANDED, messages=(message,))

    with crm.session() as session:
        lessons.roll_back(session, number, now=NOW)

    assert _told("scissors for lefties?") is None
    with crm.reading() as session:
        assert [question.text for question in open_questions.grouped(session, now=NOW)] == ["scissors for lefties?"]
        assert sorted(session.scalars(select(KnowledgeArticle.slug))) == ["care", "classes"]
    with crm.session() as session, pytest.raises(LessonDecided):
        lessons.roll_back(session, number, now=NOW)


def test_an_answer_that_would_take_a_right_answers_place_is_refused_and_says_which(shop: Engine) -> None:
    _said("do you teach pottery on weekends", POTTERY)

    number, report = _teach(GREEDY)

    assert _status(number) is LessonStatus.REFUSED
    assert {(change.question, change.before, change.after) for change in report.worse} == {
        ("do you teach pottery on weekends", "Pottery classes", GREEDY.title),
        ("Do you teach pottery?", "Pottery classes", GREEDY.title),  # what an article lists counts as asked
    }
    assert _told("do you teach pottery on weekends") == POTTERY


def test_an_answer_that_its_questions_would_not_find_is_refused(shop: Engine) -> None:
    lost = Draft("en", "Do you teach pottery?", "Pottery is wonderful.", ["do you teach pottery on weekends"])

    number, report = _teach(lost)

    assert (report.found, report.missed) == ((), ("do you teach pottery on weekends",))
    assert _status(number) is LessonStatus.REFUSED


def test_an_answer_that_left_the_customer_unhappy_may_be_replaced(shop: Engine) -> None:
    with crm.session() as session:
        articles.save(session, "classes", Draft("en", "Pottery classes", POTTERY, ["what does a class cost"]), now=NOW)
    question = "is there pottery for children"
    assert _told(question) == POTTERY
    _said(question, POTTERY, score=1)

    number, report = _teach(Draft("en", "Pottery for children", "Children from 8 on are welcome.", [question]))

    assert not report.worse
    assert _status(number) is LessonStatus.ADOPTED


def test_what_the_shop_states_itself_is_not_talked_over_by_a_new_article(shop: Engine) -> None:
    _said("how much is shipping to Canada", "To Canada: 20 SGD.", intent="delivery_info")
    draft = Draft("en", "How much is shipping to Canada", "Shipping is dear.", ["how much is shipping to Canada"])

    number, report = _teach(draft)

    assert [change.question for change in report.worse] == ["how much is shipping to Canada"]
    assert _status(number) is LessonStatus.REFUSED


def test_other_questions_that_it_would_answer_are_named(shop: Engine) -> None:
    _said("got scissors for left hands", "I did not get that.")

    _, report = _teach(LEFT_HANDED)

    assert [(change.question, change.after) for change in report.also] == [
        ("got scissors for left hands", LEFT_HANDED.title)
    ]


def test_a_question_is_added_to_an_article_and_taken_out_again(shop: Engine) -> None:
    wording = Draft("en", "", "", ["may I learn throwing clay"])

    number, _ = _teach(wording, slug="classes")

    assert _told("may I learn throwing clay") == POTTERY
    with crm.session() as session:
        assert articles.of_slug(session, "classes")["en"].questions == [
            "may I learn throwing clay",
            "Do you teach pottery?",
        ]
        lessons.roll_back(session, number, now=NOW)
        assert articles.of_slug(session, "classes")["en"].questions == ["Do you teach pottery?"]


def test_an_article_edited_since_is_not_rolled_back(shop: Engine) -> None:
    number, _ = _teach(LEFT_HANDED)
    with crm.session() as session:
        slug = str(session.get_one(Lesson, number).slug)
        articles.save(session, slug, Draft("en", "Left-handed scissors", "Sold out until May."), now=NOW)

    with crm.session() as session, pytest.raises(ChangedSince):
        lessons.roll_back(session, number, now=NOW)
    assert _status(number) is LessonStatus.ADOPTED


def test_an_article_saved_during_the_replay_makes_it_run_again(shop: Engine) -> None:
    with crm.session() as session:
        number = lessons.propose(session, LEFT_HANDED, by="owner", now=NOW).id
    with crm.reading() as session:
        report, revision = lessons.replayed(session, number)
    with crm.session() as session:
        articles.save(session, None, Draft("en", "Scissors", "All of steel."), now=NOW)

    with crm.session() as session, pytest.raises(ChangedSince):
        lessons.decide(session, number, report, revision, now=NOW)
    assert _status(number) is LessonStatus.PROPOSED


def test_trying_writes_nothing(shop: Engine) -> None:
    with crm.session() as session:
        number = lessons.propose(session, LEFT_HANDED, by="owner", now=NOW).id
        lessons.replayed(session, number)
        assert sorted(session.scalars(select(KnowledgeArticle.slug))) == ["care", "classes"]
        assert session.scalars(select(Message)).all() == []


def test_a_report_comes_back_from_the_store_as_it_was(shop: Engine) -> None:
    _said("do you teach pottery on weekends", POTTERY)
    number, report = _teach(GREEDY)

    with crm.reading() as session:
        assert Report.from_dict(session.get_one(Lesson, number).report or {}) == report
