"""The shop's articles."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm import articles
from crm.articles import Draft
from crm.models import KnowledgeArticle
from crm.types import now
from gateway.console import pages
from gateway.console.access import FormOf, SignedInOf
from gateway.errors import Refused
from gateway.web import PartsOf

router = APIRouter(include_in_schema=False)
LONGEST_TITLE, LONGEST_BODY = 200, 20_000


def draft_in(form: Mapping[str, str]) -> Draft:
    """The article that a form holds. Raises Refused."""
    language, title, body = form.get("language", ""), form.get("title", "").strip(), form.get("body", "").strip()
    if language not in pages.LANGUAGES or not title or not body:
        raise Refused(422, "invalid", "An article needs a title and a text.")
    return Draft(
        language=language,
        title=title[:LONGEST_TITLE],
        body=body[:LONGEST_BODY],
        questions=form.get("questions", "").splitlines()[:100],
        tags=form.get("tags", "").replace("，", ",").split(",")[:30],
    )


@router.get("/owner/knowledge")
async def knowledge_page(request: Request, parts: PartsOf, who: SignedInOf, q: str = "", saved: int = 0) -> Response:
    found = await parts.store.read(lambda session: articles.all_articles(session, q.strip()))
    return pages.page(request, parts, "knowledge.html", who, articles=found, q=q, saved=saved)


@router.get("/owner/knowledge/new")
async def new_article(request: Request, parts: PartsOf, who: SignedInOf, question: str = "") -> Response:
    language = pages.speaker(request, parts).language
    return pages.page(
        request, parts, "article.html", who, slug=None, versions={}, language=language, article=None, question=question
    )


@router.get("/owner/knowledge/{slug}")
async def article_page(
    request: Request,
    parts: PartsOf,
    who: SignedInOf,
    slug: str,
    language: Annotated[str | None, Query(pattern="^(en|zh)$")] = None,
) -> Response:
    versions: dict[str, KnowledgeArticle] = await parts.store.read(lambda session: articles.of_slug(session, slug))
    if not versions:
        raise Refused(404, "not_found", "There is no such article.")
    own = pages.speaker(request, parts).language
    shown = language or (own if own in versions else next(iter(versions)))
    return pages.page(
        request,
        parts,
        "article.html",
        who,
        slug=slug,
        versions=versions,
        language=shown,
        article=versions.get(shown),
        question="",
    )


@router.post("/owner/knowledge")
async def save(parts: PartsOf, _who: SignedInOf, form: FormOf) -> Response:
    """The very next answer follows it."""
    draft, slug = draft_in(form), form.get("slug") or None
    await parts.store.write(lambda session: articles.save(session, slug, draft, now=now()))
    return pages.go("/owner/knowledge?saved=1")


@router.post("/owner/knowledge/{slug}/remove")
async def remove(parts: PartsOf, _who: SignedInOf, form: FormOf, slug: str) -> Response:
    await parts.store.write(lambda session: articles.remove(session, slug, form.get("language")))
    return pages.go("/owner/knowledge")
