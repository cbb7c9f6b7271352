"""The list of customers, and the one view of each."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm import customer_view, scores
from crm.errors import CustomerNotFound
from gateway.console import pages
from gateway.console.access import SignedInOf
from gateway.errors import Refused
from gateway.web import PartsOf

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
async def customer_page(request: Request, parts: PartsOf, who: SignedInOf, number: int) -> Response:
    try:
        view = await parts.store.read(lambda session: customer_view.view(session, number))
    except CustomerNotFound:
        raise Refused(404, "not_found", "There is no such customer.") from None
    language = pages.speaker(request, parts).language
    reasons = [scores.reason_text(reason, language) for reason in view.score.reasons] if view.score else []
    return pages.page(request, parts, "customer.html", who, view=view, reasons=reasons)
