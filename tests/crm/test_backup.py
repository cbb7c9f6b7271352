"""Backups of a real store on both databases, put back and compared row by row."""

import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, select

import crm
from crm import backup, conversations, migrate, tickets
from crm.backup import BadBackup, WrongPassphrase
from crm.backup.sealing import BLOCK
from crm.database import make_engine, unbind
from crm.models import Author, Channel, Customer, TicketKind
from tests.support.databases import new_database
from tests.support.factories import a_product, an_article, an_order, lin, park

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def shop(store: Engine) -> Engine:
    """A store with something in most tables, odd characters and empty cells included."""
    with crm.session() as session:
        tea = a_product(session, "Tea 🍵", "茶")
        an_order(session, "1001", of=lin(session), lines=(tea,))
        an_order(session, "1002", of=park(session))
        an_article(session, "care", "Care", 'Line one\nline "two"\u2028three')
        identity = conversations.identity_of(session, Channel.TELEGRAM, "4711", now=NOW, display_name="林")
        conversation = conversations.open_conversation(session, identity, language="zh", now=NOW)
        line, _ = conversations.receive(session, conversation, text="坏了 \u200d😡", external_id="1", now=NOW)
        reply = conversations.Reply("抱歉", buttons=[{"title": "人工", "payload": "/talk_to_human"}])
        conversations.add_message(session, conversation, reply, author=Author.BOT, now=NOW, turn=line.seq)
        tickets.open_ticket(session, conversation, kind=TicketKind.COMPLAINT, request_key="k", text="坏了", now=NOW)
    return store


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Another, empty database."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path}/elsewhere.db")
        yield engine
        engine.dispose()
        return
    with new_database(request.getfixturevalue("postgres_url")) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


