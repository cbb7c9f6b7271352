"""Personal fields lie encrypted in the database, are found all the same, and can change their key."""

import base64
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, MetaData, inspect, select, text
from sqlalchemy.orm import Session

import crm
from crm import conversations, customer_view, inbox, migrate, sealing
from crm.backup import restore, write
from crm.database import unbind
from crm.models import (
    Alert,
    AlertKind,
    Author,
    Base,
    Channel,
    Conversation,
    Customer,
    Handoff,
    HandoffReason,
    Identity,
    Message,
    Order,
)
from crm.sealing import DataKeyMissing, Keyring, WrongDataKey, belonging
from crm.sealing.belonging import RotationUnfinished
from crm.sealing.rewriting import sealed_columns

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
CHANGES_THE_KEY = True
PERSONAL = ("Anna Fischer", "anna.fischer@example.com", "+4915112345678", "Tübingen", "Frau Fischer wartet seit Montag")


def key(number: int) -> str:
    return base64.urlsafe_b64encode(bytes([number]) * 32).decode()


@pytest.fixture(autouse=True)
def first_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DESK_DATA_KEY", key(1))
    sealing.forget()
    yield
    sealing.forget()


def a_conversation(session: Session) -> Conversation:
    identity = conversations.identity_of(session, Channel.WEB, "visitor", now=NOW)
    return conversations.open_conversation(session, identity, language="en", now=NOW)


