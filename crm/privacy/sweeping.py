"""Where a person may be named although nothing refers to them: sent digests, alerts, links of the owner."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from crm.models import Base, Conversation, Customer, Identity, Order
from crm.privacy.footprint import Footprint, reachable
from crm.privacy.marks import PREFIX

_NEVER: Final = frozenset(("products", "variants", "knowledge_articles", "revisions", "import_progress", "staff"))
_SHORTEST = 2
PUT_INSTEAD = "…"


@dataclass(frozen=True)
class Traces:
    """What would tell who somebody was, and the public ids of their conversations."""

    texts: tuple[str, ...]
    conversations: tuple[str, ...]

    @classmethod
    def of(cls, session: Session, footprint: Footprint) -> "Traces":
        """Call before anything is erased."""
        found: set[str] = set()
        customers = select(Customer.name, Customer.email, Customer.phone)
        for row in session.execute(customers.where(Customer.id.in_(footprint.ids("customers")))):
            found.update(text for text in row if text)
        contacts = select(Order.email, Order.phone).where(Order.id.in_(footprint.ids("orders")))
        for email, phone in session.execute(contacts):
            found.update(text for text in (email, phone) if text)
        names = select(Identity.display_name).where(Identity.id.in_(footprint.ids("identities")))
        found.update(name for name in session.scalars(names) if name)
        conversations = select(Conversation.public_id).where(Conversation.id.in_(footprint.ids("conversations")))
        public = [name for name in session.scalars(conversations) if not name.startswith(PREFIX)]
        texts = {text for text in found if len(text) >= _SHORTEST} | set(public)
        return cls(tuple(sorted(texts, key=len, reverse=True)), tuple(sorted(public)))

    def cleaned(self, text: str) -> str:
        for trace in self.texts:
            text = text.replace(trace, PUT_INSTEAD)
        return text

    def are_in(self, text: str) -> bool:
        return any(trace in text for trace in self.texts)


def sweep(session: Session, traces: Traces) -> None:
    """Takes the traces out of every text that belongs to nobody in particular."""
    if not traces.texts:
        return
    followed = {table.name for table in reachable()}
    for table in Base.metadata.sorted_tables:
        if table.name not in followed and table.name not in _NEVER:
            _sweep_table(session, table, traces)


def _sweep_table(session: Session, table: Table, traces: Traces) -> None:
    keys = list(table.primary_key.columns)
    for row in session.execute(select(table)).mappings().all():
        changed = _changed(table, dict(row), traces.cleaned)
        if changed:
            session.execute(update(table).where(*(key == row[key.name] for key in keys)).values(changed))


def _changed(table: Table, row: Mapping[str, Any], clean: Callable[[str], str]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for column in table.columns:
        value = row[column.name]
        if column.primary_key or value is None:
            continue
        if isinstance(value, list | dict):
            before = json.dumps(value, ensure_ascii=False)
            after = clean(before)
            if after != before:
                changed[column.name] = json.loads(after)
        elif isinstance(value, str) and (after := clean(value)) != value:
            changed[column.name] = after
    return changed
