"""What the owner sets, who helps her, her phone, and how the desk is doing."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import owners, preferences, staff
from crm.models import Channel, Delivery, Message, OwnerNotice
from crm.preferences import Preferences
from crm.staff import NameTaken
from crm.types import now
from gateway.console import commands, pages
from gateway.console.access import FormOf, Id, OwnerOf, SignedIn, SignedInOf
from gateway.errors import Refused
from gateway.parts import Parts
from gateway.web import PartsOf

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)


async def _shown(
    request: Request, parts: Parts, who: SignedIn, *, code: str | None = None, saved: bool = False, problem: str = ""
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        return {
            "wanted": preferences.load(session),
            "helpers": staff.helpers(session),
            "chats": owners.telegram_chats(session),
            "unanswered": session.scalar(
                select(func.count()).select_from(Message).where(Message.turn.is_(None), Message.author == "customer")
            ),
            "undelivered": session.scalar(
                select(func.count()).select_from(Message).where(Message.delivery == Delivery.PENDING)
            ),
            "notices": session.scalar(
                select(func.count()).select_from(OwnerNotice).where(OwnerNotice.delivery == Delivery.PENDING)
            ),
        }

    found = await parts.store.read(read)
    away = found["wanted"].away_until
    return pages.page(
        request,
        parts,
        "settings.html",
        who,
        code=code,
        saved=saved,
        problem=problem,
        health=await parts.readiness.parts_ready(),
        telegram=parts.settings.telegram_token is not None,
        away=away.astimezone(parts.shop.zone).strftime("%Y-%m-%dT%H:%M") if away is not None and away > now() else "",
        **found,
    )


@router.get("/owner/settings")
async def settings_page(request: Request, parts: PartsOf, who: SignedInOf, saved: int = 0) -> Response:
    return await _shown(request, parts, who, saved=bool(saved))


@router.get("/owner/more")
async def more_page(request: Request, parts: PartsOf, who: SignedInOf) -> Response:
    """What has no place in the phone's tab bar."""
    return pages.page(request, parts, "more.html", who)


def _clock(text: str) -> time | None:
    return time.fromisoformat(text) if text else None


def _preferences(parts: Parts, form: Mapping[str, str]) -> Preferences:
    """Raises Refused."""
    try:
        away = form.get("away_until", "")
        return Preferences(
            language=form.get("language") or None,
            return_after_minutes=int(form.get("return_after_minutes", "30")),
            quiet_from=_clock(form.get("quiet_from", "")),
            quiet_until=_clock(form.get("quiet_until", "")),
            wake_when_angry="wake_when_angry" in form,
            away_until=datetime.fromisoformat(away).replace(tzinfo=parts.shop.zone) if away else None,
            ask_satisfaction="ask_satisfaction" in form,
        )
    except (ValueError, ValidationError):
        raise Refused(422, "invalid", "One of the settings cannot be read.") from None


@router.post("/owner/settings")
async def save(parts: PartsOf, _who: OwnerOf, form: FormOf) -> Response:
    wanted = _preferences(parts, form)
    await parts.store.write(lambda session: preferences.save(session, wanted, now=now()))
    return pages.go("/owner/settings?saved=1")


@router.post("/owner/settings/pair")
async def pair(request: Request, parts: PartsOf, who: OwnerOf, _form: FormOf) -> Response:
    """Shows a code that makes a Telegram chat the owner's."""
    code = await parts.store.write(lambda session: owners.new_code(session, now=now()))
    return await _shown(request, parts, who, code=code)


@router.post("/owner/settings/unpair")
async def unpair(parts: PartsOf, _who: OwnerOf, form: FormOf) -> Response:
    chat = form.get("chat", "")
    await parts.store.write(lambda session: owners.unpair(session, channel=Channel.TELEGRAM, external_id=chat))
    return pages.go("/owner/settings?saved=1")


@router.post("/owner/settings/helpers")
async def add_helper(request: Request, parts: PartsOf, who: OwnerOf, form: FormOf) -> Response:
    name, password = form.get("name", "").strip().lower()[:60], form.get("password", "")[:200]
    if not name or len(password) < staff.SHORTEST_PASSWORD:
        return await _shown(request, parts, who, problem="password_short")
    password_hash = await asyncio.to_thread(staff.hash_password, password)
    try:
        await parts.store.write(lambda session: staff.add_helper(session, name, password_hash=password_hash, now=now()))
    except NameTaken:
        return await _shown(request, parts, who, problem="name_taken")
    return pages.go("/owner/settings?saved=1")


@router.post("/owner/settings/helpers/{number}/remove")
async def remove_helper(parts: PartsOf, _who: OwnerOf, _form: FormOf, number: Id) -> Response:
    await parts.store.write(lambda session: staff.remove_helper(session, number, now=now()))
    return pages.go("/owner/settings?saved=1")


@router.post("/owner/settings/doctor")
async def doctor(request: Request, parts: PartsOf, who: OwnerOf, _form: FormOf) -> Response:
    """Runs ``desk doctor``, which looks at every part of the installation."""
    _, output = await commands.desk("doctor")
    findings = [line.split(None, 1) for line in output.splitlines() if line.strip()]
    return pages.page(request, parts, "doctor.html", who, findings=[pair for pair in findings if len(pair) == 2])
