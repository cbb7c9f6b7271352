"""Storing a batch of customers. Somebody who was erased stays erased; a withdrawn permission stays withdrawn."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.importers.records import CustomerRecord
from crm.importers.report import ImportReport
from crm.importers.upsert import Values, differs, ids_of, table_of, upsert
from crm.models import Consent, ConsentKind, Customer
from crm.parts import in_parts
from crm.privacy.marks import mark

CUSTOMER_COLUMNS = ("name", "email", "phone", "country", "language", "accepts_marketing")
_customers, _consents = table_of(Customer), table_of(Consent)


def write_customers(
    session: Session,
    source: str,
    records: Sequence[CustomerRecord],
    report: ImportReport,
    *,
    now: datetime,
    told: Collection[str] | None = None,
    consent_heading: str | None = None,
) -> None:
    """Adds and updates. ``told``: the columns the source has; others keep what they hold.

    ``consent_heading`` is the file's own name of the column on marketing: with it, every permission that comes or goes
    is recorded in the words of the file.
    """
    columns = [c for c in CUSTOMER_COLUMNS if told is None or c in told]
    wanted = {str(record.key): record for record in records}
    stored = stored_customers(session, source, wanted)
    _adopt_provisional(session, source, wanted, stored)
    withdrawn = _withdrawn_marketing(session, [row["id"] for row in stored.values()])
    writing: list[Values] = []
    decided: dict[str, bool] = {}
    for key, record in wanted.items():
        known = stored.get(key)
        values: Values = {column: getattr(record, column) for column in CUSTOMER_COLUMNS}
        if known is not None:
            # An empty cell leaves what is known, for instance a phone number that came with an order.
            values = {column: known[column] if value is None else value for column, value in values.items()}
            values["accepts_marketing"] &= known["id"] not in withdrawn
        if known is None:
            report.added += 1
        elif known["erased_at"] is not None or not (known["external_id"] != key or differs(values, known, columns)):
            report.unchanged += 1
            continue
        else:
            report.updated += 1
        if values["accepts_marketing"] != (known is not None and known["accepts_marketing"]):
            decided[key] = values["accepts_marketing"]
        created = record.created_at or now
        writing.append(values | {"source": source, "external_id": key, "created_at": created, "updated_at": now})
    upsert(session, Customer, writing, key=("source", "external_id"), update=[*columns, "updated_at"])
    if consent_heading is not None:
        ids = ids_of(session, Customer, source, decided)
        record_consents(session, source, {ids[key]: granted for key, granted in decided.items()},
                        heading=consent_heading, now=now)  # fmt: skip


def record_consents(session: Session, source: str, decided: dict[int, bool], *, heading: str, now: datetime) -> None:
    """``decided``: what the export says about marketing, by customer; ``heading``: its own name of that column."""
    rows = [
        {
            "customer_id": customer_id,
            "kind": ConsentKind.MARKETING,
            "granted": granted,
            "wording": f"{heading}: {'yes' if granted else 'no'}",
            "source": source,
            "recorded_at": now,
        }
        for customer_id, granted in decided.items()
    ]
    if rows:
        session.connection().execute(_consents.insert(), rows)


def stored_customers(session: Session, source: str, external_ids: Iterable[str]) -> dict[str, Any]:
    """The records of these ids, those of people who were forgotten included: of them only a mark is left."""
    ids = list(external_ids)
    marks = {mark(source, external_id): external_id for external_id in ids}
    found: dict[str, Any] = {}
    for part in in_parts([*marks, *ids]):
        statement = select(_customers).where(_customers.c.source == source, _customers.c.external_id.in_(part))
        for row in session.connection().execute(statement).mappings():
            name = marks.get(row["external_id"], row["external_id"])
            if name not in found or row["erased_at"] is None:
                found[name] = row
    return found


def _adopt_provisional(
    session: Session, source: str, wanted: dict[str, CustomerRecord], stored: dict[str, Any]
) -> None:
    """Gives customers known only from an order, by e-mail or phone, the id that the source now tells."""
    by_contact: dict[str, str] = {}
    for key, record in wanted.items():
        if record.external_id is not None and key not in stored:
            for contact in (record.email, record.phone):
                if contact:
                    by_contact.setdefault(contact, key)
    for contact, row in stored_customers(session, source, by_contact).items():
        key = by_contact[contact]
        if key in stored or row["erased_at"] is not None:
            continue
        session.connection().execute(_customers.update().where(_customers.c.id == row["id"]).values(external_id=key))
        stored[key] = row


def _withdrawn_marketing(session: Session, customer_ids: Sequence[int]) -> set[int]:
    """Those whose latest word on marketing, told to the bot, was no."""
    latest: dict[int, bool] = {}
    for part in in_parts(customer_ids):
        statement = (
            select(_consents.c.customer_id, _consents.c.granted)
            .where(
                _consents.c.customer_id.in_(part),
                _consents.c.kind == ConsentKind.MARKETING,
                _consents.c.source.is_(None),
            )
            .order_by(_consents.c.recorded_at, _consents.c.id)
        )
        latest |= {row.customer_id: row.granted for row in session.connection().execute(statement)}
    return {customer_id for customer_id, granted in latest.items() if not granted}
