"""How customers' messages sounded, beside last week."""

from datetime import datetime

from sqlalchemy import func, select

from analytics.digest.page import Context, Section
from crm.models import Message, MessageSentiment

FEWEST = 10


def section(context: Context) -> Section | None:
    now = _counts(context, context.week.starts_at, context.week.ends_at)
    number = sum(now.values())
    if number < FEWEST:
        return None
    earlier = context.week.before(1)
    before = _counts(context, earlier.starts_at, earlier.ends_at)
    words, key = context.words, "lead" if sum(before.values()) >= FEWEST else "lead_first"
    lead = words.say(
        f"sections.mood.{key}",
        n=number,
        negative=words.percent(now.get("negative", 0) / number),
        positive=words.percent(now.get("positive", 0) / number),
        before=words.percent(before.get("negative", 0) / max(1, sum(before.values()))),
    )
    return Section(key="mood", title=words.say("sections.mood.title"), lead=lead)


def _counts(context: Context, since: datetime, until: datetime) -> dict[str, int]:
    rows = context.session.execute(
        select(MessageSentiment.label, func.count())
        .join(Message, Message.id == MessageSentiment.message_id)
        .where(Message.created_at >= since, Message.created_at < until)
        .group_by(MessageSentiment.label)
    )
    return {label: number for label, number in rows}  # noqa: C416 - rows are no pairs to the type checker
