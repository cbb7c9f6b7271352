"""Customers worth a message now: why they may be leaving, what is at stake, and the words to send."""

from sqlalchemy import select

from analytics.digest.page import Context, Entry, Section
from analytics.digest.sections.follow_ups import customer_name, entry_for
from crm import scores
from crm.models import FollowUp, FollowUpKind, FollowUpStatus

SHOWN = 5
HORIZON_DAYS = 90


def section(context: Context) -> Section | None:
    drafts = context.session.scalars(
        select(FollowUp)
        .where(FollowUp.kind == FollowUpKind.AT_RISK, FollowUp.status == FollowUpStatus.DRAFTED)
        .order_by(FollowUp.id)
        .limit(SHOWN)
    ).all()
    if not drafts:
        return None
    words = context.words
    return Section(
        key="at_risk",
        title=words.say("sections.at_risk.title"),
        lead=words.say("sections.at_risk.lead", n=len(drafts)),
        entries=tuple(_entry(context, draft) for draft in drafts),
    )


def _entry(context: Context, draft: FollowUp) -> Entry:
    words = context.words
    why = words.say("lists.comma").join(
        scores.reason_text(reason, words.language) for reason in draft.data.get("reasons", [])
    )
    detail = words.say(
        "sections.at_risk.detail",
        risk=words.percent(float(draft.data.get("risk", 0.0))),
        days=HORIZON_DAYS,
        value=words.money(float(draft.data.get("value_minor", 0))),
        reasons=why,
    )
    if draft.conversation_id is None:
        detail = f"{detail} · {words.say('sections.at_risk.no_chat')}"
    return entry_for(context, draft, customer_name(context, draft.customer_id), detail)
