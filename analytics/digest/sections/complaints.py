"""Complaints of the week that are still open, in the customers' own words."""

from sqlalchemy import func, select

from analytics.digest.page import Action, Context, Entry, Section
from crm.models import ComplaintTopic, Conversation, Order, OwnerLinkKind, Ticket, TicketKind, TicketStatus

SHOWN = 3
MOST_TOPICS = 3
LONGEST_QUOTE = 160


def section(context: Context) -> Section | None:
    in_week = (
        Ticket.kind == TicketKind.COMPLAINT,
        Ticket.opened_at >= context.week.starts_at,
        Ticket.opened_at < context.week.ends_at,
    )
    number = context.session.scalar(select(func.count()).where(*in_week)) or 0
    opened = context.session.scalars(
        select(Ticket)
        .where(
            Ticket.kind == TicketKind.COMPLAINT,
            Ticket.status == TicketStatus.OPEN,
            Ticket.opened_at < context.week.ends_at,
        )
        .order_by(Ticket.opened_at)
        .limit(SHOWN)
    ).all()
    if not number and not opened:
        return None
    words = context.words
    lead = words.say("sections.complaints.lead", n=number, topics=_topics(context))
    return Section(
        key="complaints",
        title=words.say("sections.complaints.title"),
        lead=lead if opened else f"{lead} {words.say('sections.complaints.none_left')}",
        entries=tuple(_entry(context, ticket) for ticket in opened),
    )


def _topics(context: Context) -> str:
    """What unhappy messages of the week were mostly about; empty where nothing stands out."""
    mentioned = func.sum(ComplaintTopic.messages)
    found = context.session.scalars(
        select(ComplaintTopic.topic)
        .where(ComplaintTopic.week == context.week.monday)
        .group_by(ComplaintTopic.topic)
        .order_by(mentioned.desc(), ComplaintTopic.topic)
    ).all()
    words = context.words
    known = [name for name in found if words.has(f"sections.complaints.topic.{name}")][:MOST_TOPICS]
    names = words.say("lists.comma").join(words.say(f"sections.complaints.topic.{name}") for name in known)
    return words.say("sections.complaints.topics", topics=names) if known else ""


def _entry(context: Context, ticket: Ticket) -> Entry:
    words, session = context.words, context.session
    waited = (context.now - ticket.opened_at).total_seconds() / 60
    parts = [words.say("sections.complaints.open_since", time=words.duration(waited))]
    order = session.get(Order, ticket.order_id) if ticket.order_id is not None else None
    if order is not None:
        parts.insert(0, words.say("sections.complaints.order", number=f"#{order.number}"))
    actions = [Action(words.say("action.done"), context.links.once(OwnerLinkKind.CLOSE_TICKET, ticket.id))]
    if ticket.conversation_id is not None:
        conversation = session.get_one(Conversation, ticket.conversation_id)
        see = Action(words.say("action.conversation"), context.links.console(f"conversations/{conversation.public_id}"))
        actions.insert(0, see)
    return Entry(title=shortened(ticket.text), detail=" · ".join(parts), actions=tuple(actions))


def shortened(text: str, limit: int = LONGEST_QUOTE) -> str:
    """One line, cut at a word where it is too long."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    return f"{cut.rpartition(' ')[0] or cut}…" if " " in cut[limit // 2 :] else f"{cut}…"
