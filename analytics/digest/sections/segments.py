"""How many customers are in each group, and who moved."""

from analytics.digest import pictures
from analytics.digest.page import Context, Entry, Section
from crm import scores
from crm.models import Segment

SHOWN = 4
COLOURS = {
    Segment.HIGH_VALUE: "#2f8f6b",
    Segment.LOYAL: "#67b394",
    Segment.PRICE_SENSITIVE: "#d9b44a",
    Segment.NEW: "#5b8fc7",
    Segment.AT_RISK: "#cf7a4b",
}


def section(context: Context) -> Section | None:
    analysis = scores.latest(context.session, until=context.now)
    sizes = scores.segment_sizes(context.session, analysis) if analysis is not None else {}
    if analysis is None or not sizes:
        return None
    words = context.words

    def name(segment: Segment) -> str:
        return words.say(f"sections.segments.name.{segment}")

    shown = [segment for segment in COLOURS if sizes.get(segment)]
    context.pictures["segments"] = pictures.shares(
        [float(sizes[segment]) for segment in shown], [COLOURS[segment] for segment in shown]
    )
    parts = [words.say("sections.segments.part", n=words.number(sizes[one]), segment=name(one)) for one in shown]
    moved = [one for one in scores.movements(context.session, analysis) if one.before is not None][:SHOWN]
    return Section(
        key="segments",
        title=words.say("sections.segments.title"),
        lead=words.say("sections.segments.lead", parts=words.say("lists.comma").join(parts)),
        entries=tuple(
            Entry(
                words.say(
                    "sections.segments.moved",
                    n=one.customers,
                    before=name(one.before) if one.before else "",
                    after=name(one.after),
                )
            )
            for one in moved
        ),
        picture="segments",
        caption=words.say("sections.segments.caption"),
    )
