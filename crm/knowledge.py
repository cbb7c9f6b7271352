"""Looking a question up in the owner's articles: the passage that answers it, or nothing.

Passages are ranked by BM25 (Robertson & Zaragoza 2009, as implemented by bm25s) over stemmed words, character trigrams
of Latin words (typing slips) and Han characters and pairs. How sure the answer is comes from the share of the
question's own weight that the passage covers, and from how close the question is to one the owner listed.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bm25s
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import revisions
from crm.models import KnowledgeArticle
from crm.text import HAN, LATIN, normal, stem

SURE = 0.50
WORTH_OFFERING = 0.34
_STOP_WORDS = frozenset(
    (
        "a an and any are as at be been by can could did do does for from get got had has have hi hello hey how i if "
        "in into is it its know like me my of on or our please pls shop so some tell than thank thanks that the their "
        "just them then there they this to us want was we were what when where which who will with would you your about"
    ).split()
)
_STOP_HAN = re.compile(
    "请问一下|请问|你好|您好|想问|我想|帮我|怎么样|怎么|怎样|如何|什么|多少|多久|可以|可不可以|能不能|能否|是不是|有没有|是否|"
    "一下|告诉|知道|你们|我们|他们|这个|那个|哪些|哪里|[的了吗呢吧啊呀哦么我你您他她它是在有和与也都就还把被给让要会能请个这那]"
)


@dataclass(frozen=True)
class Passage:
    """A piece of an article. ``score`` 0–1 says how sure it is that it answers the question."""

    article_id: int
    slug: str
    title: str
    text: str
    language: str
    score: float = 0.0


def _terms(text: str) -> list[str]:
    """What a text is matched by: words and their trigrams, Han characters and pairs. Expects a normalised text."""
    terms: list[str] = []
    for word in LATIN.findall(text):
        if word in _STOP_WORDS:
            continue
        root = stem(word)
        terms.append(root)
        if len(root) >= 5 and root.isalpha():
            padded = f"^{root}$"
            terms.extend(f"~{padded[i : i + 3]}" for i in range(len(padded) - 2))
    for run in HAN.findall(_STOP_HAN.sub(" ", text)):
        terms.extend(run)
        terms.extend(run[i : i + 2] for i in range(len(run) - 1))
    return terms


def _importance(term: str) -> float:
    """Whole words and pairs say more than the pieces that are there for typing slips."""
    return 0.25 if term.startswith("~") else 0.5 if len(term) == 1 and HAN.match(term) else 1.0


def passages_of(body: str) -> list[str]:
    """The article cut where its author made paragraphs; a heading or a lead-in line stays with what follows it."""
    pieces: list[str] = []
    lead = ""
    for block in re.split(r"\n\s*\n", body.strip()):
        block = re.sub(r"^#+\s*", "", block.strip(), flags=re.M)
        block = re.sub(r"(\*\*|__|`)", "", block)
        if not block:
            continue
        if len(block) < 40 and not re.search(r"[.!?。！？]$", block):
            lead = f"{lead}\n{block}".strip()
            continue
        pieces.append(f"{lead}\n{block}".strip() if lead else block)
        lead = ""
    if lead:
        pieces.append(lead)
    return pieces


class KnowledgeIndex:
    """The articles of one language, ready to be searched."""

    def __init__(self, articles: Iterable[KnowledgeArticle]) -> None:
        self.passages: list[Passage] = []
        self._questions: list[tuple[int, Counter[str]]] = []
        documents: list[list[str]] = []
        for article in articles:
            about = _terms(normal(" ".join([article.title, *article.questions, *article.tags])))
            first = len(self.passages)
            for text in passages_of(article.body):
                documents.append(_terms(normal(text)) * 2 + about)
                self.passages.append(Passage(article.id, article.slug, article.title, text, article.language))
            if len(self.passages) > first:
                for question in (article.title, *article.questions):
                    self._questions.append((article.id, Counter(_terms(normal(question)))))
        self._documents = [frozenset(document) for document in documents]
        counts = Counter(term for document in self._documents for term in document)
        total = len(documents)
        self._idf = {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in counts.items()}
        self._unknown_idf = math.log(1 + (total + 0.5) / 0.5)
        self._bm25 = bm25s.BM25(k1=1.2, b=0.5)
        if documents:
            vocabulary = {term: number for number, term in enumerate(counts)}
            self._vocabulary = vocabulary
            tokens = bm25s.tokenization.Tokenized(
                ids=[[vocabulary[term] for term in document] for document in documents], vocab=vocabulary
            )
            self._bm25.index(tokens, show_progress=False)

    def _weight(self, terms: Iterable[str]) -> float:
        return sum(self._idf.get(term, self._unknown_idf) * _importance(term) for term in terms)

    def search(self, question: str, *, limit: int = 3) -> list[Passage]:
        """The likeliest passages, best first, one per article."""
        terms = _terms(normal(question))
        known = [term for term in terms if term in self._idf]
        if not self.passages or not known:
            return []
        scores = self._bm25.get_scores_from_ids([self._vocabulary[term] for term in known])
        whole = self._weight(set(terms))
        likeness = self._likeness_to_questions(Counter(terms))
        top = float(max(scores)) or 1.0
        best: dict[int, Passage] = {}
        for position, passage in enumerate(self.passages):
            covered = self._weight(set(terms) & self._documents[position]) / whole if whole else 0.0
            listed = likeness.get(passage.article_id, 0.0)
            rank = float(scores[position]) / top
            sure = min(1.0, max(0.65 * covered * (0.5 + 0.5 * rank) + 0.35 * listed, listed * 0.95))
            kept = best.get(passage.article_id)
            # Between passages of one article the ranking decides, for the listed questions say nothing about it.
            if kept is None or (sure, rank) > (kept.score, 0.0):
                best[passage.article_id] = Passage(
                    passage.article_id, passage.slug, passage.title, passage.text, passage.language, sure
                )
        return sorted(best.values(), key=lambda passage: passage.score, reverse=True)[:limit]

    def _likeness_to_questions(self, asked: Counter[str]) -> dict[int, float]:
        """Per article the weighted overlap (Dice) with the closest question its author listed."""
        best: dict[int, float] = {}
        weight = self._weight(asked)
        for article_id, listed in self._questions:
            shared = self._weight(asked.keys() & listed.keys())
            both = weight + self._weight(listed)
            if both:
                best[article_id] = max(best.get(article_id, 0.0), 2 * shared / both)
        return best


_indexes: dict[str, tuple[int, KnowledgeIndex]] = {}


def index_of(session: Session, language: str) -> KnowledgeIndex:
    """The index of one language as the articles are now; built again only when one of them changed."""
    revision = revisions.current(session, revisions.KNOWLEDGE)
    known = _indexes.get(language)
    if known is None or known[0] != revision:
        articles: Sequence[KnowledgeArticle] = session.scalars(
            select(KnowledgeArticle).where(KnowledgeArticle.language == language).order_by(KnowledgeArticle.id)
        ).all()
        known = revision, KnowledgeIndex(articles)
        _indexes[language] = known
    return known[1]


def forget_indexes() -> None:
    """For tests and after binding another store."""
    _indexes.clear()


def look_up(session: Session, question: str, language: str, *, limit: int = 3) -> list[Passage]:
    """Passages in the customer's language, best first; those below ``WORTH_OFFERING`` are left out."""
    return [p for p in index_of(session, language).search(question, limit=limit) if p.score >= WORTH_OFFERING]
