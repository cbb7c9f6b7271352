"""What follow-ups and recommendations brought in, against the customers who went without."""

from analytics.digest.page import Action, Context, Entry, Section
from crm import follow_ups
from crm.effects import Effect, MeanEffect, Verdict
from crm.recommendation_effect import RecommendationEffect, recommendation_effect


def section(context: Context) -> Section | None:
    measured = [
        (setting.kind, found)
        for setting in follow_ups.settings(context.session)
        if (found := follow_ups.effect(context.session, setting.kind, now=context.week.ends_at)).control
    ]
    advice = recommendation_effect(context.session, context.shop.currency, now=context.week.ends_at)
    if not measured and not advice.begun:
        return None
    words = context.words
    entries = [Entry(title=_row(context, kind, found), detail=_verdict(context, found)) for kind, found in measured]
    if advice.begun:
        entries.append(_recommendations(context, advice))
    return Section(
        key="effects",
        title=words.say("sections.effects.title"),
        lead=words.say("sections.effects.lead"),
        entries=tuple(entries),
        actions=(Action(words.say("action.rules"), context.links.console("follow-ups")),),
    )


def _row(context: Context, kind: str, found: Effect) -> str:
    words = context.words
    return words.say(
        "sections.effects.row",
        rule=words.say(f"sections.follow_ups.kind.{kind}"),
        treated=words.percent(found.treated_yes / found.treated) if found.treated else "–",
        control=words.percent(found.control_yes / found.control) if found.control else "–",
    )


def _recommendations(context: Context, found: RecommendationEffect) -> Entry:
    words, buyers = context.words, found.buyers
    title = words.say(
        "sections.effects.recommendations",
        treated=words.percent(buyers.treated_yes / buyers.treated) if buyers.treated else "–",
        control=words.percent(buyers.control_yes / buyers.control) if buyers.control else "–",
    )
    detail = _verdict(context, buyers)
    if buyers.verdict is not Verdict.TOO_FEW:
        detail += words.say("sections.effects.and") + _money(context, found.money_minor)
    return Entry(title=title, detail=detail)


def _money(context: Context, found: MeanEffect) -> str:
    words = context.words
    return words.say(
        "sections.effects.money",
        difference=words.money(found.difference),
        low=words.money(found.low),
        high=words.money(found.high),
    )


def _verdict(context: Context, found: Effect) -> str:
    """What may be said about the difference, with its interval in percentage points."""
    words = context.words
    bounds = (found.low, found.high) if found.verdict is not Verdict.FEWER else (-found.high, -found.low)
    return words.say(
        f"sections.effects.{found.verdict}",
        treated=found.treated,
        control=found.control,
        difference=words.percent(abs(found.difference)),
        low=words.percent(bounds[0]),
        high=words.percent(bounds[1]),
    )
