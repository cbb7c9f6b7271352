"""The week's open questions on a real store."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

import crm
from crm import conversations, knowledge, not_understood
from crm.models import Channel
from tests.support.factories import an_article

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _asked(*texts: tuple[str, str], intent: str = "out_of_scope", at: datetime = NOW, reply: str = "?") -> None:
    with crm.session() as session:
        for number, (language, text) in enumerate(texts):
            identity = conversations.identity_of(session, Channel.WEB, f"{text}{number}", now=at)
            conversation = conversations.open_conversation(session, identity, language=language, now=at)
            line, _ = conversations.receive(session, conversation, text=text, external_id=f"{text}{number}", now=at)
            ranking = [{"name": intent, "confidence": 0.6}, {"name": "product_info", "confidence": 0.3}]
            understood = conversations.Understanding(intent=intent, ranking=ranking, language=language)
            conversations.answer(session, conversation, [line], [conversations.Reply(reply)], understood, now=at)


def _groups() -> list[not_understood.Group]:
    with crm.reading() as session:
        return not_understood.groups(session, since=NOW - timedelta(days=7), until=NOW + timedelta(seconds=1))


def test_the_same_matter_in_both_languages_is_one_group(store: Engine) -> None:
    with crm.session() as session:
        an_article(session, "engraving", "Engraving", "We engrave cups.", questions=("Do you engrave cups?",))
        an_article(session, "engraving", "刻字", "杯子可以刻字。", language="zh", questions=("杯子能刻字吗",))
    _asked(("en", "do you engrave cups with names"), ("zh", "杯子能刻字吗？"), ("en", "is the moon made of cheese"))

    first, second = _groups()

    assert (first.count, first.nearest_article) == (2, "刻字") or (first.count, first.nearest_article) == (
        2,
        "Engraving",
    )
    assert set(first.texts) == {"do you engrave cups with names", "杯子能刻字吗？"}
    assert second.text == "is the moon made of cheese"


def test_alike_wordings_count_together_and_the_largest_group_comes_first(store: Engine) -> None:
    _asked(("en", "what is the capital of Peru"), ("en", "can you fix my bike"), ("en", "can you fix my old bike"))

    largest = _groups()[0]
    assert (largest.text, largest.count) == ("can you fix my old bike", 2)


def test_what_was_understood_or_asked_another_week_is_not_there(store: Engine) -> None:
    _asked(("en", "where is my parcel"), intent="track_order")
    _asked(("en", "can you fix my bike"), at=NOW - timedelta(days=8))

    assert _groups() == []


def test_second_sight_names_what_it_may_have_been(store: Engine) -> None:
    _asked(("en", "can you fix my bike"))

    assert _groups()[0].intents == ("product_info",)


def test_what_an_article_answered_after_all_is_not_open(store: Engine) -> None:
    knowledge.forget_indexes()
    with crm.session() as session:
        an_article(session, "dogs", "Dogs", "Dogs wait in the yard.", questions=("may I bring a dog?",))
    _asked(("en", "may I bring my dog"), reply="Dogs\nDogs wait in the yard.")
    _asked(("en", "may I bring my parrot"))

    assert [group.texts for group in _groups()] == [("may I bring my parrot",)]
