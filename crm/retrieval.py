"""The index over the owner's articles: which of them answers a question, with which of its passages, and how surely.

Each article is seen at several grains: its listed questions, its sentences, its paragraphs, its headlines (title,
questions and tags) and the whole of it. How well the question matches each of them (``crm.evidence``) ranks the
articles. What an article says in the other language helps to find it, through the ideas that words of both share
(``crm.thesaurus``).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
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
_LIKENESS, _BREADTH = 0.9, 2.8
_RANKING = {Grain.PASSAGE: 4.0, Grain.HEADLINES: 3.3, Grain.WHOLE: 3.4, Grain.SENTENCE: 3.8}
_SURENESS = {"rank": 0.27, "lead": 3.4, "breadth": 2.5, "elsewhere": -4.0, "brevity": -4.2}
_UNSURE = -2.6
_SAME_QUESTION = 0.6
_MENTIONED = 0.5


@dataclass
class _Article:
    """An article cut up, with the numbers of its texts among those filed."""

    source: KnowledgeArticle
    passages: list[str]
    question_texts: list[int]
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
    elsewhere: float  # 1 if it names a matter that is no shop's business and that no article mentions, else 0
    brevity: float  # 1 for a question of one word, which may mean anything, towards 0 for a full sentence

    @property
    def sureness(self) -> float:
        """How likely the article answers the question, 0–1."""
        total = _UNSURE + sum(weight * float(getattr(self, name)) for name, weight in _SURENESS.items())
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
        self._own_weights = self._own_weights_of_questions()
        self._wholes = np.array([article.whole for article in self._articles], dtype=np.intp)
        self._spelling = Spelling(self._words(), {*thesaurus().words, *STOP_WORDS})
        self._terms.clear()

    def _put(self, terms: dict[str, float], article: int, grain: Grain) -> int:
        self._terms.append(terms)
        self._places.append((article, grain))
        return len(self._terms) - 1

    def _add(self, source: KnowledgeArticle) -> int:
        number = len(self._articles)
        passages = passages_of(source.body) or [source.title]
        listed = [terms_of(question) for question in (source.title, *source.questions)]
        headlines = _together([*listed, *(terms_of(tag) for tag in source.tags)])
        questions = [self._put(terms, number, Grain.QUESTION) for terms in listed]
        self._put(headlines, number, Grain.HEADLINES)
        texts, sentence_texts, said = [], [], [headlines]
        for passage in passages:
            sentences = [terms_of(sentence) for sentence in sentences_of(passage)]
            sentence_texts.append([self._put(terms, number, Grain.SENTENCE) for terms in sentences])
            texts.append(self._put(_together([*sentences, stated(passage).terms]), number, Grain.PASSAGE))
            said.extend(sentences)
        whole = self._put(_together(said), number, Grain.WHOLE)
        self._articles.append(_Article(source, passages, questions, texts, sentence_texts, whole))
        return number

    def _add_translation(self, source: KnowledgeArticle, number: int) -> None:
        headlines = _ideas(_together(terms_of(line) for line in (source.title, *source.questions, *source.tags)))
        self._put(headlines, number, Grain.HEADLINES)
        said = [self._terms[self._articles[number].whole], headlines]
        for passage in passages_of(source.body):
            sentences = [_ideas(terms_of(sentence)) for sentence in sentences_of(passage)]
            for terms in sentences:
                self._put(terms, number, Grain.SENTENCE)
            self._put(_together([*sentences, stated(passage).terms]), number, Grain.PASSAGE)
            said.extend(sentences)
        self._terms[self._articles[number].whole] = _together(said)

    def _own_weights_of_questions(self) -> Numbers:
        listed = [question for a in self._articles for question in (a.source.title, *a.source.questions)]
        return np.array([self._weight(units_of(question)) or 1.0 for question in listed])

    def _words(self) -> Iterable[str]:
        for article in self._articles:
            source = article.source
            yield from latin_tokens(normal(" ".join([source.title, *source.questions, *source.tags, source.body])))

    def _weight(self, units: Sequence[Unit]) -> float:
        return sum(self._evidence.importance(unit) for unit in units)

    def _best(self, scores: Numbers, grain: Grain) -> Numbers:
        """The best score of each article at one grain."""
        best = np.zeros(len(self._articles))
        np.maximum.at(best, self._of[grain], scores)
        return best

    def search(self, question: str, *, limit: int = 3) -> list[Passage]:
        """The likeliest passages, best first, one per article; none if nothing of what was asked is known."""
        units = units_of(question, correct=self._spelling.meant)
        if not units or not self._articles:
            return []
        per_unit = np.stack([self._evidence.scores(unit) for unit in units]).astype(np.float64)
        found: list[Passage] = []
        for match in self._matches(units, per_unit)[:limit]:
            article = self._articles[match.article]
            source, text = article.source, self._answer(article, units, per_unit)
            found.append(Passage(source.id, source.slug, source.title, text, source.language, match.sureness))
        return found

    def _matches(self, units: Sequence[Unit], per_unit: Numbers) -> list[Match]:
        """What speaks for each article, the best first. ``per_unit``: scores, one row per unit, one column per text."""
        weights = np.array([self._evidence.importance(unit) for unit in units])
        scores, weight = per_unit.sum(axis=0), float(weights.sum())
        likeness = 2 * scores[self._at[Grain.QUESTION]] / (weight + self._own_weights)
        found = np.minimum(1.0, per_unit[:, self._wholes] / weights[:, None])
        breadth = found.mean(axis=0)
        rank = _LIKENESS * self._best(likeness, Grain.QUESTION) + _BREADTH * breadth
        for grain, counts in _RANKING.items():
            rank += counts * self._best(scores[self._at[grain]] / weight, grain)
        order = np.argsort(-rank, kind="stable")
        top = float(rank[order[0]])
        if top <= 0:
            return []
        met = found.max(axis=1) >= _MENTIONED
        elsewhere = float(any(unit.elsewhere and not known for unit, known in zip(units, met, strict=True)))
        second = float(rank[order[1]]) if len(order) > 1 else 0.0
        return [
            Match(
                article=int(n),
                rank=float(rank[n]),
                lead=(float(rank[n]) - (second if n == order[0] else top)) / top,
                breadth=float(breadth[n]),
                elsewhere=elsewhere,
                brevity=1 / len(units),
            )
            for n in order
        ]

    def _answer(self, article: _Article, units: Sequence[Unit], per_unit: Numbers) -> str:
        """What the article says about the question; the listed question closest to it helps to find the place."""
        listed = per_unit.sum(axis=0)[article.question_texts]
        closest = int(np.argmax(listed))
        closeness = float(listed[closest]) / (self._weight(units) or 1.0)
        if closeness >= _SAME_QUESTION:
            theirs = units_of((article.source.title, *article.source.questions)[closest])
            rows = [closeness * self._evidence.scores(unit).astype(np.float64) for unit in theirs]
            per_unit = np.vstack([per_unit, *rows])
        fitness = _fitness(per_unit[:, article.texts])
        among = _fitness(per_unit[:, [n for texts in article.sentence_texts for n in texts]])
        sentences = np.split(among, np.cumsum([len(texts) for texts in article.sentence_texts])[:-1])
        best_sentences = np.array([inner.max() for inner in sentences])
        return answer_from(article.passages, list(fitness + best_sentences), [list(inner) for inner in sentences])


def _fitness(per_unit: Numbers) -> Numbers:
    """How well each text of one article answers, compared with its others.

    A unit counts the less, the more of the texts it is found in. Half a match counts a quarter: where the article
    speaks of black tea and of green tea, "tea" alone decides nothing.
    """
    most = per_unit.max(axis=1, keepdims=True)
    found = (per_unit / np.where(most > 0, most, 1.0)) ** 2
    weights = most[:, 0] * np.log1p(per_unit.shape[1] / np.maximum(found.sum(axis=1), 1.0))
    fitness: Numbers = weights @ found
    return fitness


def _together(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for term, weight in part.items():
            total[term] = total.get(term, 0.0) + weight
    return total


def _ideas(terms: Mapping[str, float]) -> dict[str, float]:
    return {term: weight for term, weight in terms.items() if term.startswith("#")}
