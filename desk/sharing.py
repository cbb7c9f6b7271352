"""``desk report sharing``: the week's figures for others, as JSON on stdout."""

import json

import crm
from analytics.sharing import YEAR, sharing_report
from crm.shop import load_shop
from crm.types import now
from crm.weekly_people import spent
from crm.weeks import Week
from desk.store import open_store


def report_sharing(*, week: str | None, epsilon: float) -> int:
    """Raises CrmError when the privacy budget is used up."""
    settings = open_store()
    shop = load_shop(settings.shop_file)
    moment = now()
    wanted = Week.parse(week, shop.zone) if week else Week.last_closed(moment, shop.zone)
    budget = shop.privacy.sharing_epsilon_per_year
    with crm.session() as session:
        report = sharing_report(session, wanted, epsilon=epsilon, budget=budget, now=moment)
        left = max(0.0, budget - spent(session, moment - YEAR))
        print(
            json.dumps(
                {
                    "week": report.week,
                    "epsilon": report.epsilon,
                    "people": report.figures,
                    "epsilon_left_this_year": round(left, 4),
                },
                indent=2,
            )
        )
    return 0
