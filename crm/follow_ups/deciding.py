"""What becomes of a draft: approved, dismissed, sent, stopped, or out of date."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crm import conversations
from crm.errors import CrmError
from crm.follow_ups.drafting import OPEN
from crm.follow_ups.hours import allowed_from
from crm.follow_ups.rule_settings import settings
from crm.follow_ups.rules import RULES
from crm.models import Author, Conversation, Customer, FollowUp, FollowUpStatus, Identity
from crm.shop import Shop


class FollowUpDecided(CrmError):
    """It was sent, dismissed, stopped or ran out meanwhile."""

    def __init__(self, status: FollowUpStatus) -> None:
        self.status = status
        super().__init__(f"This follow-up is already {status}.")


class CannotReach(CrmError):
    """There is no chat to write into, or the customer did not agree to be written to."""


def approve(session: Session, follow_up_id: int, *, now: datetime, text: str | None = None) -> FollowUp:
    """The owner wants it sent, perhaps in other words. Raises FollowUpDecided, CannotReach."""
    follow_up = _undecided(session, follow_up_id, FollowUpStatus.DRAFTED)
    if follow_up.conversation_id is None:
        raise CannotReach("There is no chat with this customer; write to them by e-mail.")
    follow_up.status, follow_up.decided_at = FollowUpStatus.APPROVED, now
    follow_up.text = (text or "").strip() or follow_up.text
    session.flush()
    return follow_up


def dismiss(session: Session, follow_up_id: int, *, now: datetime) -> FollowUp:
    """The owner does not want it sent. Raises FollowUpDecided."""
    follow_up = _undecided(session, follow_up_id, *OPEN)
    follow_up.status, follow_up.decided_at = FollowUpStatus.DISMISSED, now
    session.flush()
    return follow_up


def _undecided(session: Session, follow_up_id: int, *wanted: FollowUpStatus) -> FollowUp:
    follow_up = session.get(FollowUp, follow_up_id, with_for_update=True)
    if follow_up is None or follow_up.status not in wanted:
        raise FollowUpDecided(follow_up.status if follow_up else FollowUpStatus.EXPIRED)
    return follow_up


def waiting(session: Session, *, limit: int = 50) -> Sequence[FollowUp]:
    """Drafts that wait for the owner's decision, newest first."""
    return session.scalars(
        select(FollowUp).where(FollowUp.status == FollowUpStatus.DRAFTED).order_by(FollowUp.id.desc()).limit(limit)
    ).all()


def send_due(session: Session, shop: Shop, *, now: datetime) -> list[FollowUp]:
    """Puts what is approved, or what an automatic rule drafted, into its conversation; never in quiet hours.

    Who said stop meanwhile, or was erased, gets nothing. Drafts that nobody decided on run out.
    """
    _expire(session, now)
    if allowed_from(now, shop) > now:
        return []
    automatic = [setting.kind for setting in settings(session) if setting.enabled and setting.automatic]
    due = session.scalars(
        select(FollowUp)
        .where(
            FollowUp.due_at <= now,
            FollowUp.conversation_id.is_not(None),
            or_(
                FollowUp.status == FollowUpStatus.APPROVED,
                (FollowUp.status == FollowUpStatus.DRAFTED) & FollowUp.kind.in_(automatic),
            ),
        )
        .order_by(FollowUp.id)
        .with_for_update(skip_locked=True)
    ).all()
    return [follow_up for follow_up in due if _send(session, follow_up, now)]


def _send(session: Session, follow_up: FollowUp, now: datetime) -> bool:
    conversation = session.get_one(Conversation, follow_up.conversation_id)
    identity = session.get_one(Identity, conversation.identity_id)
    customer = session.get(Customer, identity.customer_id) if identity.customer_id is not None else None
    rule = RULES[follow_up.kind]
    stopped = rule.marketing and not (identity.wants_marketing and (customer is None or customer.accepts_marketing))
    if stopped or (customer is not None and customer.erased_at is not None):
        follow_up.status, follow_up.decided_at = FollowUpStatus.STOPPED, now
        return False
    reply = conversations.Reply(follow_up.text, language=follow_up.language)
    message = conversations.add_message(session, conversation, reply, author=Author.BOT, now=now)
    follow_up.status, follow_up.sent_at, follow_up.message_id = FollowUpStatus.SENT, now, message.id
    session.flush()
    return True


def _expire(session: Session, now: datetime) -> None:
    for old in session.scalars(
        select(FollowUp).where(FollowUp.status.in_(OPEN), FollowUp.expires_at <= now).with_for_update()
    ):
        old.status, old.decided_at = FollowUpStatus.EXPIRED, now
