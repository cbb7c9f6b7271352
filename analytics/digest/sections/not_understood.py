"""What the bot could not answer this week, alike questions together, each answerable by a link."""

from analytics.digest.page import Action, Context, Entry, Section
from crm import not_understood
from crm.models import OwnerLinkKind

SHOWN = 5


def section(context: Context) -> Section | None:
    groups = not_understood.groups(context.session, since=context.week.starts_at, until=context.week.ends_at)
    if not groups:
        return None
    words = context.words
    return Section(
        key="not_understood",
        title=words.say("sections.not_understood.title"),
        lead=words.say("sections.not_understood.lead", n=sum(group.count for group in groups)),
        entries=tuple(_entry(context, group) for group in groups[:SHOWN]),
        actions=(Action(words.say("action.open"), context.links.console("questions")),),
    )


def _entry(context: Context, group: not_understood.Group) -> Entry:
    words = context.words
    parts = [words.say("sections.not_understood.times", n=group.count)]
    if group.nearest_article:
        parts.append(words.say("sections.not_understood.likeliest", title=group.nearest_article))
    link = context.links.once(
        OwnerLinkKind.ADD_ARTICLE, data={"questions": list(group.texts), "language": group.language}
    )
    return Entry(
        title=group.text,
        detail=" · ".join(parts),
        quote="\n".join(group.texts[1:4]),
        actions=(Action(words.say("action.answer"), link, primary=True),),
    )
