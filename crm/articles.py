"""Writing the shop's articles: the next answer follows them at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from crm import revisions
from crm.models import KnowledgeArticle

_NO_SLUG = re.compile(r"[^\w]+")


@dataclass(frozen=True)
class Draft:
    """An article as it comes out of a form."""

    language: str
    title: str
    body: str
    questions: Sequence[str] = ()
    tags: Sequence[str] = ()


def all_articles(session: Session, search: str = "") -> dict[str, list[KnowledgeArticle]]:
    """Articles by slug, translations side by side, the ones changed last on top."""
    wanted = select(KnowledgeArticle).order_by(KnowledgeArticle.updated_at.desc(), KnowledgeArticle.language)
    if search:
        like = "%" + search.replace("%", r"\%").replace("_", r"\_") + "%"
        wanted = wanted.where(
            or_(KnowledgeArticle.title.ilike(like, escape="\\"), KnowledgeArticle.body.ilike(like, escape="\\"))
        )
    found: dict[str, list[KnowledgeArticle]] = {}
    for article in session.scalars(wanted):
        found.setdefault(article.slug, []).append(article)
    return found


def of_slug(session: Session, slug: str) -> dict[str, KnowledgeArticle]:
    """The article's languages."""
    found = session.scalars(select(KnowledgeArticle).where(KnowledgeArticle.slug == slug))
    return {article.language: article for article in found}


def save(session: Session, slug: str | None, draft: Draft, *, now: datetime) -> KnowledgeArticle:
    """Adds or changes one language of an article; without ``slug`` a new article is named after its title."""
    slug = slug or new_slug(session, draft.title)
    article = of_slug(session, slug).get(draft.language)
    if article is None:
        article = KnowledgeArticle(slug=slug, language=draft.language, title="", body="", updated_at=now)
        session.add(article)
    article.title, article.body = draft.title.strip(), draft.body.strip()
    article.questions = [question.strip() for question in draft.questions if question.strip()]
    article.tags = [tag.strip() for tag in draft.tags if tag.strip()]
    article.updated_at = now
    revisions.bump(session, revisions.KNOWLEDGE)
    session.flush()
    return article


def remove(session: Session, slug: str, language: str | None = None) -> None:
    """Takes an article, or one language of it, out of the bot's reach."""
    wanted = delete(KnowledgeArticle).where(KnowledgeArticle.slug == slug)
    session.execute(wanted if language is None else wanted.where(KnowledgeArticle.language == language))
    revisions.bump(session, revisions.KNOWLEDGE)


def new_slug(session: Session, title: str) -> str:
    """One that no article has, made of the title."""
    base = _NO_SLUG.sub("-", title.lower()).strip("-")[:60] or "article"
    slug, number = base, 2
    while of_slug(session, slug):
        slug, number = f"{base}-{number}", number + 1
    return slug
