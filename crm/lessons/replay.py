"""What an article would change, found out by asking everything again that was asked before: with it and without it."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import knowledge
from crm.articles import Draft
from crm.knowledge import KnowledgeIndex, Passage
from crm.lessons import past
from crm.lessons.past import Asked
from crm.lessons.reports import Change, Report
from crm.models import KnowledgeArticle
from crm.text import normal

LANGUAGES = ("en", "zh")
_LEVELS = (knowledge.FITS_THE_TOPIC, knowledge.SURE, knowledge.FITS_BETTER)
# After every question other threads get a turn: customers are answered by the same process meanwhile.
_BREATH_SECONDS = 0.0005


@dataclass
class _Tried:
    """What was seen so far."""

    worse: list[Change] = field(default_factory=list)
    also: list[Change] = field(default_factory=list)


def replay(session: Session, draft: Draft, slug: str) -> Report:
    """Asks the newest 2,000 questions of customers and those that the articles list, as if the draft were adopted.

    Writes nothing. Takes about a millisecond per question.
    """
    articles = session.scalars(select(KnowledgeArticle).order_by(KnowledgeArticle.id)).all()
    comparison = Comparison(articles, draft, slug)
    questions = past.asked(session)
    tried = _Tried()
    own = {normal(question) for question in draft.questions}
    for asked in questions:
        comparison.try_customers(asked, tried, own)
    listed = [(article, question) for article in articles for question in (article.title, *article.questions)]
    for article, question in listed:
        comparison.try_listed(article, question, tried)
    found = [question for question in draft.questions if comparison.finds(question)]
    return Report(
        customers=len(questions),
        listed=len(listed),
        worse=tuple(tried.worse),
        also=tuple(tried.also),
        found=tuple(found),
        missed=tuple(question for question in draft.questions if question not in found),
    )


class Comparison:
    """The articles as they are, and as they would be with a draft under ``slug``."""

    def __init__(self, articles: Sequence[KnowledgeArticle], draft: Draft, slug: str) -> None:
        self._draft, self._slug = draft, slug
        self._titles = {article.id: article.title for article in articles}
        proposed = KnowledgeArticle(
            id=0,
            slug=slug,
            language=draft.language,
            title=draft.title,
            body=draft.body,
            questions=list(draft.questions),
            tags=list(draft.tags),
        )
        others = [a for a in articles if (a.slug, a.language) != (slug, draft.language)]
        self._without = _Indexes(articles)
        self._with = _Indexes([*others, proposed])

    def finds(self, question: str) -> bool:
        """Whether the draft answers a question of its own."""
        found = self._with.look_up(question, self._draft.language)
        return found is not None and found.slug == self._slug and found.score >= knowledge.SURE

    def try_listed(self, article: KnowledgeArticle, question: str, tried: _Tried) -> None:
        """A question that an article lists is right if that article answers it."""
        after = self._with.look_up(question, article.language)
        if article.slug == self._slug or _answers(after, article.slug, knowledge.SURE):
            return
        if _answers(self._without.look_up(question, article.language), article.slug, knowledge.SURE):
            told = after if after is not None and after.score >= knowledge.SURE else None
            tried.worse.append(Change(question, article.language, article.title, told.title if told else None))

    def try_customers(self, question: Asked, tried: _Tried, own: Collection[str]) -> None:
        after = self._with.look_up(question.text, question.language)
        if after is not None and after.slug != self._slug and after.text in question.told:
            return  # as the log says it was answered
        before = self._without.look_up(question.text, question.language)
        level = _level(question, before)
        was = before if before is not None and before.score >= level else None
        now = after if after is not None and after.score >= level else None
        if (was.slug if was else None) == (now.slug if now else None):
            return
        if was is not None and was.text not in question.told:
            was = None  # something else was told, or the article read otherwise then
        if now is None and was is None:
            return
        change = Change(question.text, question.language, was.title if was else None, now.title if now else None)
        if was is not None or question.understood:
            if question.was_right:
                tried.worse.append(change)
        elif normal(question.text) not in own:
            tried.also.append(change)


def _answers(passage: Passage | None, slug: str, level: float) -> bool:
    return passage is not None and passage.slug == slug and passage.score >= level


def _level(question: Asked, before: Passage | None) -> float:
    """How sure an article must be to be told here: what the log shows to have sufficed, else the usual."""
    usual = knowledge.FITS_BETTER if question.understood else knowledge.SURE
    if before is None or before.text not in question.told:
        return usual
    return max((level for level in _LEVELS if level <= before.score), default=before.score)


class _Indexes:
    """An index per language, made when the first question in it comes."""

    def __init__(self, articles: Iterable[KnowledgeArticle]) -> None:
        self._articles = list(articles)
        self._made: dict[str, KnowledgeIndex] = {}

    def look_up(self, question: str, language: str) -> Passage | None:
        """The best passage, as ``crm.knowledge.look_up`` gives it."""
        if language not in self._made:
            own = [article for article in self._articles if article.language == language]
            others = [article for article in self._articles if article.language != language]
            self._made[language] = KnowledgeIndex(own, others)
        found = knowledge.worth_offering(self._made[language].search(question, limit=1), language)
        time.sleep(_BREATH_SECONDS)
        return found[0] if found else None
