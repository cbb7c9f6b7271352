"""Teaching by answering: what was not understood, what the owner makes of it, and what became of that."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm import open_questions
from crm.articles import Draft
from crm.lessons import articles as articles_taught
from crm.lessons import replies
from crm.lessons.articles import ChangedSince, LessonDecided
from crm.lessons.reports import Report
from crm.models import Lesson, LessonStatus
from crm.types import now
from gateway.console import pages
from gateway.console.access import LARGEST_ID, FormOf, Id, SignedIn, SignedInOf, ids_in
from gateway.console.knowledge import draft_in
from gateway.errors import Refused
from gateway.parts import Parts
from gateway.web import PartsOf

router = APIRouter(include_in_schema=False)
STUCK_AFTER = timedelta(minutes=2)


@router.get("/owner/questions")
async def questions_page(request: Request, parts: PartsOf, who: SignedInOf) -> Response:
    found = await parts.store.read(lambda session: open_questions.grouped(session, now=now()))
    return pages.page(request, parts, "questions.html", who, questions=found)


@router.post("/owner/questions")
async def answer_question(parts: PartsOf, who: SignedInOf, form: FormOf) -> Response:
    """An answer, or the article that has it already, becomes a lesson; without one the questions are put aside."""
    match form.get("do"):
        case "answer":
            return await _teach(parts, who, form, draft_in(form))
        case "article":
            return await _teach(parts, who, form, _wording_in(form), slug=form.get("slug"))
        case _:
            await parts.store.write(
                lambda session: open_questions.put_aside(session, ids_in(form.get("ids", "")), now=now())
            )
            return pages.go("/owner/questions")


def _wording_in(form: Mapping[str, str]) -> Draft:
    """Questions for an article that is there. Raises Refused."""
    language, questions = form.get("language", ""), form.get("questions", "").split("\n")[:100]
    if language not in pages.LANGUAGES or not any(question.strip() for question in questions):
        raise Refused(422, "invalid", "An article learns at least one question.")
    return Draft(language=language, title="", body="", questions=questions)


async def _teach(
    parts: Parts, who: SignedIn, form: Mapping[str, str], draft: Draft, *, slug: str | None = None
) -> Response:
    try:
        lesson = await parts.teaching.teach(draft, by=who.member.name, slug=slug, messages=ids_in(form.get("ids", "")))
    except ChangedSince:
        raise Refused(409, "changed_since", "The article changed meanwhile.") from None
    return pages.go(f"/owner/lessons/{lesson.id}")


@router.get("/owner/lessons")
async def lessons_page(request: Request, parts: PartsOf, who: SignedInOf) -> Response:
    found = await parts.store.read(articles_taught.recent)
    return pages.page(request, parts, "lessons.html", who, lessons=found)


@router.get("/owner/lessons/new")
async def new_lesson(
    request: Request, parts: PartsOf, who: SignedInOf, reply: Annotated[int, Query(ge=0, le=LARGEST_ID)]
) -> Response:
    """The owner's own answer in a conversation, ready to be taught."""
    found = await parts.store.read(lambda session: replies.reply_to(session, reply))
    if found is None:
        raise Refused(404, "not_found", "This answers nothing that was not understood.")
    return pages.page(request, parts, "lesson_new.html", who, answered=found)


@router.get("/owner/lessons/{number}")
async def lesson_page(request: Request, parts: PartsOf, who: SignedInOf, number: Id) -> Response:
    lesson = await parts.store.read(lambda session: session.get(Lesson, number))
    if lesson is None:
        raise Refused(404, "not_found", "There is no such lesson.")
    report = Report.from_dict(lesson.report) if lesson.report is not None else None
    stuck = lesson.status is LessonStatus.CHECKING and now() - lesson.made_at > STUCK_AFTER
    return pages.page(request, parts, "lesson.html", who, lesson=lesson, report=report, stuck=stuck)


@router.post("/owner/lessons/{number}/try")
async def try_again(parts: PartsOf, _who: SignedInOf, _form: FormOf, number: Id) -> Response:
    """Once more, on what was asked since and on the articles as they are now."""
    try:
        await parts.teaching.try_out(number)
    except LessonDecided:
        pass  # two taps: the page shows what the first one did
    except ChangedSince:
        raise Refused(409, "changed_since", "The articles changed meanwhile.") from None
    return pages.go(f"/owner/lessons/{number}")


@router.post("/owner/lessons/{number}/back")
async def take_back(parts: PartsOf, _who: SignedInOf, _form: FormOf, number: Id) -> Response:
    """Everything as it was before the lesson."""
    try:
        await parts.store.write(lambda session: articles_taught.roll_back(session, number, now=now()))
    except LessonDecided:
        pass  # two taps: the page shows what the first one did
    except ChangedSince:
        raise Refused(409, "changed_since", "The article was edited since.") from None
    return pages.go(f"/owner/lessons/{number}")
