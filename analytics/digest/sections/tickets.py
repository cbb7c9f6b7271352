"""What else customers asked the owner for, by kind; returns to decide on and quotes that were accepted are among it."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select

from analytics.digest.page import Action, Context, Entry, Section
from crm.models import Quote, ReturnRequest, ReturnStatus, Ticket, TicketKind, TicketStatus

# Kinds with a page of their own in the console.
PAGES = {"return": "returns", "quote": "quotes", "quote_accepted": "quotes"}


def _waiting(context: Context) -> Iterator[tuple[str, int, datetime]]:
    """Kind, how many wait, and since when the oldest does."""
    session, until = context.session, context.week.ends_at
    tickets = session.execute(
        select(Ticket.kind, func.count(), func.min(Ticket.opened_at))
        .where(Ticket.status == TicketStatus.OPEN, Ticket.kind != TicketKind.COMPLAINT, Ticket.opened_at < until)
        .group_by(Ticket.kind)
    )
    for row in tickets:
        yield row[0], row[1], row[2]
    returns = select(func.count(), func.min(ReturnRequest.requested_at)).where(
        ReturnRequest.status == ReturnStatus.REQUESTED, ReturnRequest.requested_at < until
    )
    accepted = select(func.count(), func.min(Quote.accepted_at)).where(
        Quote.accepted_at < until, Quote.seen_to_at.is_(None)
    )
    for name, counted in (("return", returns), ("quote_accepted", accepted)):
        number, oldest = session.execute(counted).one()
        if oldest is not None:
            yield name, number, oldest


def section(context: Context) -> Section | None:
    rows = sorted(_waiting(context), key=lambda row: row[2])
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
            actions=(Action(words.say("action.open"), context.links.console(PAGES[kind])),) if kind in PAGES else (),
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
