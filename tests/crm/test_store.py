"""The ground everything stands on: times, transactions, foreign keys, the schema."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, bindparam, func, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

import crm
from crm import migrate, revisions
from crm.changing import Changing
from crm.database import unbind
from crm.errors import SchemaOutdated, StoreNotBound
from crm.models import Base, Customer, Identity, Order, OrderLine
from tests.crm.conftest import NOW


def a_customer(**values: object) -> Customer:
    return Customer(**{"source": "csv", "external_id": "1", "created_at": NOW, "updated_at": NOW} | values)


def customers_in_store() -> int:
    with crm.reading() as session:
        return session.scalar(select(func.count()).select_from(Customer)) or 0


def test_a_time_comes_back_aware_and_in_utc(store: Engine) -> None:
    noon_in_singapore = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    with crm.session() as session:
        session.add(a_customer(created_at=noon_in_singapore))
    with crm.reading() as session:
        found = session.scalars(select(Customer.created_at)).one()
    assert found == noon_in_singapore
    assert found.tzinfo is UTC


def test_a_time_without_zone_is_refused(store: Engine) -> None:
    with pytest.raises(StatementError, match="no time zone"), crm.session() as session:
        session.add(a_customer(created_at=datetime(2026, 11, 22, 12, 0)))  # noqa: DTZ001 - that is the point
    assert customers_in_store() == 0


def test_a_session_keeps_all_or_nothing(store: Engine) -> None:
    def add_and_fail() -> None:
        with crm.session() as session:
            session.add(a_customer())
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        add_and_fail()
    assert customers_in_store() == 0
    with crm.session() as session:
        session.add(a_customer())
    assert customers_in_store() == 1


def test_the_same_record_of_a_source_is_there_once(store: Engine) -> None:
    with pytest.raises(IntegrityError), crm.session() as session:
        session.add_all([a_customer(), a_customer()])
    assert customers_in_store() == 0


def test_nothing_points_to_what_is_not_there(store: Engine) -> None:
    with pytest.raises(IntegrityError), crm.session() as session:
        session.add(
            Identity(channel="web", external_id="x", customer_id=99, created_at=NOW, last_seen_at=NOW)
        )  # fmt: skip


def test_lines_go_with_their_order(store: Engine) -> None:
    with crm.session() as session:
        line = OrderLine(position=1, title="Tea", quantity=1, unit_price_minor=100)
        session.add(
            Order(
                source="csv", external_id="1", number="1", currency="SGD", placed_at=NOW, updated_at=NOW, lines=[line]
            )
        )
    with crm.session() as session:
        session.execute(text("DELETE FROM orders"))
    with crm.reading() as session:
        assert session.scalar(select(func.count()).select_from(OrderLine)) == 0


def test_sqlite_writes_ahead_and_checks_foreign_keys(store: Engine) -> None:
    if store.dialect.name != "sqlite":
        pytest.skip("these are settings of SQLite")
    with store.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_reader_does_not_wait_for_a_writer(store: Engine) -> None:
    with crm.session() as writing:
        writing.add(a_customer())
        writing.flush()
        assert customers_in_store() == 0
    assert customers_in_store() == 1


def test_writers_wait_for_each_other_and_none_is_lost(store: Engine) -> None:
    def count_up() -> None:
        for _ in range(20):
            with crm.session() as session:
                revisions.bump(session, "counter")

    with crm.session() as session:
        revisions.bump(session, "counter")
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with crm.reading() as session:
        assert revisions.current(session, "counter") == 81


def test_a_revision_counts_from_zero(store: Engine) -> None:
    with crm.session() as session:
        assert revisions.current(session, revisions.CATALOGUE) == 0
        revisions.bump(session, revisions.CATALOGUE)
        assert revisions.current(session, revisions.CATALOGUE) == 1
        assert revisions.current(session, revisions.KNOWLEDGE) == 0


def test_without_a_store_nothing_is_read() -> None:
    unbind()
    with pytest.raises(StoreNotBound), crm.session():
        pass


def test_the_migrations_make_what_the_models_say(store: Engine) -> None:
    # MariaDB has lengths and types of its own (crm/mariadb.py); tables, columns, keys and indexes are the same.
    options = {"compare_type": store.dialect.name != "mariadb"}
    with store.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    assert differences == []


def test_every_migration_has_a_number_of_its_own() -> None:
    numbers = [file.name.split("_")[0] for file in (Path(migrate.__file__).parent / "migrations/versions").glob("*.py")]
    assert sorted(numbers) == sorted(set(numbers))


def test_migrating_twice_changes_nothing(store: Engine) -> None:
    migrate.upgrade(store)
    migrate.check(store)


def test_another_schema_is_noticed(store: Engine) -> None:
    with store.begin() as connection:
        number = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    with pytest.raises(SchemaOutdated, match="schema other"):
        migrate.check(store)
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})
    migrate.check(store)


@pytest.mark.parametrize("text", ["Tee ", "tee", "Tée"])
def test_texts_that_look_alike_are_different_names(store: Engine, text: str) -> None:
    with crm.session() as session:
        for name in ("Tee", text):
            revisions.bump(session, name)
    with crm.reading() as session:
        assert [revisions.current(session, name) for name in ("Tee", text)] == [1, 1]


def test_microseconds_and_long_texts_are_kept_whole(store: Engine) -> None:
    moment = NOW.replace(microsecond=123_456)
    name = "茶" * 20_000 + "🍵"
    with crm.session() as session:
        session.add(a_customer(created_at=moment, name=name))
    with crm.reading() as session:
        assert session.execute(select(Customer.created_at, Customer.name)).one() == (moment, name)


def test_only_one_of_two_changes_finds_the_row_as_it_was(store: Engine) -> None:
    with crm.session() as session:
        session.add_all([a_customer(), a_customer(external_id="2")])
    claim = Changing(
        update(Customer).where(Customer.country.is_(None), Customer.source == bindparam("from")).values(country="SG"),
        Customer.country,
    )
    with crm.session() as session:
        assert claim.all(session, {"from": "shopify"}) == []
        assert claim.all(session, {"from": "csv"}) == ["SG", "SG"]
        assert claim.first(session, {"from": "csv"}) is None
