"""Drafted messages that wait for the owner's yes, each with its buttons."""

from analytics.digest.page import Action, Context, Entry, Section
from crm import follow_ups
from crm.models import Customer, FollowUp, FollowUpKind, OwnerLinkKind

SHOWN = 5


def section(context: Context) -> Section | None:
    drafts = [draft for draft in follow_ups.waiting(context.session) if draft.kind is not FollowUpKind.AT_RISK]
    if not drafts:
        return None
    words = context.words
    shown = tuple(entry_for(context, draft, _title(context, draft)) for draft in drafts[:SHOWN])
    rest = len(drafts) - SHOWN
    more = Action(words.say("sections.follow_ups.and_more", n=rest), context.links.console("follow-ups"))
    return Section(
        key="follow_ups",
        title=words.say("sections.follow_ups.title"),
        lead=words.say("sections.follow_ups.lead", n=len(drafts)),
        entries=shown,
        actions=(more,) if rest > 0 else (),
    )


def entry_for(context: Context, draft: FollowUp, title: str, detail: str = "") -> Entry:
    """The draft with the buttons that decide on it."""
    say, links = context.words.say, context.links
    edit = Action(say("action.edit"), links.once(OwnerLinkKind.SEND_FOLLOW_UP, draft.id), primary=True)
    dismiss = Action(say("action.dismiss"), links.once(OwnerLinkKind.DISMISS_FOLLOW_UP, draft.id))
    return Entry(title=title, detail=detail, quote=draft.text, actions=(edit, dismiss))


def customer_name(context: Context, customer_id: int | None) -> str:
    customer = context.session.get(Customer, customer_id) if customer_id is not None else None
    return (customer.name if customer else None) or context.words.say("sections.follow_ups.somebody")


def _title(context: Context, draft: FollowUp) -> str:
    say = context.words.say
    to = say("sections.follow_ups.to", name=customer_name(context, draft.customer_id))
    return f"{say(f'sections.follow_ups.kind.{draft.kind}')} · {to}"