def _contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, in words that both databases share."""
    tables = MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        return {
            table.name: sorted(
                (tuple(_plain(value) for value in row) for row in connection.execute(select(table))), key=repr
            )
            for table in tables.sorted_tables
        }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return value


def test_what_is_restored_is_what_was_there(shop: Engine, elsewhere: Engine, tmp_path: Path) -> None:
    written = backup.write(shop, tmp_path / "desk.backup", now=NOW)
    restored = backup.restore(elsewhere, tmp_path / "desk.backup")

    assert restored == written
    assert written.rows > 10
    assert _contents(elsewhere) == _contents(shop)


def test_a_restored_store_goes_on_with_new_ids(shop: Engine, elsewhere: Engine, tmp_path: Path) -> None:
    backup.write(shop, tmp_path / "desk.backup", now=NOW)
    backup.restore(elsewhere, tmp_path / "desk.backup")

    crm.bind(elsewhere.url.render_as_string(hide_password=False))
    with crm.session() as session:
        known = {customer.id for customer in session.scalars(select(Customer))}
        assert park(session).id not in known
    unbind()


def test_a_backup_shows_one_moment_although_the_desk_goes_on_writing(
    shop: Engine, elsewhere: Engine, tmp_path: Path
) -> None:
    wrote = threading.Event()

    def customer_arrives(table: str, _rows: int) -> None:
        if wrote.is_set():
            return
        with crm.session() as session:
            an_order(session, "late", of=park(session))
        wrote.set()

    before = _contents(shop)
    backup.write(shop, tmp_path / "desk.backup", now=NOW, progress=customer_arrives)
    backup.restore(elsewhere, tmp_path / "desk.backup")

    assert wrote.is_set()
    assert _contents(elsewhere) == before
    assert _contents(shop) != before


def test_a_store_that_holds_something_is_never_written_over(shop: Engine, tmp_path: Path) -> None:
    backup.write(shop, tmp_path / "desk.backup", now=NOW)
    before = _contents(shop)

    with pytest.raises(BadBackup, match="not empty"):
        backup.restore(shop, tmp_path / "desk.backup")
    assert _contents(shop) == before


def _changed(path: Path, name: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        contents = {entry: archive.read(entry) for entry in archive.namelist()}
    assert old in contents[name]
    contents[name] = contents[name].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in contents.items():
            archive.writestr(entry, content)


def test_a_backup_in_which_somebody_changed_a_row_is_refused_whole(
    shop: Engine, elsewhere: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "desk.backup"
    backup.write(shop, path, now=NOW)
    _changed(path, "tables/orders.jsonl", b"1001", b"1009")

    with pytest.raises(BadBackup, match="orders"):
        backup.verify(path)
    with pytest.raises(BadBackup, match="orders"):
        backup.restore(elsewhere, path)
    assert _contents(elsewhere) == {}


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_backup_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)

    with pytest.raises(BadBackup, match=r"holiday\.jpg"):
        backup.read_manifest(path)


def test_a_backup_of_a_newer_version_is_refused(shop: Engine, elsewhere: Engine, tmp_path: Path) -> None:
    path = tmp_path / "desk.backup"
    manifest = backup.write(shop, path, now=NOW)
    _changed(path, "manifest.json", f'"schema": "{manifest.schema}"'.encode(), b'"schema": "9999"')

    with pytest.raises(BadBackup, match="newer version"):
        backup.restore(elsewhere, path)
    assert _contents(elsewhere) == {}


def test_an_interrupted_backup_leaves_the_earlier_one(shop: Engine, tmp_path: Path) -> None:
    path = tmp_path / "desk.backup"
    backup.write(shop, path, now=NOW)
    before = path.read_bytes()

    def power_fails(_table: str, _rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.write(shop, path, now=NOW, progress=power_fails)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_a_database_without_a_store_cannot_be_backed_up(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(BadBackup, match="no schema"):
        backup.write(engine, tmp_path / "desk.backup", now=NOW)
    engine.dispose()


def test_a_backup_of_the_first_schema_is_brought_up_to_date(elsewhere: Engine, tmp_path: Path) -> None:
    from alembic import command

    old = make_engine(f"sqlite:///{tmp_path}/old.db")
    with old.begin() as connection:
        command.upgrade(migrate.config(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO customers (source, external_id, name, accepts_marketing, created_at, updated_at)"
            " VALUES ('csv', '7', 'Lin', 0, '2025-01-01 00:00:00', '2025-01-01 00:00:00')"
        )
    backup.write(old, tmp_path / "old.backup", now=NOW)
    old.dispose()

    backup.restore(elsewhere, tmp_path / "old.backup")

    migrate.check(elsewhere)
    assert len(_contents(elsewhere)["customers"]) == 1


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_what_is_sealed_comes_out_the_same(size: int, tmp_path: Path) -> None:
    plain, sealed, opened = tmp_path / "plain", tmp_path / "sealed", tmp_path / "opened"
    plain.write_bytes(b"x" * size)

    backup.seal(plain, sealed, "correct horse")
    backup.unseal(sealed, opened, "correct horse")

    assert backup.is_sealed(sealed)
    assert not backup.is_sealed(plain)
    assert opened.read_bytes() == plain.read_bytes()
    assert sealed.stat().st_mode & 0o077 == 0


def test_a_sealed_backup_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(b"lin@example.org" * 100_000)
    backup.seal(plain, sealed, "correct horse")

    assert b"lin@example.org" not in sealed.read_bytes()
    with pytest.raises(WrongPassphrase):
        backup.unseal(sealed, tmp_path / "opened", "correct house")


@pytest.mark.parametrize("cut", [10, BLOCK + 100])
def test_a_sealed_backup_that_was_cut_short_does_not_open(cut: int, tmp_path: Path) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(b"x" * 3 * BLOCK)
    backup.seal(plain, sealed, "correct horse")
    whole = sealed.read_bytes()
    # Exactly at the edge of a block the rest would still be well-formed.
    sealed.write_bytes(whole[:-cut] if cut == 10 else whole[: len(backup.sealing.MAGIC) + 16 + 2 * (BLOCK + 16)])

    with pytest.raises((WrongPassphrase, BadBackup)):
        backup.unseal(sealed, tmp_path / "opened", "correct horse")
