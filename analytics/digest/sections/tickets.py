"""What else customers asked the owner for, by kind."""

from sqlalchemy import func, select

from analytics.digest.page import Action, Context, Entry, Section
from crm.models import Ticket, TicketKind, TicketStatus


def section(context: Context) -> Section | None:
    rows = context.session.execute(
        select(Ticket.kind, func.count(), func.min(Ticket.opened_at))
        .where(
            Ticket.status == TicketStatus.OPEN,
            Ticket.kind != TicketKind.COMPLAINT,
            Ticket.opened_at < context.week.ends_at,
        )
        .group_by(Ticket.kind)
        .order_by(func.min(Ticket.opened_at))
    ).all()
    if not rows:
        return None
    words = context.words
    entries = tuple(
        Entry(
            title=words.say(f"sections.tickets.kind.{kind}"),
            detail=words.say(
                "sections.tickets.waiting",
                n=number,
                time=words.duration((context.now - oldest).total_seconds() / 60),
            ),
        )
        for kind, number, oldest in rows
    )
    return Section(
        key="tickets",
        title=words.say("sections.tickets.title"),
        lead=words.say("sections.tickets.lead"),
        entries=entries,
        actions=(Action(words.say("action.open"), context.links.console("")),),
    )
