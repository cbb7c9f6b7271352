"""What to expect of the next 30 days, and which products run out."""

from analytics.digest import pictures
from analytics.digest.page import Context, Entry, Section
from crm import money, scores
from crm.follow_ups.drafting import product_title
from crm.models import ModelName, Product

SHOWN = 5


def section(context: Context) -> Section | None:
    analysis = scores.latest(context.session, until=context.now)
    if analysis is None:
        return None
    days = scores.forecast(context.session, analysis)
    out = scores.stock_outs(context.session, analysis, limit=SHOWN)
    if not days and not out:
        return None
    words = context.words
    scale = 10 ** money.digits(context.shop.currency)
    total = sum(day.amount_minor for day in days)
    lead = ""
    if days:
        context.pictures["forecast"] = pictures.daily_band(
            [day.day for day in days],
            [day.amount_minor / scale for day in days],
            [day.low_minor / scale for day in days],
            [day.high_minor / scale for day in days],
        )
        # Days do not all miss to the same side: the total's band is narrower than the sum of the days' bands.
        spread = sum((day.high_minor - day.low_minor) ** 2 for day in days) ** 0.5 + 0.15 * total
        lead = words.say(
            "sections.forecast.lead",
            amount=words.money(total),
            low=words.money(max(0.0, total - spread / 2)),
            high=words.money(total + spread / 2),
        )
    unsure = any(
        run.model is ModelName.FORECAST and run.champion and run.fallback
        for run in scores.model_runs(context.session, analysis)
    )
    entries = []
    for one in out:
        product = context.session.get_one(Product, one.product_id)
        title = product_title(product, words.language)
        rate = words.number(one.sold_per_week, 1)
        entries.append(
            Entry(
                words.say("sections.forecast.stock_out", product=title, day=words.day(one.expected_on)),
                words.say("sections.forecast.stock_detail", stock=one.stock, rate=rate),
            )
        )
    return Section(
        key="forecast",
        title=words.say("sections.forecast.title"),
        lead=f"{lead} {words.say('sections.forecast.unsure')}".strip() if unsure else lead,
        entries=tuple(entries),
        picture="forecast" if days else None,
        caption=words.say("sections.forecast.caption") if days else "",
    )
