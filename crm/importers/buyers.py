"""Finding the customer who placed an order, by the source's id, then e-mail, then phone; else making one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from crm.importers.records import CustomerRecord, OrderRecord
from crm.importers.upsert import Values, ids_of, table_of, upsert
from crm.importers.write_customers import CUSTOMER_COLUMNS, record_consents, stored_customers
from crm.models import Customer
from crm.parts import in_parts

_FILLED_FROM_ORDERS = ("name", "email", "phone", "country")
_customers = table_of(Customer)


class Buyers:
    """The customers that a batch of orders may belong to."""

    def __init__(self, session: Session, source: str, records: Sequence[CustomerRecord]) -> None:
        self._session, self._source = session, source
        self._by_key: dict[str, Values] = {}
        self._by_email: dict[str, Values] = {}
        self._by_phone: dict[str, Values] = {}
        self._blanks: dict[int, Values] = {}
        self.created: dict[str, Values] = {}
        keys = {key for record in records if (key := record.key)}
        for key, row in stored_customers(session, source, keys).items():
            self._by_key[key] = self._kept(dict(row))
        self._load(_customers.c.email, {record.email for record in records if record.email})
        self._load(_customers.c.phone, {record.phone for record in records if record.phone})

    def _load(self, column: ColumnElement[Any], values: set[str]) -> None:
        for part in in_parts(values):
            statement = select(_customers).where(column.in_(part), _customers.c.erased_at.is_(None))
            # The same source's own customers win over those that another source knows under the same contact, and the
            # first of several: a later one would take a guest's orders over at the next import of the same file.
            ours_first = (_customers.c.source != self._source, _customers.c.id)
            for row in self._session.connection().execute(statement.order_by(*ours_first)).mappings():
                self._remember(self._by_key.get(row["external_id"]) or self._kept(dict(row)))

    def _kept(self, row: Values) -> Values:
        """The record that stands for this one, if two were shown to be one person."""
        while row["merged_into_id"] is not None:
            statement = select(_customers).where(_customers.c.id == row["merged_into_id"])
            row = dict(self._session.connection().execute(statement).mappings().one())
        return row

    def _remember(self, customer: Values) -> None:
        if customer["email"]:
            self._by_email.setdefault(customer["email"], customer)
        if customer["phone"]:
            self._by_phone.setdefault(customer["phone"], customer)

    def of(self, buyer: CustomerRecord, placed_at: datetime) -> Values:
        """The customer's values; without ``id`` as long as it is not stored."""
        found = self._find(buyer)
        if found is not None and found["erased_at"] is not None and placed_at > found["erased_at"]:
            found = None  # whoever buys again after they were forgotten is a new customer
        if found is None:
            found = {column: getattr(buyer, column) for column in CUSTOMER_COLUMNS}
            found |= {"source": self._source, "external_id": buyer.key, "created_at": placed_at, "erased_at": None}
            found["merged_into_id"] = None
            self._by_key[str(buyer.key)] = found
            self.created[str(buyer.key)] = found
            self._remember(found)
        elif "id" not in found:
            found["created_at"] = min(found["created_at"], placed_at)
        if found["erased_at"] is None:
            self._fill_blanks(found, buyer)
        return found

    def _find(self, buyer: CustomerRecord) -> Values | None:
        known = self._by_key.get(str(buyer.key))
        if known is not None:
            return known
        if buyer.email:
            known = self._by_email.get(buyer.email)
            if known is not None and self._may_be(known, buyer):
                return known
        if buyer.phone:
            known = self._by_phone.get(buyer.phone)
            # One phone can serve a family: with another e-mail on it, it is another person's.
            if known is not None and self._may_be(known, buyer) and not (known["email"] and buyer.email):
                return known
        return None

    def _may_be(self, known: Values, buyer: CustomerRecord) -> bool:
        """Not somebody to whom this source gives a different id of its own."""
        if buyer.external_id is None or known["source"] != self._source:
            return True
        return known["external_id"] in (known["email"], known["phone"])

    def _fill_blanks(self, known: Values, buyer: CustomerRecord) -> None:
        for column in _FILLED_FROM_ORDERS:
            value = getattr(buyer, column)
            if value and not known[column]:
                known[column] = value
                if "id" in known:
                    self._blanks.setdefault(known["id"], {})[column] = value

    def store(self, now: datetime, *, consent_heading: str | None = None) -> None:
        """Writes the new customers and what orders told about known ones; all have their ``id`` afterwards.

        ``consent_heading``: as in ``write_customers``, for the permissions that new customers gave with their order.
        """
        rows = [values | {"updated_at": now} for values in self.created.values()]
        upsert(self._session, Customer, rows, key=("source", "external_id"), update=["updated_at"])
        for external_id, customer_id in ids_of(self._session, Customer, self._source, self.created).items():
            self.created[external_id]["id"] = customer_id
        if consent_heading is not None:
            agreed = {new["id"]: True for new in self.created.values() if new["accepts_marketing"]}
            record_consents(self._session, self._source, agreed, heading=consent_heading, now=now)
        for customer_id, values in self._blanks.items():
            self._session.connection().execute(
                _customers.update().where(_customers.c.id == customer_id).values(**values, updated_at=now)
            )


def buyers_of(session: Session, source: str, orders: Sequence[OrderRecord]) -> Buyers:
    return Buyers(session, source, [order.buyer for order in orders if order.buyer is not None])