def put_anna() -> None:
    name, email, phone, city, summary = PERSONAL
    with crm.session() as session:
        customer = Customer(
            source="csv", external_id=email, name=name, email=email, phone=phone, created_at=NOW, updated_at=NOW
        )
        session.add(customer)
        session.flush()
        session.add(
            Order(
                source="csv", external_id="1", number="1043", customer_id=customer.id, email=email, phone=phone,
                city=city, currency="EUR", placed_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
        conversation = a_conversation(session)
        identity = session.get_one(Identity, conversation.identity_id)
        identity.customer_id, identity.display_name = customer.id, name
        conversation.last_seq = 1
        session.add(
            Handoff(conversation_id=conversation.id, reason=HandoffReason.ASKED, summary=summary, opened_at=NOW)
        )
        session.add(Alert(key="a", kind=AlertKind.ANGRY_VALUABLE, data={"name": name}, opened_at=NOW))


def everything_stored(engine: Engine) -> str:
    """All that a thief of the database reads."""
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return "\n".join(str(tuple(row)) for table in tables.sorted_tables for row in connection.execute(select(table)))


def test_nothing_personal_can_be_read_in_the_database(store: Engine) -> None:
    put_anna()
    stored = everything_stored(store)
    assert "1043" in stored  # the shop's own numbers are no secret
    assert not [value for value in PERSONAL if value in stored]


def test_nothing_personal_can_be_read_in_the_files_of_sqlite(tmp_path: Path) -> None:
    migrate.upgrade(crm.bind(f"sqlite:///{tmp_path}/desk.db"))
    put_anna()
    unbind()
    for file in tmp_path.glob("desk.db*"):
        content = file.read_bytes()
        assert not [value for value in PERSONAL if value.encode() in content], file.name


def test_a_customer_is_found_by_what_is_encrypted(store: Engine) -> None:
    put_anna()
    name, email, phone, city, summary = PERSONAL
    with crm.reading() as session:
        found = session.scalars(select(Customer).where(Customer.email == email)).one()
        assert (found.name, found.phone, found.external_id) == (name, phone, email)
        assert session.scalars(select(Customer.id).where(Customer.phone.in_([phone, "+1"]))).all() == [found.id]
        assert session.scalars(select(Customer.id).where(Customer.external_id == email)).all() == [found.id]
        joined = select(Order.city).join(Customer, Customer.email == Order.email)
        assert session.scalars(joined).all() == [city]
        assert session.scalars(select(Handoff.summary)).all() == [summary]
        assert session.scalars(select(Alert.data)).all() == [{"name": name}]


@pytest.mark.parametrize(
    "search", ["fischer", "FISCHER", "anna f", "anna.fischer@example.com", "+4915112345678", "1043"]
)
def test_the_owner_finds_a_customer_by_part_of_the_name(store: Engine, search: str) -> None:
    put_anna()
    with crm.reading() as session:
        assert [row.customer.name for row in customer_view.find(session, search)] == [PERSONAL[0]]
        if search != "1043":
            assert [row.name for row in inbox.rows(session, search=search)] == [PERSONAL[0]]
        assert customer_view.find(session, "fischerin") == []
        assert inbox.rows(session, search="fischerin") == []


def test_equal_names_cannot_be_told_from_different_ones(store: Engine) -> None:
    with crm.session() as session:
        for number in range(2):
            session.add(Customer(source="csv", external_id=f"{number}", name="Li Wei", created_at=NOW, updated_at=NOW))
    with store.connect() as connection:
        stored = connection.execute(text("SELECT name FROM customers")).scalars().all()
    assert len(set(stored)) == 2


def test_a_value_put_into_another_field_is_refused() -> None:
    ring = Keyring([key(1)])
    sealed = ring.seal("email", "anna@example.com", lookup=True)
    assert ring.open("email", sealed, lookup=True) == "anna@example.com"
    with pytest.raises(ValueError, match="phone"):
        ring.open("phone", sealed, lookup=True)
    with pytest.raises(ValueError, match="changed"):
        ring.open("email", sealed[:-8] + "AAAAAAA=", lookup=True)


def test_messages_are_encrypted_where_that_is_asked_for(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(conversation: int, seq: int, words: str) -> None:
        with crm.session() as session:
            session.add(
                Message(
                    conversation_id=conversation, seq=seq, author=Author.CUSTOMER, channel=Channel.WEB, text=words,
                    entities=[{"entity": "email", "value": "x@example.com"}], created_at=NOW,
                )
            )  # fmt: skip
            session.get_one(Conversation, conversation).last_seq = seq

    with crm.session() as session:
        conversation = a_conversation(session).id
    say(conversation, 1, "where is my plain parcel")
    say(conversation, 2, "enc:looks like something else")
    monkeypatch.setenv("DESK_ENCRYPT_MESSAGES", "1")
    sealing.forget()
    say(conversation, 3, "我的包裹 is a secret")
    stored = everything_stored(store)
    assert "plain parcel" in stored
    assert "looks like something else" not in stored
    assert "secret" not in stored
    with crm.reading() as session:
        told = session.scalars(select(Message.text).order_by(Message.seq)).all()
        assert told == ["where is my plain parcel", "enc:looks like something else", "我的包裹 is a secret"]
        for search in ("plain PARCEL", "包裹", "looks like"):
            assert [row.id for row in inbox.rows(session, search=search)] == [conversation]
        assert inbox.rows(session, search="parcels") == []


def test_a_store_without_its_key_says_so_and_stays_as_it_is(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    put_anna()
    before = everything_stored(store)
    monkeypatch.setenv("DESK_DATA_KEY", key(2))
    sealing.forget()
    for opened in (migrate.upgrade, migrate.check):
        with pytest.raises(WrongDataKey, match=rf"key {Keyring([key(1)]).active};.*key {Keyring([key(2)]).active}"):
            opened(store)
    monkeypatch.setenv("DESK_DATA_KEY", "")
    sealing.forget()
    with pytest.raises(DataKeyMissing, match="put back the"):
        migrate.check(store)
    assert everything_stored(store) == before


def test_a_key_is_replaced_by_another_for_everything_at_once(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    put_anna()
    before = everything_stored(store)
    with store.begin() as connection:
        count = belonging.rotate(connection, Keyring([key(2), key(1)]), now=NOW)
    after = everything_stored(store)
    assert count == before.count("enc:") == after.count("enc:")
    assert f"enc:{Keyring([key(1)]).active}" not in after
    monkeypatch.setenv("DESK_DATA_KEY", key(2))
    sealing.forget()
    migrate.check(store)
    with crm.reading() as session:
        found = session.scalars(select(Customer).where(Customer.email == PERSONAL[1])).one()
        assert (found.name, found.phone) == (PERSONAL[0], PERSONAL[2])
        assert session.scalars(select(Alert.data)).all() == [{"name": PERSONAL[0]}]


def test_a_rotation_that_breaks_off_leaves_the_old_key(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    put_anna()
    before = everything_stored(store)
    with pytest.raises(WrongDataKey), store.begin() as connection:
        belonging.rotate(connection, Keyring([key(2)]), now=NOW)  # the old key is not at hand
    assert everything_stored(store) == before
    monkeypatch.setenv("DESK_DATA_KEY", key(2))
    monkeypatch.setenv("DESK_DATA_KEY_OLD", key(1))
    sealing.forget()
    with pytest.raises(RotationUnfinished, match="desk rotate-key"):
        migrate.check(store)


def test_a_store_from_before_is_encrypted_when_it_is_brought_up_to_date(database_url: str) -> None:
    engine = crm.bind(database_url)
    with engine.begin() as connection:
        command.upgrade(migrate.config(connection), "0011")
        connection.execute(
            text(
                "INSERT INTO customers"
                " (id, source, external_id, name, email, accepts_marketing, created_at, updated_at)"
                " VALUES (7, 'csv', 'a@example.com', 'Anna Fischer', 'a@example.com', false, :at, :at)"
            ),
            {"at": NOW.replace(tzinfo=None)},
        )
        connection.execute(
            text(
                "INSERT INTO customers (id, source, external_id, accepts_marketing, created_at, updated_at, erased_at)"
                " VALUES (8, 'csv', 'erased:0123', false, :at, :at, :at)"
            ),
            {"at": NOW.replace(tzinfo=None)},
        )
        connection.execute(
            text("INSERT INTO alerts (key, kind, data, opened_at) VALUES ('a', 'model_drift', :data, :at)"),
            {"data": '{"name": "Anna Fischer"}', "at": NOW.replace(tzinfo=None)},
        )
    migrate.upgrade(engine)
    stored = everything_stored(engine)
    assert "erased:0123" in stored
    assert "Anna" not in stored
    assert "example.com" not in stored
    with crm.reading() as session:
        assert session.scalars(select(Customer.name).where(Customer.email == "a@example.com")).all() == ["Anna Fischer"]
        assert session.scalars(select(Alert.data)).all() == [{"name": "Anna Fischer"}]
    with engine.begin() as connection:
        command.downgrade(migrate.config(connection), "0011")
    assert "Anna Fischer" in everything_stored(engine)
    assert not inspect(engine).has_table("data_key")
    unbind()


def test_a_backup_holds_what_is_encrypted_as_it_is(store: Engine, tmp_path: Path) -> None:
    put_anna()
    write(store, tmp_path / "desk.backup", now=NOW)
    with zipfile.ZipFile(tmp_path / "desk.backup") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert not [value for value in PERSONAL if value in content]
    engine = crm.bind(f"sqlite:///{tmp_path}/restored.db")
    restore(engine, tmp_path / "desk.backup")
    with crm.reading() as session:
        assert session.scalars(select(Customer.name)).all() == [PERSONAL[0]]


def test_a_backup_of_another_key_is_not_restored(
    store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_anna()
    write(store, tmp_path / "desk.backup", now=NOW)
    monkeypatch.setenv("DESK_DATA_KEY", key(2))
    engine = crm.bind(f"sqlite:///{tmp_path}/restored.db")
    with pytest.raises(WrongDataKey):
        restore(engine, tmp_path / "desk.backup")
    assert inspect(engine).get_table_names() == []


def test_every_personal_column_of_the_models_is_encrypted() -> None:
    sealed = {(column.table, column.column) for column in sealed_columns(Base.metadata)}
    named = ("name", "display_name", "email", "phone", "city", "contact", "comment")
    plain = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name in named and (table.name, column.name) not in sealed
    }
    # The owner's helpers sign in by name; the others name no person.
    assert plain == {("staff", "name"), ("revisions", "name"), ("preferences", "name"), ("digest_pictures", "name")}


def test_keys_are_checked_when_they_are_read() -> None:
    for wrong in ("short", base64.urlsafe_b64encode(b"31 bytes are one byte too few..").decode(), "ü" * 44):
        with pytest.raises(sealing.BadDataKey, match="32 bytes"):
            Keyring([wrong])
