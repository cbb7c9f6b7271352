"""Links in digests and alerts that do one thing, once, for whoever holds them."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm import follow_ups
from crm.articles import Draft
from crm.changing import Changing
from crm.errors import CrmError
from crm.lessons import articles as lessons
from crm.models import OwnerLink, OwnerLinkKind, Ticket, TicketStatus

KEEPS = timedelta(days=14)
LONGEST_TOKEN = 200


class BadLink(CrmError):
    """Forged, unknown, used before, or older than two weeks; ``reason`` is one of those words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"This link is {reason}.")


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="desk owner link", signer_kwargs={"digest_method": hashlib.sha256})


def make(
    session: Session,
    kind: OwnerLinkKind,
    *,
    secret: str,
    now: datetime,
    subject_id: int | None = None,
    digest_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> str:
    """A new link's token: a signed random name. What it does stays in the store."""
    link = OwnerLink(
        nonce=secrets.token_urlsafe(18),
        kind=kind,
        subject_id=subject_id,
        data=data or {},
        digest_id=digest_id,
        made_at=now,
        expires_at=now + KEEPS,
    )
    session.add(link)
    session.flush()
    return str(_serializer(secret).dumps(link.nonce))


def read(session: Session, token: str, *, secret: str, now: datetime) -> OwnerLink:
    """The link behind a token, not used yet. Raises BadLink."""
    try:
        if len(token) > LONGEST_TOKEN:
            raise BadLink("forged")
        nonce = _serializer(secret).loads(token)
    except (BadData, ValueError, TypeError):
        raise BadLink("forged") from None
    link = session.scalar(select(OwnerLink).where(OwnerLink.nonce == nonce))
    if link is None:
        raise BadLink("unknown")
    if link.used_at is not None:
        raise BadLink("used")
    if link.expires_at <= now:
        raise BadLink("expired")
    return link


def use(
    session: Session, token: str, *, secret: str, now: datetime, title: str | None = None, text: str | None = None
) -> OwnerLink:
    """Does what the link stands for, with the owner's ``title`` and ``text`` where it takes them, and uses it up.

    Raises BadLink, and what the deed itself raises (FollowUpDecided, CannotReach, ValueError for an empty article);
    then nothing is done and the link stays good.
    """
    link = read(session, token, secret=secret, now=now)
    # Two taps at the same moment: only one of them marks the row.
    taken = Changing(
        update(OwnerLink).where(OwnerLink.id == link.id, OwnerLink.used_at.is_(None)).values(used_at=now),
        OwnerLink.id,
    ).first(session)
    if taken is None:
        raise BadLink("used")
    session.refresh(link)
    _perform(session, link, now=now, title=title, text=text)
    return link


def _perform(session: Session, link: OwnerLink, *, now: datetime, title: str | None, text: str | None) -> None:
    subject = link.subject_id or 0
    match link.kind:
        case OwnerLinkKind.SEND_FOLLOW_UP:
            follow_ups.approve(session, subject, now=now, text=text)
        case OwnerLinkKind.DISMISS_FOLLOW_UP:
            follow_ups.dismiss(session, subject, now=now)
        case OwnerLinkKind.CLOSE_TICKET:
            ticket = session.get(Ticket, subject)
            if ticket is not None and ticket.status is TicketStatus.OPEN:
                ticket.status, ticket.done_at = TicketStatus.DONE, now
        case OwnerLinkKind.ADD_ARTICLE:
            _teach(session, link, now=now, title=title, text=text)
        case OwnerLinkKind.DISMISS:
            pass


def _teach(session: Session, link: OwnerLink, *, now: datetime, title: str | None, text: str | None) -> None:
    """What the owner answered becomes a lesson, whose number is noted in the link; the caller has it tried.

    Raises ValueError if it is empty.
    """
    questions = [str(question) for question in link.data.get("questions", [])]
    title = (title or "").strip() or (questions[0] if questions else "")
    body = (text or "").strip()
    if not title or not body:
        raise ValueError("an article needs a title and a text")
    draft = Draft(str(link.data.get("language", "en")), title, body, questions, ["from-owner"])
    lesson = lessons.propose(session, draft, by="owner", now=now)
    link.data = {**link.data, "lesson": lesson.id}
    session.flush()
