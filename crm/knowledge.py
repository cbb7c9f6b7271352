"""Looking a question up in the owner's articles: the passage that answers it, or nothing."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import revisions
from crm.models import KnowledgeArticle
from crm.retrieval import KnowledgeIndex, Passage

__all__ = [
    "FITS_BETTER",
    "FITS_THE_TOPIC",
    "SURE",
    "WORTH_OFFERING",
    "KnowledgeIndex",
    "Passage",
    "forget_indexes",
    "index_of",
    "look_up",
    "worth_offering",
]

# How sure a passage must be (Passage.score), chosen from the table that benchmarks/knowledge.py prints.
WORTH_OFFERING = 0.35  # to be considered at all
FITS_THE_TOPIC = 0.40  # to be told when the topic is known otherwise and the shop states nothing else about it
SURE = 0.60  # to be told
FITS_BETTER = 0.75  # to be told instead of what the shop states itself

_indexes: dict[str, tuple[int, KnowledgeIndex]] = {}


def index_of(session: Session, language: str) -> KnowledgeIndex:
    """The index for questions in one language, as the articles are now; built again only when one of them changed."""
    revision = revisions.current(session, revisions.KNOWLEDGE)
    known = _indexes.get(language)
    if known is None or known[0] != revision:
        articles: Sequence[KnowledgeArticle] = session.scalars(
            select(KnowledgeArticle).order_by(KnowledgeArticle.id)
        ).all()
        own = [article for article in articles if article.language == language]
        translations = [article for article in articles if article.language != language]
        known = revision, KnowledgeIndex(own, translations)
        _indexes[language] = known
    return known[1]


def forget_indexes() -> None:
    """For tests and after binding another store."""
    _indexes.clear()


def look_up(session: Session, question: str, language: str, *, limit: int = 3) -> list[Passage]:
    """Passages in the customer's language, best first; those below ``WORTH_OFFERING`` are left out.

    Where only another language has an article, that one is given, if it is sure.
    """
    return worth_offering(index_of(session, language).search(question, limit=limit), language)


def worth_offering(found: Iterable[Passage], language: str) -> list[Passage]:
    """Those of the passages found that may be told to somebody who asked in ``language``."""
    return [p for p in found if p.score >= (WORTH_OFFERING if p.language == language else SURE)]
