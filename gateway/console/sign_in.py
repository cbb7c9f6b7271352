"""Signing in and out."""

import asyncio
import hmac
import logging

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import staff
from crm.models import StaffMember
from crm.staff import SignInLocked
from crm.types import now
from gateway.console import access, pages
from gateway.console.access import FormOf, SignedInOf
from gateway.parts import Parts
from gateway.web import PartsOf, address_of

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
LONGEST_PASSWORD = 200


@router.get("/owner/sign-in")
async def form(request: Request, parts: PartsOf, next: str | None = None) -> Response:
    return pages.page(request, parts, "sign_in.html", next=pages.safe_path(next), failed=False, wait=0)


@router.post("/owner/sign-in")
async def sign_in(request: Request, parts: PartsOf) -> Response:
    access.check_origin(request, parts)
    fields = await access.fields_of(request)
    name = (fields.get("name") or staff.OWNER).strip().lower()[:80]
    password = fields.get("password", "")[:LONGEST_PASSWORD]
    address = address_of(request)
    following = pages.safe_path(fields.get("next"))
    try:
        member = await _member(parts, name, password, address)
    except SignInLocked as locked:
        log.warning("sign-in is locked for a while")
        response = pages.page(
            request, parts, "sign_in.html", status=429, next=following, failed=True, wait=int(locked.retry_after) + 1
        )
        response.headers["Retry-After"] = str(int(locked.retry_after) + 1)
        return response
    if member is None:
        return pages.page(request, parts, "sign_in.html", status=401, next=following, failed=True, wait=0)
    token = await parts.store.write(lambda session: staff.open_session(session, member, address=address, now=now()))
    response = pages.go(following)
    access.set_cookie(parts, request, response, token)
    return response


async def _member(parts: Parts, name: str, password: str, address: str) -> StaffMember | None:
    """Whoever has this name and password. Raises SignInLocked."""
    moment = now()

    # Counted before the password is looked at, and forgotten if it was right: many tries at once gain nothing.
    number = await parts.store.write(lambda session: staff.note_try(session, address, now=moment))
    await parts.store.read(lambda session: staff.check_try(session, address, number, now=moment))
    if name == staff.OWNER:
        await _take_over_password(parts)
    member = await parts.store.read(lambda session: staff.by_name(session, name))
    right = await asyncio.to_thread(staff.fits, password, member.password_hash if member is not None else None)
    return member if right else None


async def _take_over_password(parts: Parts) -> None:
    """The password in DESK_OWNER_PASSWORD is the owner's: a new one there replaces the old at the next sign-in."""
    given = parts.settings.owner_password
    if given is None or not given.get_secret_value():
        log.error("nobody can sign in as the owner: DESK_OWNER_PASSWORD is not set")
        return
    password, secret = given.get_secret_value(), parts.settings.require("secret_key")
    seed = staff.seed_of(password, secret)
    known = await parts.store.read(staff.owner)
    if known is not None and hmac.compare_digest(known.seed or "", seed):
        return
    password_hash = await asyncio.to_thread(staff.hash_password, password)
    await parts.store.write(lambda session: staff.set_owner(session, password_hash=password_hash, seed=seed, now=now()))


@router.post("/owner/sign-out")
async def sign_out(parts: PartsOf, who: SignedInOf, form: FormOf) -> Response:
    def ended(session: Session) -> None:
        if form.get("everywhere"):
            staff.sign_out_everywhere(session, who.member.id)
        else:
            staff.sign_out(session, who.token)

    await parts.store.write(ended)
    response = pages.go("/owner/sign-in")
    access.forget_cookie(response)
    return response


@router.post("/owner/look")
async def look(request: Request, form: FormOf) -> Response:
    """Language and colours, kept in this browser."""
    response = pages.go(pages.safe_path(form.get("next")))
    for name, allowed in ((pages.LANGUAGE_COOKIE, pages.LANGUAGES), (pages.THEME_COOKIE, pages.THEMES)):
        value = form.get(name)
        if value in allowed:
            response.set_cookie(name, value, max_age=365 * 86_400, path="/owner", httponly=True, samesite="lax")
        elif value == "":
            response.delete_cookie(name, path="/owner")
    return response
