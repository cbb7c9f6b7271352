"""Returns that customers asked for: the shop decides here, once, and the customer reads it in their chat."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import returns
from crm.models import ReturnRequest, ReturnStatus
from crm.returns import Decided, ReturnDecided, ReturnNotFound
from crm.types import now
from gateway.console import pages
from gateway.console.access import FormOf, Id, SignedInOf
from gateway.errors import Refused
from gateway.parts import Parts
from gateway.web import PartsOf
from gateway.wording import Wording

router = APIRouter(include_in_schema=False)
LIST = "/owner/returns"


class _Lists(NamedTuple):
    open: Sequence[ReturnRequest]
    to_refund: Sequence[ReturnRequest]
    decided: Sequence[ReturnRequest]


@router.get(LIST)
async def returns_page(
    request: Request, parts: PartsOf, who: SignedInOf, problem: str = "", next: str = LIST
) -> Response:
    def read(session: Session) -> _Lists:
        return _Lists(returns.open_requests(session), returns.to_refund(session), returns.decided(session))

    found = await parts.store.read(read)
    return pages.page(
        request, parts, "returns.html", who, lists=found, problem=problem, next=pages.safe_path(next, LIST)
    )


@router.post("/owner/returns/{number}")
async def decide(parts: PartsOf, who: SignedInOf, form: FormOf, number: Id) -> Response:
    """Approves, declines, or notes that the money is paid back."""
    back = pages.safe_path(form.get("next"), LIST)
    do, note = form.get("do"), form.get("note", "")
    if do not in ("approve", "decline", "refunded"):
        raise Refused(422, "invalid", "A return is approved, declined or refunded.")

    def work(session: Session) -> Decided:
        def telling(request: ReturnRequest, language: str) -> str:
            return told(parts.wording, request, language)

        if do == "refunded":
            return returns.note_refund(session, number, telling=telling, now=now())
        return returns.decide(
            session, number, approve=do == "approve", by=who.member.name, note=note, telling=telling, now=now()
        )

    try:
        decided = await parts.store.write(work)
    except ReturnNotFound:
        raise Refused(404, "not_found", "There is no such return.") from None
    except ReturnDecided:
        return pages.go(f"{LIST}?problem=decided")
    _show(parts, decided)
    return pages.go(back)


def told(wording: Wording, request: ReturnRequest, language: str) -> str:
    """What the customer reads about a decision."""
    lines = [wording.say(f"return_{request.status}", language, order=request.order.number)]
    if request.decision_note and request.status is not ReturnStatus.REFUNDED:
        lines.append(wording.say("return_note", language, note=request.decision_note))
    return "\n".join(lines)


def _show(parts: Parts, decided: Decided) -> None:
    if decided.public_id is not None:
        parts.owner_side.tell(decided.public_id, decided.message, owner=False)
