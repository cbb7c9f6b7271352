"""``desk alerts``: notices what should not wait for the digest, and tells the owner."""

import crm
from crm import alerts
from crm.shop import load_shop
from crm.types import now
from desk.console import tell
from desk.store import open_store


def alert() -> int:
    settings = open_store()
    shop = load_shop(settings.shop_file)
    with crm.session() as session:
        made = alerts.notice(session, now=now())
        told = alerts.tell(session, shop, base_url=settings.base_url, now=now())
    tell("desk", f"alerts: {len(made)} new, {told} told")
    return 0
