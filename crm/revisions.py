"""Counters that tell readers when what they derived from the store is out of date."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Revision

CATALOGUE = "catalogue"
KNOWLEDGE = "knowledge"
ORDERS = "orders"


def current(session: Session, name: str) -> int:
    """The part's number; 0 if it was never written."""
    return session.scalar(select(Revision.number).where(Revision.name == name)) or 0


def bump(session: Session, name: str) -> None:
    """Call in the transaction that changes the part."""
    row = session.get(Revision, name, with_for_update=True)
    if row is None:
        session.add(Revision(name=name, number=1))
    else:
        row.number += 1
