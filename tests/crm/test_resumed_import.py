"""An import that is interrupted: nothing is half written, and the next one goes on from there."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

import crm
from crm.importers import SOURCES, Context, ImportReport
from crm.models import ImportProgress, Order, OrderLine, Variant

HEADER = "customer_id,date,order_number,sku,product,price,quantity"


class PowerCut(Exception):
    pass


def rows_of(orders: int) -> str:
    lines = [HEADER]
    for number in range(1, orders + 1):
        day = f"2026-{1 + number % 10:02}-{1 + number % 27:02}"
        lines += [f"{number % 40},{day},{number},S{place},Thing {place},{5 + number % 9},1" for place in range(3)]
    return "\n".join(lines) + "\n"


def cut_after(context: Context, batches: int) -> Context:
    """The power goes when that many batches are stored."""
    told = iter(range(batches))

    def progress(rows: int, done: int, in_all: int) -> None:
        if next(told, None) is None:
            raise PowerCut

    return replace(context, progress=progress)


def take(path: Path, context: Context) -> ImportReport:
    return SOURCES["csv"]["orders"](path, context)


def contents() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    with crm.reading() as session:
        lines = select(Order.external_id, OrderLine.position, OrderLine.title, OrderLine.unit_price_minor)
        variants = select(Variant.sku, Variant.price_minor)
        return (
            sorted(tuple(row) for row in session.execute(lines.join(OrderLine))),
            sorted(tuple(row) for row in session.execute(variants)),
        )


def test_it_goes_on_where_it_stopped_and_ends_as_if_nothing_had_happened(
    store: Engine, file: Callable[..., Path], context: Context
) -> None:
    path = file(rows_of(2_000), "orders.csv")
    with pytest.raises(PowerCut):
        take(path, cut_after(context, 1))
    with crm.reading() as session:
        stored = session.scalar(select(func.count()).select_from(Order)) or 0
        assert 0 < stored < 2_000
        per_order = select(func.count()).select_from(OrderLine).group_by(OrderLine.order_id)
        assert set(session.scalars(per_order)) == {3}  # no order is half written
        assert session.scalars(select(ImportProgress.records)).one() == stored
    report = take(path, context)
    assert (report.added, report.unchanged) == (2_000 - stored, stored)
    assert any(f"{stored:,}" in note for note in report.notes)
    with crm.reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportProgress)) == 0
    resumed = contents()

    with crm.session() as session:  # the same file in one go, into an empty store
        for model in (OrderLine, Order, Variant):
            session.query(model).delete()
    again = take(path, context)
    assert again.added == 2_000
    assert contents()[0] == resumed[0]


def test_the_newest_price_wins_across_the_interruption(
    store: Engine, file: Callable[..., Path], context: Context
) -> None:
    """The first part made the product; its newest purchase stands in the first part as well, a dearer one later."""
    rows = [HEADER, "1,2026-03-01,A,S1,Thing,9,1"]
    rows += [f"1,2026-01-{1 + n % 28:02},F{n},S2,Filler,3,1" for n in range(2_500)]
    path = file("\n".join([*rows, "1,2026-02-01,B,S1,Thing,4,1", "1,2026-05-01,C,S2,Filler,8,1"]) + "\n")
    with pytest.raises(PowerCut):
        take(path, cut_after(context, 1))
    take(path, context)
    assert contents()[1] == [("S1", 900), ("S2", 800)]


def test_a_changed_file_is_read_from_its_beginning(store: Engine, file: Callable[..., Path], context: Context) -> None:
    with pytest.raises(PowerCut):
        take(file(rows_of(1_000), "orders.csv"), cut_after(context, 1))
    report = take(file(rows_of(1_001), "orders.csv"), context)
    assert report.added + report.unchanged == 1_001
    assert not any("interrupted" in note for note in report.notes)
