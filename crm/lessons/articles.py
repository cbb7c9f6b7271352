"""Lessons that are answers: an article made or added to, and put back as it was."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import articles, open_questions, revisions
from crm.articles import Draft
from crm.errors import CrmError
from crm.lessons.reports import Report
from crm.models import KnowledgeArticle, Lesson, LessonKind, LessonStatus

_DECIDED = frozenset({LessonStatus.ADOPTED, LessonStatus.ROLLED_BACK})


class LessonDecided(CrmError):
    """It was adopted or taken back already."""


class ChangedSince(CrmError):
    """What the lesson builds on, or what it left, is not any more as it was."""


def propose(
    session: Session,
    draft: Draft,
    *,
    by: str,
    now: datetime,
    slug: str | None = None,
    messages: Sequence[int] = (),
) -> Lesson:
    """A lesson that changes nothing yet.

    slug     : an article to which the draft's questions are added; its own title and text stay. None: a new article
    messages : the customers' messages that it answers
    Raises ChangedSince if there is no such article.
    """
    if slug is not None:
        draft = _added_to(session, slug, draft)
    lesson = Lesson(
        kind=LessonKind.ARTICLE,
        status=LessonStatus.PROPOSED,
        language=draft.language,
        questions=_each_once(draft.questions),
        title=draft.title.strip(),
        answer=draft.body.strip(),
        slug=slug or articles.new_slug(session, draft.title),
        messages=list(messages),
        made_by=by,
        made_at=now,
    )
    session.add(lesson)
    session.flush()
    return lesson


def _added_to(session: Session, slug: str, draft: Draft) -> Draft:
    found = articles.of_slug(session, slug)
    if not found:
        raise ChangedSince(f"There is no article {slug} any more.")
    article = found.get(draft.language) or next(iter(found.values()))
    return replace(draft, language=article.language, title=article.title, body=article.body)


def _each_once(questions: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(question.strip() for question in questions if question.strip()))


def draft_of(session: Session, lesson: Lesson) -> Draft:
    """The article as it would be: what is there keeps its questions and tags, the lesson's come first."""
    there = articles.of_slug(session, str(lesson.slug)).get(lesson.language)
    return Draft(
        language=lesson.language,
        title=lesson.title,
        body=lesson.answer,
        questions=_each_once([*lesson.questions, *(there.questions if there is not None else ())]),
        tags=there.tags if there is not None else [],
    )


def begin_check(session: Session, lesson_id: int) -> Lesson:
    """Says that it is being tried. Raises LessonDecided."""
    lesson = session.get_one(Lesson, lesson_id, with_for_update=True)
    if lesson.status in _DECIDED:
        raise LessonDecided(f"Lesson {lesson_id} is {lesson.status}.")
    lesson.status = LessonStatus.CHECKING
    return lesson


def replayed(session: Session, lesson_id: int) -> tuple[Report, int]:
    """What adopting it would change, and the revision of the articles that this holds for. Writes nothing.

    Raises LessonDecided.
    """
    from crm.lessons.replay import replay  # it stands on numpy, which only a replay needs

    lesson = session.get_one(Lesson, lesson_id)
    if lesson.status in _DECIDED:
        raise LessonDecided(f"Lesson {lesson_id} is {lesson.status}.")
    revision = revisions.current(session, revisions.KNOWLEDGE)
    report = replay(session, draft_of(session, lesson), str(lesson.slug))
    own = set(lesson.questions)
    missed = tuple(question for question in report.missed if question in own)
    return replace(report, found=tuple(q for q in report.found if q in own), missed=missed), revision


def decide(session: Session, lesson_id: int, report: Report, revision: int, *, now: datetime) -> Lesson:
    """Adopts it if the report is good, else refuses it. The very next answer follows.

    Raises LessonDecided, and ChangedSince if an article changed since the replay: then replay again.
    """
    lesson = session.get_one(Lesson, lesson_id, with_for_update=True)
    if lesson.status in _DECIDED:
        raise LessonDecided(f"Lesson {lesson_id} is {lesson.status}.")
    if revisions.current(session, revisions.KNOWLEDGE) != revision:
        raise ChangedSince("The articles changed while the lesson was tried.")
    lesson.report, lesson.decided_at = report.as_dict(), now
    if report.is_good:
        _adopt(session, lesson, now)
    else:
        lesson.status = LessonStatus.REFUSED
    session.flush()
    return lesson


def _adopt(session: Session, lesson: Lesson, now: datetime) -> None:
    slug = str(lesson.slug)
    lesson.replaced = _kept(articles.of_slug(session, slug).get(lesson.language))
    lesson.taught = _kept(articles.save(session, slug, draft_of(session, lesson), now=now))
    lesson.status = LessonStatus.ADOPTED
    open_questions.put_aside(session, lesson.messages, now=now)


def roll_back(session: Session, lesson_id: int, *, now: datetime) -> Lesson:
    """The article as it was before, or none if there was none; the questions are open again.

    Raises LessonDecided if it is not in force, ChangedSince if the article was edited since: nobody's work is undone.
    """
    lesson = session.get_one(Lesson, lesson_id, with_for_update=True)
    if lesson.status is not LessonStatus.ADOPTED:
        raise LessonDecided(f"Lesson {lesson_id} is {lesson.status}.")
    slug = str(lesson.slug)
    if _kept(articles.of_slug(session, slug).get(lesson.language)) != lesson.taught:
        raise ChangedSince(f"The article {slug} was edited since.")
    if lesson.replaced is None:
        articles.remove(session, slug, lesson.language)
    else:
        articles.save(session, slug, Draft(**lesson.replaced), now=now)
    lesson.status, lesson.rolled_back_at = LessonStatus.ROLLED_BACK, now
    open_questions.take_up(session, lesson.messages, now=now)
    session.flush()
    return lesson


def _kept(article: KnowledgeArticle | None) -> dict[str, Any] | None:
    if article is None:
        return None
    names = ("language", "title", "body", "questions", "tags")
    return {name: getattr(article, name) for name in names}


def recent(session: Session, *, limit: int = 100) -> Sequence[Lesson]:
    """The newest lessons first."""
    return session.scalars(select(Lesson).order_by(Lesson.id.desc()).limit(limit)).all()
