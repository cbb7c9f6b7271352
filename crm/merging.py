"""Making one customer of two records that were shown to be one person, and undoing it.

The rows that referred to the merged record refer to the kept one afterwards; the merged record itself stays, points
to the kept one and loses nothing, so that every step can be taken back.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table, UniqueConstraint, select, update
from sqlalchemy.orm import Session

from crm.errors import CrmError
from crm.models import Base, Consent, ConsentKind, Conversation, Customer, CustomerMerge, MergeProof, Order
from crm.parts import in_parts
from crm.phones import same_email, same_phone
from crm.privacy.footprint import references
from crm.privacy.subjects import kept_of


class NotMergeable(CrmError):
    """The two records cannot become one, or the merge cannot be undone; the message says why."""


def merge(
    session: Session,
    kept_id: int,
    merged_id: int,
    *,
    proof: MergeProof,
    now: datetime,
    conversation: Conversation | None = None,
) -> CustomerMerge:
    """Makes ``merged_id`` part of ``kept_id``. Raises NotMergeable."""
    kept_id, merged_id = kept_of(session, kept_id), kept_of(session, merged_id)
    if kept_id == merged_id:
        raise NotMergeable("They are one customer already.")
    kept, merged = session.get_one(Customer, kept_id), session.get_one(Customer, merged_id)
    if kept.erased_at is not None or merged.erased_at is not None:
        raise NotMergeable("One of them asked to be forgotten.")
    moved: dict[str, list[int]] = {}
    for table in _tables_that_move():
        for column in (column for column, parent in references(table) if parent == "customers"):
            ids = list(session.scalars(select(table.c.id).where(column == merged_id)))
            for part in in_parts(ids):
                session.execute(update(table).where(table.c.id.in_(part)).values({column.name: kept_id}))
            if ids:
                moved[f"{table.name}.{column.name}"] = ids
    merged.merged_into_id = kept_id
    merged.updated_at = now
    if _said_no(session, moved.get("consents.customer_id", [])) and kept.accepts_marketing:
        # Whoever said no under one of their names has said no.
        moved["customers.accepts_marketing"] = [int(kept.accepts_marketing)]
        kept.accepts_marketing = False
    done = CustomerMerge(
        kept_id=kept_id,
        merged_id=merged_id,
        proof=proof,
        conversation_id=conversation.id if conversation is not None else None,
        moved=moved,
        merged_at=now,
    )
    session.add(done)
    session.flush()
    session.expire_all()
    return done


def _said_no(session: Session, consents: Sequence[int]) -> bool:
    """Whether the latest of these words on marketing is no."""
    latest = session.scalars(
        select(Consent.granted)
        .where(Consent.id.in_(consents), Consent.kind == ConsentKind.MARKETING)
        .order_by(Consent.recorded_at.desc(), Consent.id.desc())
        .limit(1)
    ).first()
    return latest is False


def unmerge(session: Session, merge_id: int, *, now: datetime) -> CustomerMerge:
    """Gives every row that changed hands back. What came since stays with the kept customer. Raises NotMergeable."""
    done = session.get(CustomerMerge, merge_id)
    if done is None or done.undone_at is not None:
        raise NotMergeable(f"There is no merge {merge_id} to undo; `desk customer merges` lists them.")
    kept, merged = session.get_one(Customer, done.kept_id), session.get_one(Customer, done.merged_id)
    if kept.erased_at is not None:
        raise NotMergeable("The customer was erased since; nothing is left to part.")
    if merged.merged_into_id != kept.id or kept.merged_into_id is not None:
        raise NotMergeable("A later merge builds on this one; undo that first.")
    for name, ids in done.moved.items():
        table_name, _, column_name = name.partition(".")
        if table_name == "customers":
            kept.accepts_marketing = bool(ids[0])
            continue
        table = Base.metadata.tables.get(table_name)
        if table is None or column_name not in table.c:
            continue
        for part in in_parts(ids):
            still = (table.c.id.in_(part), table.c[column_name] == kept.id)
            session.execute(update(table).where(*still).values({column_name: merged.id}))
    merged.merged_into_id, merged.updated_at = None, now
    done.undone_at = now
    session.flush()
    session.expire_all()
    return done


def merges(session: Session) -> Sequence[CustomerMerge]:
    """All of them, those that were undone included, the newest first."""
    return session.scalars(select(CustomerMerge).order_by(CustomerMerge.id.desc())).all()


def share_a_contact(session: Session, one: int, other: int) -> bool:
    """Whether an e-mail or phone of one customer, or of an order of theirs, is the other's as well."""
    (emails, phones), (other_emails, other_phones) = _contacts(session, one), _contacts(session, other)
    return any(same_email(a, b) for a in emails for b in other_emails) or any(
        same_phone(a, b) for a in phones for b in other_phones
    )


def _contacts(session: Session, customer_id: int) -> tuple[set[str], set[str]]:
    rows = [
        *session.execute(select(Customer.email, Customer.phone).where(Customer.id == customer_id)),
        *session.execute(select(Order.email, Order.phone).where(Order.customer_id == customer_id)),
    ]
    return {email for email, _ in rows if email}, {phone for _, phone in rows if phone}


def _tables_that_move() -> list[Table]:
    """Tables whose rows follow their customer. Results with one row per customer do not: they are computed anew."""
    moving = []
    for table in Base.metadata.sorted_tables:
        named = [column for column, parent in references(table) if parent == "customers"]
        unique = {
            column.name for rule in table.constraints if isinstance(rule, UniqueConstraint) for column in rule.columns
        }
        unique |= {column.name for index in table.indexes if index.unique for column in index.columns}
        ours = table.name in ("customers", "customer_merges")
        if named and not ours and "id" in table.c and not unique & {column.name for column in named}:
            moving.append(table)
    return moving
