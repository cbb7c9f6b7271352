"""``desk digest``: builds, previews and sends the week's digest."""

from datetime import datetime, timedelta
from pathlib import Path

import crm
from analytics.digest import building, delivery
from crm.models import DigestDeliveryState
from crm.settings import Settings
from crm.shop import Shop, load_shop
from crm.types import now
from crm.weeks import Week
from desk.console import tell
from desk.store import open_store

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DONE, NOT_SENT = 0, 1
# An owner who switches the desk on after a long pause gets no digest of a week long gone.
OVERDUE_AT_MOST = timedelta(days=6)


def digest(*, week: str | None, preview: Path | None, send: bool, due: bool) -> int:
    """The exit status. Raises ConfigError for a week that does not exist or a digest with nowhere to go."""
    folder = preview.absolute() if preview is not None else None
    settings = open_store()
    shop = load_shop(settings.shop_file)
    chosen = Week.parse(week, shop.zone) if week else Week.last_closed(now(), shop.zone)
    if folder is not None:
        _preview(settings, shop, chosen, folder)
    if due:
        return _send_if_due(settings, shop)
    if folder is None or send:
        return _build(settings, shop, chosen, send=send)
    return DONE


def _preview(settings: Settings, shop: Shop, week: Week, folder: Path) -> None:
    with crm.reading() as session:
        files = building.preview(session, shop, week, folder, base_url=settings.base_url, now=now())
    tell("digest", f"{week.label}: {', '.join(file.name for file in files)} written to {folder}")


def _build(settings: Settings, shop: Shop, week: Week, *, send: bool) -> int:
    with crm.session() as session:
        stored = building.store(
            session, shop, week, base_url=settings.base_url, secret=settings.require("secret_key"), now=now()
        )
        digest_id, subject = stored.id, stored.subject
    tell("digest", f"{week.label}: {subject}")
    tell("digest", f"kept in the archive: {settings.base_url}/owner/digests/{week.label}")
    return _deliver(digest_id, settings, shop) if send else DONE


def _deliver(digest_id: int, settings: Settings, shop: Shop) -> int:
    outcomes = delivery.deliver(digest_id, settings, shop, clock=now)
    for outcome in outcomes:
        tell("digest", f"{outcome.channel}: {outcome.state}{f' ({outcome.error})' if outcome.error else ''}")
    sent = all(outcome.state is DigestDeliveryState.SENT for outcome in outcomes)
    return DONE if sent else NOT_SENT


def _send_if_due(settings: Settings, shop: Shop) -> int:
    """Sends the last closed week's digest once its day and hour have come; later calls find it sent."""
    moment = now()
    week = Week.last_closed(moment, shop.zone)
    due_at = due_since(shop, week)
    if not due_at <= moment < due_at + OVERDUE_AT_MOST:
        return DONE
    with crm.reading() as session:
        if not delivery.channels(settings, session):
            return DONE
    return _build(settings, shop, week, send=True)


def due_since(shop: Shop, week: Week) -> datetime:
    """When the digest of ``week`` is to go out: the shop's digest day and hour in the week after it."""
    return week.before(-1).at(WEEKDAYS.index(shop.digest.weekday), shop.digest.hour)
