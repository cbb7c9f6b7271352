"""Links that open one thing once for whoever holds them: a person's own data, the same chat on Telegram."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm import customers, merging
from crm.errors import CrmError
from crm.models import (
    AccountLink,
    Consent,
    ConsentKind,
    Conversation,
    Identity,
    LinkPurpose,
    MergeProof,
    OneTimeLink,
)

LASTS = timedelta(hours=1)
LONGEST_TOKEN = 64  # what Telegram passes on


class LinkGone(CrmError):
    """No such link, or used before, or too old: callers cannot tell which."""

    def __init__(self) -> None:
        super().__init__("This link is not valid any more.")


def make(session: Session, conversation: Conversation, purpose: LinkPurpose, *, now: datetime) -> str:
    """A new link's token; the store keeps only its hash."""
    token = secrets.token_urlsafe(24)
    session.add(
        OneTimeLink(
            token_hash=_hash(token),
            purpose=purpose,
            conversation_id=conversation.id,
            identity_id=conversation.identity_id,
            made_at=now,
            expires_at=now + LASTS,
        )
    )
    session.flush()
    return token


def look(session: Session, token: str, purpose: LinkPurpose, *, now: datetime) -> OneTimeLink:
    """The link, without using it. Raises LinkGone."""
    found = session.scalar(
        select(OneTimeLink).where(OneTimeLink.token_hash == _hash(token), OneTimeLink.purpose == purpose)
    )
    if found is None or found.used_at is not None or found.expires_at <= now:
        raise LinkGone
    return found


def use(session: Session, token: str, purpose: LinkPurpose, *, now: datetime) -> OneTimeLink:
    """The link, which nobody can use after this. Raises LinkGone."""
    found = look(session, token, purpose, now=now)
    taken = session.execute(
        update(OneTimeLink).where(OneTimeLink.id == found.id, OneTimeLink.used_at.is_(None)).values(used_at=now)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # somebody was faster
        raise LinkGone
    return found


def continue_on(
    session: Session, token: str, account: Identity, *, wording: Callable[[str], str], now: datetime
) -> None:
    """Joins the account that followed the link with the one it was shown to.

    ``wording`` gives, by language, what they agreed to by following it.

    What was proven on one of them holds on both. Raises LinkGone.
    """
    link = use(session, token, LinkPurpose.CONTINUE_ON_TELEGRAM, now=now)
    shown_to = session.get_one(Identity, link.identity_id)
    if shown_to.id == account.id:
        raise LinkGone
    language = session.get_one(Conversation, link.conversation_id).language
    consent = Consent(
        identity_id=account.id,
        customer_id=shown_to.customer_id or account.customer_id,
        kind=ConsentKind.ACCOUNT_LINK,
        granted=True,
        wording=wording(language),
        recorded_at=now,
    )
    session.add(consent)
    session.flush()
    session.add(
        AccountLink(from_identity_id=shown_to.id, to_identity_id=account.id, consent_id=consent.id, linked_at=now)
    )
    session.flush()
    for known, other in ((shown_to, account), (account, shown_to)):
        if known.customer_id is not None and other.customer_id is None:
            customers.show_to_be(session, other, known.customer_id, now=now, proof=MergeProof.FOLLOWED_LINK)
            return
    if shown_to.customer_id is not None and account.customer_id is not None:
        one, other_id = account.customer_id, shown_to.customer_id
        if one != other_id and merging.share_a_contact(session, one, other_id):
            merging.merge(session, one, other_id, proof=MergeProof.FOLLOWED_LINK, now=now)


def part(session: Session, link_id: int, *, now: datetime) -> None:
    """Takes a link between two accounts back; what each of them proved by itself stays."""
    link = session.get_one(AccountLink, link_id)
    link.undone_at = now
    for identity_id in (link.from_identity_id, link.to_identity_id):
        identity = session.get_one(Identity, identity_id)
        if identity.linked_by == MergeProof.FOLLOWED_LINK:
            identity.customer_id = identity.linked_at = identity.linked_by = None


def _hash(token: str) -> str:
    return hashlib.sha256(token[:LONGEST_TOKEN].encode("utf-8", "replace")).hexdigest()
