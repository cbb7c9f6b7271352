"""``desk follow-ups``: drafts what the rules call for, and sends what the owner has approved."""

import crm
from crm import follow_ups
from crm.shop import load_shop
from crm.types import now
from desk.console import tell
from desk.store import open_store


def follow_up() -> int:
    settings = open_store()
    shop = load_shop(settings.shop_file)
    with crm.session() as session:
        drafted = follow_ups.draft_due(
            session, shop, base_url=settings.base_url, secret=settings.require("secret_key"), now=now()
        )
    with crm.session() as session:
        sent = follow_ups.send_due(session, shop, now=now())
    tell("desk", f"follow-ups: {len(drafted)} drafted or withheld, {len(sent)} sent")
    return 0
