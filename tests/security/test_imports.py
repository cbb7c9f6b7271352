"""Files made to break an import, on both databases: each row is taken or refused, and a second time changes nothing."""

import csv
import io
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from sqlalchemy import Engine, select

import crm
from crm import migrate
from crm.database import unbind
from crm.importers import SOURCES, Context, UnreadableFile
from crm.models.base import Base
from crm.shop import load_shop
from tests.security.test_parsers import KINDS
from tests.support.databases import new_database
from tests.support.product import ROOT

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LONG = "".join(chr(0x4E00 + number * 7_919 % 20_000) for number in range(350_000))  # a megabyte that packs badly
HOSTILE = [
    "\x00",
    "a\x00b",
    "a\x00b@example.com",
    "1\x0000",
    "\ud800",
    "a\udfffb",
    "\ud83d\ude00 paired",
    str(1 << 63),
    str(1 << 64),
    "-" + str(1 << 63),
    str(1 << 31),
    "9" * 140,
    "9" * 4_000,
    "1e400",
    "0." + "1" * 400,
    "0000-01-01",
    "0001-01-01 00:00",
    "9999-12-31 23:59:59 -14:00",
    "1969-12-31",
    "2026-11-19 10:02 +99:99",
    "Infinity",
    "NaN",
    LONG,
    LONG[:3_000],
    f"{LONG[:3_000]}@example.com",
    "a" * 3_000 + "@example.com",
    "+" + "6" * 3_000,
    "",
    "=1+1",
    "\r\n\r\n",
    "\u202e\ufeff\u2028",
    "'; DROP TABLE orders; --",
    "{}",
    "[1]",
]
# What stands in a column unless the attack changes it: by the importer's own name of the column, then by a part of it.
STATUSES = {"woocommerce": "processing", "taobao": "交易成功"}
NAMED = {
    "financial_status": "paid",
    "fulfillment_status": "fulfilled",
    "line_status": "fulfilled",
    "compare_at": "",
    "sale_price": "",
    "published": "1",
    "in_stock": "1",
    "backorders": "0",
    "image_position": "1",
    "policy": "deny",
    "type": "simple",
    "parent": "",
    "subscription": "",
    "bundle": "",
    "simple": "",
    "line_discount": "0",
    "goods_due": "25.00",
    "paid_amount": "25.00",
    "postage": "0",
    "language": "en",
    "refund_items": "",
    "coupons": "",
    "lines": "",
    "tracker": "shopify",
    "cancelled_at": "",
    "sale_from": "",
    "sale_to": "",
}
PARTS = {
    "currency": "SGD",
    "country": "SG",
    "quantity": "2",
    "pieces": "2",
    "stock": "3",
    "inventory": "3",
    "price": "12.50",
    "amount": "25.00",
    "total": "25.00",
    "net_sales": "25.00",
    "tax": "0",
    "discount": "0",
    "shipping": "0",
    "postage": "0",
    "refund": "0",
    "date": "2026-11-01 10:00",
    "created": "2026-11-01 10:00",
    "confirmed": "2026-11-03 10:00",
    "completed": "2026-11-03 10:00",
    "sent": "2026-11-02 10:00",
    "paid": "2026-11-01 10:00",
    "_at": "2026-11-01 10:00",
    "marketing": "yes",
    "url": "https://shop.example/x",
    "image": "https://shop.example/x.png",
}
QUICK = bounded(max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One store for all: what an attack before left behind belongs to the attack."""
    if request.param == "sqlite":
        engine = crm.bind(f"sqlite:///{tmp_path_factory.mktemp('imports')}/desk.db")
        migrate.upgrade(engine)
        yield engine
        unbind()
        return
    with new_database(request.getfixturevalue("postgres_url")) as url:
        engine = crm.bind(url)
        migrate.upgrade(engine)
        yield engine
        unbind()


def usual(source: str, column: str, row: int) -> str:
    if column == "status":
        return STATUSES.get(source, "")
    if column == "email":
        return f"park{row}@example.com"
    if column in NAMED:
        return NAMED[column]
    if "phone" in column or column == "mobile":
        return f"+65912{row % 100_000:05}"
    return next((text for part, text in PARTS.items() if part in column), f"{column} {row}")


def contents() -> dict[str, list[Any]]:
    """All of the store but how far imports got."""
    with crm.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
            if table.name not in ("import_progress", "revisions")
        }


def write(path: Path, rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path.write_bytes(out.getvalue().encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(("source", "kind", "columns"), KINDS, ids=[f"{source} {kind}" for source, kind, _ in KINDS])
def test_a_hostile_cell_costs_its_row_at_most(
    store: Engine, tmp_path: Path, source: str, kind: str, columns: dict[str, tuple[str, ...]]
) -> None:
    context = Context(load_shop(ROOT / "tests" / "gateway" / "shop.toml"), NOW)
    take = SOURCES[source][kind]
    path, numbers = tmp_path / "file.csv", itertools.count()
    header = [names[0] for names in columns.values()]
    cell = st.tuples(st.integers(0, 2), st.integers(0, len(header) - 1), st.sampled_from(HOSTILE))
    every = [(1, place, value) for place in range(len(header)) for value in HOSTILE]
    stored = 0

    @QUICK
    @given(st.lists(cell, min_size=1, max_size=4))
    @example([])
    def attack(changes: list[tuple[int, int, str]]) -> None:
        nonlocal stored
        run = next(numbers)
        rows = [[usual(source, column, run * 10 + row) for column in columns] for row in range(3)]
        for row, place, value in changes:
            rows[row][place] = value
        write(path, [header, *rows])
        before = contents()
        try:
            first = take(path, context)
        except UnreadableFile:
            assert contents() == before
            return
        assert all(refusal.line > 1 and refusal.reason for refusal in first.refused)
        after = contents()
        if first.ok and first.rows:
            assert first.added + first.updated + first.unchanged > 0
        stored += first.added
        second = take(path, context)
        assert not second.changed
        assert second.refused == first.refused
        assert contents() == after

    attack()
    assert stored > 0
    # Each value in each column once, all in one file: whatever one row does, the others come through.
    rows = [[usual(source, column, 100_000 + number) for column in columns] for number in range(len(every))]
    for row, (_, place, value) in zip(rows, every, strict=True):
        row[place] = value
    write(path, [header, *rows])
    first = take(path, context)
    assert all(refusal.line > 1 and refusal.reason for refusal in first.refused)
    after = contents()
    second = take(path, context)
    assert not second.changed
    assert contents() == after


def test_a_guests_order_stays_with_whom_it_was_given_to_first(store: Engine, tmp_path: Path) -> None:
    """Though the file makes further customers with the same address."""
    context = Context(load_shop(ROOT / "tests" / "gateway" / "shop.toml"), NOW)
    path = tmp_path / "orders.csv"
    header = ["customer_id", "date", "amount", "order_number", "email"]
    made = [["first", "2026-11-01", "5.00", "guest-0", "shared@example.com"]]
    more = [["", "2026-11-02", "5.00", "guest-1", "shared@example.com"]]
    more += [[name, "2026-11-03", "5.00", f"guest-{name}", "shared@example.com"] for name in ("second", "third")]
    for rows in ([*made], [*made, *more]):
        write(path, [header, *rows])
        assert SOURCES["csv"]["orders"](path, context).added > 0
    after = contents()
    assert not SOURCES["csv"]["orders"](path, context).changed
    assert contents() == after
