"""``desk alerts``: notices what should not wait for the digest, and tells the owner."""

import crm
from crm import alerts, migrate
from crm.settings import load_settings
from crm.shop import load_shop
from crm.types import now
from desk.console import tell
from desk.places import enter_root


def alert() -> int:
    enter_root()
    settings = load_settings()
    migrate.upgrade(crm.bind(settings.database_url))
    shop = load_shop(settings.shop_file)
    with crm.session() as session:
        made = alerts.notice(session, now=now())
        told = alerts.tell(session, shop, base_url=settings.base_url, now=now())
    tell("desk", f"alerts: {len(made)} new, {told} told")
    return 0
