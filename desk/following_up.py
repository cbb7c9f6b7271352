"""``desk follow-ups``: drafts what the rules call for, and sends what the owner has approved."""

import crm
from crm import follow_ups, migrate
from crm.settings import load_settings
from crm.shop import load_shop
from crm.types import now
from desk.console import tell
from desk.places import enter_root


def follow_up() -> int:
    enter_root()
    settings = load_settings()
    migrate.upgrade(crm.bind(settings.database_url))
    shop = load_shop(settings.shop_file)
    with crm.session() as session:
        drafted = follow_ups.draft_due(session, shop, base_url=settings.base_url, now=now())
    with crm.session() as session:
        sent = follow_ups.send_due(session, shop, now=now())
    tell("desk", f"follow-ups: {len(drafted)} drafted or withheld, {len(sent)} sent")
    return 0
