"""When the owner will answer, as honestly as the store allows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm import opening, preferences
from crm.models import Author, Handoff, Message
from crm.preferences import Preferences
from crm.shop import Shop

LOOKS_BACK = timedelta(days=30)
LEAST_ANSWERS = 5


@dataclass(frozen=True)
class Waiting:
    """``back_at`` is when somebody is there again (UTC), None if now; ``usual_minutes`` the median wait of the last
    30 days while the shop was open, None below five answers."""

    back_at: datetime | None
    usual_minutes: int | None


def waiting(session: Session, shop: Shop, *, now: datetime) -> Waiting:
    wanted = preferences.load(session)
    start = wanted.away_until if wanted.is_away(now) and wanted.away_until is not None else now
    hours = opening.hours_of(shop)
    back = hours.opens_at(start, shop.zone) if hours is not None else start
    return Waiting(back_at=back if back > now else None, usual_minutes=usual_minutes(session, shop, now=now))


def usual_minutes(session: Session, shop: Shop, *, now: datetime) -> int | None:
    """Median minutes from a handoff to the owner's first words."""
    first = (
        select(func.min(Message.created_at))
        .where(
            Message.conversation_id == Handoff.conversation_id,
            Message.author == Author.OWNER,
            Message.created_at >= Handoff.opened_at,
        )
        .correlate(Handoff)
        .scalar_subquery()
    )
    hours = opening.hours_of(shop)
    waits = [
        (answered - opened).total_seconds() / 60
        for opened, answered in session.execute(
            select(Handoff.opened_at, first).where(Handoff.opened_at >= now - LOOKS_BACK, Handoff.taken_at.is_not(None))
        )
        if answered is not None and (hours is None or hours.is_open(opened, shop.zone))
    ]
    return max(1, round(median(waits))) if len(waits) >= LEAST_ANSWERS else None


def notice_not_before(wanted: Preferences, shop: Shop, *, now: datetime, urgent: bool) -> datetime | None:
    """None if the owner may be disturbed now, else when: the end of her quiet hours or of her absence."""
    if urgent and wanted.wake_when_angry:
        return None
    start = wanted.away_until if wanted.is_away(now) and wanted.away_until is not None else now
    if wanted.quiet_from is None or wanted.quiet_until is None or wanted.quiet_from == wanted.quiet_until:
        return start if start > now else None
    local = start.astimezone(shop.zone)
    after, before = local.time() >= wanted.quiet_from, local.time() < wanted.quiet_until
    overnight = wanted.quiet_from > wanted.quiet_until
    if not ((after or before) if overnight else (after and before)):
        return start if start > now else None
    day = local.date() + timedelta(days=1 if overnight and after else 0)
    return datetime.combine(day, wanted.quiet_until, tzinfo=shop.zone).astimezone(UTC)
