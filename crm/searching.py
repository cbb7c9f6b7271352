"""Searching what lies encrypted: SQL cannot look inside, so the newest values are opened and read through."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Executable, String, and_, exists, or_, select, type_coerce
from sqlalchemy.orm import Session

from crm.models import Conversation, Customer, Identity, Message
from crm.sealing.keyring import PREFIX

MOST_FOUND = 500
MOST_SEALED_MESSAGES = 50_000
"""Sealed messages that are read through, the newest first; those that lie in plain text are all searched."""


def like(search: str) -> str:
    """A pattern for text that contains the search, with the escape character ``\\``."""
    return "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def customers_named(session: Session, search: str) -> list[int]:
    """Ids of those whose name contains the search, in either case; the newest, 500 at most."""
    wanted = select(Customer.id, Customer.name).where(Customer.erased_at.is_(None), Customer.name.is_not(None))
    return _found(session, wanted.order_by(Customer.id.desc()), search)


def accounts_named(session: Session, search: str) -> list[int]:
    """Ids of identities whose own or whose customer's name contains the search; those seen last, 500 at most."""
    wanted = (
        select(Identity.id, Identity.display_name, Customer.name)
        .outerjoin(Customer, Customer.id == Identity.customer_id)
        .where(or_(Identity.display_name.is_not(None), Customer.name.is_not(None)))
    )
    return _found(session, wanted.order_by(Identity.last_seen_at.desc(), Identity.id.desc()), search)


def said_in(session: Session, search: str) -> ColumnElement[bool]:
    """For conversations in which the words were said."""
    as_stored = type_coerce(Message.text, String)
    plain = exists().where(
        and_(
            Message.conversation_id == Conversation.id,
            as_stored.ilike(like(search), escape="\\"),
            ~as_stored.startswith(PREFIX),
        )
    )
    sealed = (
        select(Message.conversation_id, Message.text)
        .where(as_stored.startswith(PREFIX))
        .order_by(Message.id.desc())
        .limit(MOST_SEALED_MESSAGES)
    )
    found = _found(session, sealed, search)
    return or_(plain, Conversation.id.in_(found)) if found else plain


def _found(session: Session, wanted: Executable, search: str) -> list[int]:
    """First column of the rows of which another column contains the search, each once, in order."""
    needle = search.casefold()
    rows: Iterable[Any] = session.execute(wanted.execution_options(yield_per=1_000))
    found: dict[int, None] = {}
    for key, *texts in rows:
        if key not in found and any(text is not None and needle in text.casefold() for text in texts):
            found[key] = None
            if len(found) == MOST_FOUND:
                break
    return list(found)
