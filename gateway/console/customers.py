"""The list of customers, and the one view of each."""

import logging
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import customer_view, customers, privacy, scores
from crm.errors import CustomerNotFound
from crm.types import now
from gateway.console import commands, pages
from gateway.console.access import FormOf, Id, OwnerOf, SignedInOf
from gateway.errors import Refused
from gateway.web import PartsOf

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)


@router.get("/owner/customers")
async def customers_page(
    request: Request, parts: PartsOf, who: SignedInOf, q: str = "", page: Annotated[int, Query(ge=0, le=10_000)] = 0
) -> Response:
    rows = await parts.store.read(lambda session: customer_view.find(session, q, page=page))
    return pages.page(
        request, parts, "customers.html", who, rows=rows, q=q, page=page, more=len(rows) == customer_view.PAGE
    )


@router.get("/owner/customers/{number}")
async def customer_page(request: Request, parts: PartsOf, who: SignedInOf, number: Id) -> Response:
    try:
        view = await parts.store.read(lambda session: customer_view.view(session, number))
    except CustomerNotFound:
        raise Refused(404, "not_found", "There is no such customer.") from None
    language = pages.speaker(request, parts).language
    reasons = [scores.reason_text(reason, language) for reason in view.score.reasons] if view.score else []
    return pages.page(request, parts, "customer.html", who, view=view, reasons=reasons)


@router.post("/owner/customers/{number}/export")
async def export(parts: PartsOf, _who: OwnerOf, _form: FormOf, number: Id) -> Response:
    """Everything the desk holds about the customer, as a file."""

    def read(session: Session) -> dict[str, Any]:
        customers.by_id(session, number)
        return privacy.export(session, privacy.find(session, f"id:{number}"), now=now())

    try:
        found = await parts.store.read(read)
    except CustomerNotFound:
        raise Refused(404, "not_found", "There is no such customer.") from None
    log.info("a customer's data was exported customer=%d", number)
    headers = {**pages.headers(), "Content-Disposition": f'attachment; filename="customer-{number}.json"'}
    body = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    return Response(body, media_type="application/json", headers=headers)


@router.post("/owner/customers/{number}/erase")
async def erase(request: Request, parts: PartsOf, who: OwnerOf, form: FormOf, number: Id) -> Response:
    """Forgets the customer everywhere and shows the receipt; the word typed must be theirs."""
    try:
        customer = await parts.store.read(lambda session: customers.by_id(session, number))
    except CustomerNotFound:
        raise Refused(404, "not_found", "There is no such customer.") from None
    if form.get("typed", "").strip() != customer.external_id:
        raise Refused(422, "not_sure", "The record's number was not typed; nothing was erased.")
    status, receipt = await commands.desk("customer", "erase", f"id:{number}", "--yes")
    if status:
        raise Refused(503, "not_erased", "The erasure did not finish; try again.", retry_after=5)
    log.info("a customer was erased customer=%d", number)
    return pages.page(request, parts, "erased.html", who, receipt=receipt)
