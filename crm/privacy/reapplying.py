"""After a backup was restored: those who were forgotten since it was made are forgotten again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Customer, Erasure, Identity
from crm.privacy.erasing import Receipt, erase
from crm.privacy.marks import PREFIX, mark
from crm.privacy.subjects import Subject


@dataclass(frozen=True)
class ErasureRecord:
    """What has to outlive a restored database. Names nobody; can be kept as JSON."""

    marks: tuple[str, ...]
    asked_by: str
    erased_at: datetime

    def as_dict(self) -> dict[str, object]:
        return {"marks": list(self.marks), "asked_by": self.asked_by, "erased_at": self.erased_at.isoformat()}

    @classmethod
    def of(cls, stored: dict[str, object]) -> "ErasureRecord":
        marks = stored["marks"]
        assert isinstance(marks, list)
        erased_at = datetime.fromisoformat(str(stored["erased_at"]))
        return cls(tuple(str(one) for one in marks), str(stored["asked_by"]), erased_at)


def erasure_records(session: Session) -> list[ErasureRecord]:
    """All erasures of this store; take them before its database is replaced by an older one."""
    found = session.scalars(select(Erasure).order_by(Erasure.id))
    return [ErasureRecord(tuple(one.marks), one.asked_by, one.erased_at) for one in found]


def reapply_erasures(session: Session, records: Iterable[ErasureRecord] = ()) -> list[Receipt]:
    """Erases again whoever a restored database brought back; ``records`` come on top of those that it holds itself.

    Somebody who came back as a customer after they were erased is another record, and stays.
    """
    known = {one: record for record in [*erasure_records(session), *records] for one in record.marks}
    if not known:
        return []
    receipts: list[Receipt] = []
    customers = session.execute(
        select(Customer.id, Customer.source, Customer.external_id, Customer.created_at).where(
            Customer.erased_at.is_(None)
        )
    ).all()
    for customer_id, source, external_id, created_at in customers:
        record = known.get(mark(source, external_id))
        if record is not None and created_at <= record.erased_at:
            linked = session.scalars(select(Identity.id).where(Identity.customer_id == customer_id)).all()
            subject = Subject((customer_id,), tuple(linked))
            receipts.append(erase(session, subject, asked_by=record.asked_by, now=record.erased_at))
    identities = session.execute(select(Identity.id, Identity.channel, Identity.external_id, Identity.created_at)).all()
    for identity_id, channel, external_id, created_at in identities:
        record = known.get(mark(str(channel), external_id))
        if record is not None and created_at <= record.erased_at and not external_id.startswith(PREFIX):
            receipts.append(erase(session, Subject((), (identity_id,)), asked_by=record.asked_by, now=record.erased_at))
    return receipts
