"""The index over the owner's articles: which of them answers a question, with which of its passages, and how surely.

Each article is seen at several grains: its listed questions, its sentences, its paragraphs, its headlines (title,
questions and tags) and the whole of it. How well the question matches each of them (``crm.evidence``) ranks the
articles. What an article says in the other language helps to find it, through the ideas that words of both share
(``crm.thesaurus``).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from crm.evidence import Evidence
from crm.models import KnowledgeArticle
from crm.passages import answer_from, passages_of, sentences_of
from crm.spelling import Spelling
from crm.terms import STOP_WORDS, Unit, stated, terms_of, units_of
from crm.text import normal
from crm.thesaurus import latin_tokens, thesaurus

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Passage:
    """A piece of an article. ``score`` 0–1 says how sure it is that it answers the question."""

    article_id: int
    slug: str
    title: str
    text: str
    language: str
    score: float = 0.0


class Grain(StrEnum):
    """What of an article is matched with the question."""

    QUESTION = "question"
    PASSAGE = "passage"
    HEADLINES = "headlines"
    WHOLE = "whole"
    SENTENCE = "sentence"


# How much each kind of match counts when articles are ranked, and how sure a match makes: fitted by logistic
# regression on half of the development questions, checked on the other half (benchmarks/knowledge.py).
_LIKENESS, _BREADTH = 2.4, 3.5
_RANKING = {Grain.PASSAGE: 5.0, Grain.HEADLINES: 0.9, Grain.WHOLE: 3.9, Grain.SENTENCE: 4.0}
_SURENESS = {"constant": -4.0, "rank": 0.3, "lead": 3.0, "breadth": 1.0, "likeness": 1.0, "strange": -1.0}


@dataclass
class _Article:
    """An article cut up, with the numbers of its texts among those filed."""

    source: KnowledgeArticle
    passages: list[str]
    texts: list[int]
    sentence_texts: list[list[int]]
    whole: int


@dataclass(frozen=True)
class Match:
    """What speaks for one article."""

    article: int
    rank: float
    lead: float  # its rank before the best other article's, as a share of the best rank
    breadth: float  # the share of the question's units that the article says anything about
    likeness: float  # to the closest listed question
    strange: float  # the share of the question that no article says anything about

    @property
    def sureness(self) -> float:
        """How likely the article answers the question, 0–1."""
        total = _SURENESS["constant"] + sum(
            weight * float(getattr(self, name)) for name, weight in _SURENESS.items() if name != "constant"
        )
        return 1 / (1 + math.exp(-total))


class KnowledgeIndex:
    """Articles ready to be searched.

    translations : articles in other languages. One of the same slug helps to find the article; one without a
                   counterpart can be found itself.
    """

    def __init__(self, articles: Iterable[KnowledgeArticle], translations: Iterable[KnowledgeArticle] = ()) -> None:
        self._articles: list[_Article] = []
        self._terms: list[dict[str, float]] = []
        self._places: list[tuple[int, Grain]] = []
        own = {article.slug: self._add(article) for article in articles}
        for article in translations:
            if (number := own.get(article.slug)) is None:
                self._add(article)
            else:
                self._add_translation(article, number)
        self._evidence = Evidence(self._terms, [article for article, _ in self._places])
        self._of = {g: np.array([a for a, grain in self._places if grain is g], dtype=np.intp) for g in Grain}
        self._at = {g: np.array([n for n, (_, grain) in enumerate(self._places) if grain is g]) for g in Grain}
        self._own_weights = np.array([self._weight(units_of(q)) or 1.0 for q in self._listed()])
        self._wholes = np.array([article.whole for article in self._articles], dtype=np.intp)
        self._spelling = Spelling({*self._words(), *thesaurus().words, *STOP_WORDS})
        self._terms.clear()

    def _put(self, terms: dict[str, float], article: int, grain: Grain) -> int:
        self._terms.append(terms)
        self._places.append((article, grain))
        return len(self._terms) - 1

    def _add(self, source: KnowledgeArticle) -> int:
        number = len(self._articles)
        passages = passages_of(source.body) or [source.title]
        for question in (source.title, *source.questions):
            self._put(terms_of(question), number, Grain.QUESTION)
        texts = [self._put(_with_facts(passage), number, Grain.PASSAGE) for passage in passages]
        sentences = [
            [self._put(terms_of(sentence), number, Grain.SENTENCE) for sentence in sentences_of(passage)]
            for passage in passages
        ]
        self._put(terms_of(_headlines(source)), number, Grain.HEADLINES)
        whole = self._put(terms_of(f"{_headlines(source)} . {source.body}"), number, Grain.WHOLE)
        self._articles.append(_Article(source, passages, texts, sentences, whole))
        return number

    def _add_translation(self, source: KnowledgeArticle, number: int) -> None:
        for passage in passages_of(source.body):
            self._put(_ideas(_with_facts(passage)), number, Grain.PASSAGE)
            for sentence in sentences_of(passage):
                self._put(_ideas(terms_of(sentence)), number, Grain.SENTENCE)
        self._put(_ideas(terms_of(_headlines(source))), number, Grain.HEADLINES)
        whole = self._terms[self._articles[number].whole]
        for term, weight in _ideas(terms_of(f"{_headlines(source)} . {source.body}")).items():
            whole[term] = whole.get(term, 0.0) + weight

    def _listed(self) -> list[str]:
        return [q for a in self._articles for q in (a.source.title, *a.source.questions)]

    def _words(self) -> Iterable[str]:
        for article in self._articles:
            yield from latin_tokens(normal(f"{_headlines(article.source)} {article.source.body}"))

    def _weight(self, units: Sequence[Unit]) -> float:
        return sum(self._evidence.importance(unit) for unit in units)

    def _best(self, scores: Numbers, grain: Grain) -> Numbers:
        """The best score of each article at one grain."""
        best = np.zeros(len(self._articles))
        np.maximum.at(best, self._of[grain], scores)
        return best

    def matches(self, question: str) -> list[Match]:
        """What speaks for each article, the best first; empty if nothing is known of anything that was asked."""
        units = units_of(question, correct=self._spelling.meant)
        if not units or not self._articles:
            return []
        weights = np.array([self._evidence.importance(unit) for unit in units])
        per_unit = np.stack([self._evidence.scores(unit) for unit in units])
        scores, weight = per_unit.sum(axis=0), float(weights.sum())
        likeness = self._best(2 * scores[self._at[Grain.QUESTION]] / (weight + self._own_weights), Grain.QUESTION)
        found = np.minimum(1.0, per_unit[:, self._wholes] / weights[:, None])
        breadth = found.mean(axis=0)
        rank = _LIKENESS * likeness + _BREADTH * breadth
        for grain, counts in _RANKING.items():
            rank += counts * self._best(scores[self._at[grain]] / weight, grain)
        order = np.argsort(-rank, kind="stable")
        top = float(rank[order[0]])
        if top <= 0:
            return []
        strange = 1 - float(np.average(found.max(axis=1), weights=weights))
        second = float(rank[order[1]]) if len(order) > 1 else 0.0
        return [
            Match(
                article=int(n),
                rank=float(rank[n]),
                lead=(float(rank[n]) - (second if n == order[0] else top)) / top,
                breadth=float(breadth[n]),
                likeness=float(likeness[n]),
                strange=strange,
            )
            for n in order
        ]

    def search(self, question: str, *, limit: int = 3) -> list[Passage]:
        """The likeliest passages, best first, one per article."""
        found: list[Passage] = []
        for match in self.matches(question)[:limit]:
            article = self._articles[match.article]
            source, text = article.source, self._answer(question, article)
            found.append(Passage(source.id, source.slug, source.title, text, source.language, match.sureness))
        return found

    def _answer(self, question: str, article: _Article) -> str:
        """The passage of the article that answers, helped by the listed question that is closest to what was asked."""
        if len(article.passages) == 1 and len(article.sentence_texts[0]) == 1:
            return article.passages[0]
        scores = self._fitness(units_of(question, correct=self._spelling.meant))
        sentences = [[float(scores[n]) for n in texts] for texts in article.sentence_texts]
        fitness = [float(scores[n]) + 0.5 * max(inner) for n, inner in zip(article.texts, sentences, strict=True)]
        return answer_from(article.passages, fitness, sentences)

    def _fitness(self, units: Sequence[Unit]) -> Numbers:
        total: Numbers = np.sum([self._evidence.scores(unit) for unit in units], axis=0, dtype=np.float64)
        return total


def _headlines(article: KnowledgeArticle) -> str:
    return " . ".join([article.title, *article.questions, *article.tags])


def _with_facts(passage: str) -> dict[str, float]:
    terms = terms_of(passage)
    for term, weight in stated(passage).terms.items():
        terms[term] = terms.get(term, 0.0) + weight
    return terms


def _ideas(terms: dict[str, float]) -> dict[str, float]:
    return {term: weight for term, weight in terms.items() if term.startswith("#")}
