"""What follow-ups brought in, rule by rule, against the customers they were withheld from."""

from analytics.digest.page import Action, Context, Entry, Section
from crm import follow_ups
from crm.effects import Effect, Verdict


def section(context: Context) -> Section | None:
    measured = [
        (setting.kind, found)
        for setting in follow_ups.settings(context.session)
        if (found := follow_ups.effect(context.session, setting.kind, now=context.week.ends_at)).control
    ]
    if not measured:
        return None
    words = context.words
    entries = tuple(
        Entry(title=_row(context, kind, found), detail=verdict(context, "sections.effects", found))
        for kind, found in measured
    )
    return Section(
        key="effects",
        title=words.say("sections.effects.title"),
        lead=words.say("sections.effects.lead"),
        entries=entries,
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


def verdict(context: Context, prefix: str, found: Effect) -> str:
    """What may be said about the difference, with its interval in percentage points."""
    words = context.words
    bounds = (found.low, found.high) if found.verdict is not Verdict.FEWER else (-found.high, -found.low)
    return words.say(
        f"{prefix}.{found.verdict}",
        treated=found.treated,
        control=found.control,
        difference=words.percent(abs(found.difference)),
        low=words.percent(bounds[0]),
        high=words.percent(bounds[1]),
    )
