"""When customers may be written to unasked."""

from datetime import UTC, datetime, time, timedelta

from crm.shop import Shop

QUIET_FROM, QUIET_UNTIL = time(21, 0), time(9, 0)


def allowed_from(now: datetime, shop: Shop) -> datetime:
    """``now``, or the end of the quiet hours (21:00 to 9:00 in the shop's zone) it falls into."""
    local = now.astimezone(shop.zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return now
    day = local.date() + timedelta(days=local.time() >= QUIET_FROM)
    return datetime.combine(day, QUIET_UNTIL, tzinfo=shop.zone).astimezone(UTC)
