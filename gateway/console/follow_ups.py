"""Messages that the desk proposes to send, and the rules that propose them."""

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import follow_ups
from crm.follow_ups import CannotReach, FollowUpDecided
from crm.models import Customer, FollowUp, FollowUpKind
from crm.types import now
from gateway.console import pages
from gateway.console.access import FormOf, Id, OwnerOf, SignedInOf
from gateway.errors import Refused
from gateway.web import PartsOf

router = APIRouter(include_in_schema=False)


@router.get("/owner/follow-ups")
async def follow_ups_page(request: Request, parts: PartsOf, who: SignedInOf, problem: str = "") -> Response:
    moment = now()

    def read(session: Session) -> tuple[list[tuple[FollowUp, Customer | None]], list[object]]:
        drafts = [
            (draft, session.get(Customer, draft.customer_id) if draft.customer_id else None)
            for draft in follow_ups.waiting(session)
        ]
        rules = [
            (setting, follow_ups.effect(session, setting.kind, now=moment)) for setting in follow_ups.settings(session)
        ]
        return drafts, [*rules]

    drafts, rules = await parts.store.read(read)
    return pages.page(request, parts, "follow_ups.html", who, drafts=drafts, rules=rules, problem=problem)


@router.post("/owner/follow-ups/{number}")
async def decide(parts: PartsOf, _who: SignedInOf, form: FormOf, number: Id) -> Response:
    """Sends a draft, perhaps in other words, or drops it."""

    def work(session: Session) -> None:
        if form.get("do") == "send":
            follow_ups.approve(session, number, now=now(), text=form.get("text"))
        else:
            follow_ups.dismiss(session, number, now=now())

    try:
        await parts.store.write(work)
    except FollowUpDecided:
        return pages.go("/owner/follow-ups?problem=decided")
    except CannotReach:
        return pages.go("/owner/follow-ups?problem=unreachable")
    return pages.go("/owner/follow-ups")


@router.post("/owner/follow-ups/rules/{kind}")
async def set_rule(parts: PartsOf, _who: OwnerOf, form: FormOf, kind: FollowUpKind) -> Response:
    try:
        share = int(form.get("control", "0")) / 100
        await parts.store.write(
            lambda session: follow_ups.set_rule(
                session,
                kind,
                now=now(),
                enabled="enabled" in form,
                automatic="automatic" in form,
                control_share=share,
            )
        )
    except ValueError:
        raise Refused(422, "invalid", "The control group is 0 to 50 %.") from None
    return pages.go("/owner/follow-ups")
