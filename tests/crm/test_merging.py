"""Two records of one person become one customer, and can be parted again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

import crm
from crm import merging, privacy
from crm.importers import SOURCES, Context
from crm.merging import NotMergeable
from crm.models import Customer, Identity, MergeProof, Order
from tests.support import factories
from tests.support.factories import NOW


@pytest.fixture
def two(store: Engine) -> tuple[int, int]:
    """Park, and the same Park as a guest of another channel."""
    with crm.session() as session:
        park = factories.park(session)
        guest = factories.a_customer(session, "E. Park", "park@example.com")
        factories.an_order(session, "1001", of=park)
        factories.an_order(session, "2001", of=guest)
        session.add(Identity(channel="web", external_id="v", customer_id=guest.id, created_at=NOW, last_seen_at=NOW))
        return park.id, guest.id


def owners() -> dict[str, int | None]:
    with crm.reading() as session:
        return {row.number: row.customer_id for row in session.execute(select(Order.number, Order.customer_id))}


def test_merging_keeps_all_history_and_is_undone_row_by_row(two: tuple[int, int]) -> None:
    park, guest = two
    with crm.session() as session:
        done = merging.merge(session, park, guest, proof=MergeProof.OWNER, now=NOW).id
    assert owners() == {"1001": park, "2001": park}
    with crm.reading() as session:
        assert privacy.find(session, f"id:{guest}").customers == (park, guest)
        assert session.scalars(select(Identity.customer_id)).one() == park
        found = privacy.export(session, privacy.find(session, "2001"), now=NOW)
        assert [order["number"] for order in found["orders"]] == ["1001", "2001"]
        assert [one["name"] for one in found["merged_customers"]] == ["E. Park"]
    with crm.session() as session:
        factories.an_order(session, "3001", of=session.get_one(Customer, park))  # came after the merge
        merging.unmerge(session, done, now=NOW)
    assert owners() == {"1001": park, "2001": guest, "3001": park}
    with crm.reading() as session:
        assert session.scalars(select(Identity.customer_id)).one() == guest
        assert [merge.undone_at for merge in merging.merges(session)] == [NOW]


def test_what_cannot_be_merged_or_parted_says_why(two: tuple[int, int]) -> None:
    park, guest = two
    with crm.session() as session:
        done = merging.merge(session, park, guest, proof=MergeProof.OWNER, now=NOW).id
        with pytest.raises(NotMergeable, match="already"):
            merging.merge(session, guest, park, proof=MergeProof.OWNER, now=NOW)
        lin = factories.lin(session)
        later = merging.merge(session, lin.id, park, proof=MergeProof.OWNER, now=NOW).id
        with pytest.raises(NotMergeable, match="later merge"):
            merging.unmerge(session, done, now=NOW)
        merging.unmerge(session, later, now=NOW)
        merging.unmerge(session, done, now=NOW)
        with pytest.raises(NotMergeable, match="no merge"):
            merging.unmerge(session, done, now=NOW)
    assert owners() == {"1001": park, "2001": guest}


def test_erasing_one_erases_both(two: tuple[int, int]) -> None:
    park, guest = two
    with crm.session() as session:
        merging.merge(session, park, guest, proof=MergeProof.OWNER, now=NOW)
        privacy.erase(session, privacy.find(session, "1001"), asked_by="owner", now=NOW)
    with crm.reading() as session:
        assert {c.name for c in session.scalars(select(Customer))} == {None}


def test_an_import_follows_the_merge(store: Engine, file: Callable[..., Path], context: Context) -> None:
    rows = "7,2026-01-05,18,A1,a@example.com", "8,2026-02-05,9,A2,b@example.com"
    path = file("\n".join(["customer_id,date,amount,order_number,email", *rows]) + "\n", "orders.csv")
    SOURCES["csv"]["orders"](path, context)
    with crm.session() as session:
        one, other = session.scalars(select(Customer.id).order_by(Customer.id)).all()
        merging.merge(session, one, other, proof=MergeProof.OWNER, now=NOW)
    assert not SOURCES["csv"]["orders"](path, context).changed
    assert set(owners().values()) == {one}


def test_only_a_shared_contact_says_that_two_may_be_one(two: tuple[int, int]) -> None:
    park, guest = two
    with crm.session() as session:
        lin = factories.lin(session)
        assert merging.share_a_contact(session, park, guest)
        assert not merging.share_a_contact(session, park, lin.id)
