"""The right to be forgotten: what was said and who they are goes; what was sold stays, without the person."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Enum, Table, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from crm import revisions
from crm.models import Conversation, Customer, Delivery, Erasure, Identity
from crm.privacy.footprint import Footprint
from crm.privacy.kept import KEPT, UNIQUE_TEXTS
from crm.privacy.marks import PREFIX, mark, pseudonym
from crm.privacy.subjects import Subject
from crm.privacy.sweeping import Traces, sweep


@dataclass(frozen=True)
class Receipt:
    """What was done. ``conversations`` are the ids under which Rasa may remember them still."""

    pseudonym: str
    erased_at: datetime
    emptied: dict[str, int]
    deleted: dict[str, int]
    conversations: tuple[str, ...]
    traces: Traces
    already: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For the owner and the store; names nobody."""
        return {
            "pseudonym": self.pseudonym,
            "erased_at": self.erased_at.isoformat(),
            "emptied": self.emptied,
            "deleted": self.deleted,
        }


def erase(
    session: Session, subject: Subject, *, asked_by: str, now: datetime, answering: Conversation | None = None
) -> Receipt:
    """Forgets the person in every table. Repeating it changes nothing.

    ``answering`` is the conversation in which they asked: it stays reachable until ``finish_erasures``, so that the
    receipt can be given there. Rasa's memory is not in this store: see ``crm.privacy.tracker``.
    """
    footprint = Footprint(session, subject.customers, subject.identities)
    marks = _marks(session, footprint)
    traces = Traces.of(session, footprint)
    name = pseudonym(marks)
    known = session.scalar(select(Erasure).where(Erasure.pseudonym == name)) if marks else None
    if not marks:
        return Receipt(name, now, {}, {}, (), traces, already=True)
    emptied: Counter[str] = Counter()
    deleted: Counter[str] = Counter()
    for table in reversed(footprint.tables):
        keeping = KEPT.get(table.name)
        for condition in footprint.conditions(table):
            if keeping is None:
                deleted[table.name] += session.execute(delete(table).where(condition)).rowcount  # type: ignore[attr-defined]
            else:
                emptied[table.name] += _empty(session, table, condition, keeping, answering)
    _forget_customers(session, footprint, now)
    sweep(session, traces)
    revisions.bump(session, revisions.ORDERS)
    receipt = Receipt(
        name, now, dict(emptied), {k: n for k, n in deleted.items() if n}, traces.conversations, traces
    )  # fmt: skip
    if known is None:
        known = Erasure(pseudonym=name, marks=marks, asked_by=asked_by, erased_at=now)
        session.add(known)
    known.receipt = receipt.as_dict()
    known.open_conversation_id = answering.id if answering is not None else None
    session.flush()
    session.expire_all()
    return receipt


def finish_erasures(session: Session) -> tuple[str, ...]:
    """Removes the last lines of conversations in which somebody asked to be forgotten; returns their public ids."""
    finished: list[str] = []
    for erasure in session.scalars(select(Erasure).where(Erasure.open_conversation_id.is_not(None))).all():
        conversation = session.get(Conversation, erasure.open_conversation_id)
        erasure.open_conversation_id = None
        if conversation is None:
            continue
        finished.append(conversation.public_id)
        footprint = Footprint(session, (), (conversation.identity_id,))
        for table in reversed(footprint.tables):
            keeping = KEPT.get(table.name)
            for condition in footprint.conditions(table):
                if keeping is None:
                    session.execute(delete(table).where(condition))
                else:
                    _empty(session, table, condition, keeping, None)
        session.expire_all()
    return tuple(finished)


def _marks(session: Session, footprint: Footprint) -> list[str]:
    """Of every record that is not forgotten yet."""
    customers = select(Customer.source, Customer.external_id).where(Customer.id.in_(footprint.ids("customers")))
    identities = select(Identity.channel, Identity.external_id).where(Identity.id.in_(footprint.ids("identities")))
    named = [*session.execute(customers), *session.execute(identities)]
    return sorted(mark(str(source), name) for source, name in named if not name.startswith(PREFIX))


def _empty(
    session: Session,
    table: Table,
    condition: ColumnElement[bool],
    keeping: frozenset[str],
    answering: Conversation | None,
) -> int:
    """Empties what is not kept, and returns in how many rows. Lines that wait for their answer come later."""
    if table.name == "messages":
        session.execute(
            update(table).where(condition, table.c.delivery == Delivery.PENDING).values(delivery=Delivery.NOT_NEEDED)
        )
        if answering is not None:
            condition = and_(condition, or_(table.c.conversation_id != answering.id, table.c.turn.is_not(None)))
    values = {
        column.name: _nothing(column)
        for column in table.columns
        if column.name not in keeping and not column.primary_key and _can_be_emptied(column)
    }
    rows = session.scalar(select(func.count()).select_from(table).where(condition)) or 0
    if values and rows:
        session.execute(update(table).where(condition).values(values))
    for name in UNIQUE_TEXTS & {column.name for column in table.columns if not column.nullable} - keeping:
        _rename(session, table, condition, name, answering)
    return rows


def _can_be_emptied(column: Column[Any]) -> bool:
    if column.nullable:
        return True
    return column.name not in UNIQUE_TEXTS and isinstance(_python_type(column), type) and not column.foreign_keys


def _python_type(column: Column[Any]) -> type | None:
    """Text, list, dict or bool, for which there is an empty value; None for anything else."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return None
    return next((known for known in (str, bool, list, dict) if issubclass(kind, known) and not _is_state(column)), None)


def _is_state(column: Column[Any]) -> bool:
    return isinstance(column.type, Enum)


def _nothing(column: Column[Any]) -> object:
    kind = _python_type(column)
    return None if column.nullable or kind is None else kind()


def _rename(
    session: Session, table: Table, condition: ColumnElement[bool], name: str, answering: Conversation | None
) -> None:
    """A name without a meaning in place of one that every row must have; the open conversation keeps its address."""
    spared = {"conversations": answering.id, "identities": answering.identity_id} if answering is not None else {}
    for row in session.execute(select(table).where(condition)).mappings().all():
        if row["id"] != spared.get(table.name) and not row[name].startswith(PREFIX):
            renamed = mark(row["source"], row[name]) if table.name == "customers" else f"{PREFIX}{row['id']}"
            session.execute(update(table).where(table.c.id == row["id"]).values({name: renamed}))


def _forget_customers(session: Session, footprint: Footprint, now: datetime) -> None:
    customers = update(Customer).where(Customer.id.in_(footprint.ids("customers")))
    session.execute(customers.values(erased_at=func.coalesce(Customer.erased_at, now), updated_at=now))
    identities = update(Identity).where(Identity.id.in_(footprint.ids("identities")))
    session.execute(identities.values(customer_id=None, wants_marketing=False))
