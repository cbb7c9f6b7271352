"""``desk not-understood``: the week's questions that the bot could not answer, alike ones together."""

import json
from dataclasses import asdict

import crm
from crm import not_understood
from crm.shop import load_shop
from crm.types import now
from crm.weeks import Week
from desk.console import tell
from desk.store import open_store


def show(*, week: str | None, as_json: bool) -> int:
    """Raises ConfigError for a week that does not exist. Without one: the week that is running."""
    settings = open_store()
    zone = load_shop(settings.shop_file).zone
    chosen = Week.parse(week, zone) if week else Week.containing(now(), zone)
    with crm.reading() as session:
        groups = not_understood.groups(session, since=chosen.starts_at, until=chosen.ends_at)
    if as_json:
        print(json.dumps([asdict(group) for group in groups], ensure_ascii=False, indent=2))
        return 0
    tell("desk", f"{chosen.label}: {sum(group.count for group in groups)} messages not understood")
    for group in groups:
        near = f"  (closest article: {group.nearest_article})" if group.nearest_article else ""
        print(f"{group.count:4} × {group.text}{near}")
        for other in group.texts[1:4]:
            print(f"       {other}")
    return 0
