"""A person's own data: all of it is shown, all of it can be forgotten, and the shop's sums stay."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, Table, func, insert, select

import crm
from crm import conversations, customers, migrate, orders, privacy, tickets
from crm.database import scrub, unbind
from crm.importers import SOURCES, Context
from crm.models import (
    Alert,
    AlertKind,
    Base,
    Channel,
    Conversation,
    Customer,
    Erasure,
    Feedback,
    Identity,
    Message,
    Order,
    TicketKind,
    TicketStatus,
)
from crm.privacy.exporting import NOT_EXPORTED, exported_tables
from crm.privacy.footprint import reachable, references
from crm.privacy.kept import KEPT
from crm.privacy.subjects import SubjectAmbiguous, SubjectNotFound
from crm.privacy.tracker import forget
from tests.support import factories
from tests.support.factories import NOW

SECRETS = ("Ms Park", "park@example.com", "+6591230001", "a poem about my kettle", "chat-77", "rather private")


@dataclass
class People:
    park: int
    lin: int
    park_conversation: str
    lin_conversation: str


@pytest.fixture
def people(store: Engine) -> People:
    """Park and Lin, each with an order, a conversation in which it was proven, and a ticket."""
    with crm.session() as session:
        kettle = factories.a_product(session, "Kettle", "水壶")
        made = []
        for customer, number, address in (
            (factories.park(session), "1001", "chat-77"),
            (factories.lin(session), "1002", "chat-78"),
        ):
            factories.an_order(session, number, of=customer, lines=(kettle,))
            identity = conversations.identity_of(
                session, Channel.TELEGRAM, address, now=NOW, display_name=customer.name
            )
            talk = conversations.open_conversation(session, identity, language="en", now=NOW)
            message, _ = conversations.receive(
                session,
                talk,
                text="a poem about my kettle" if number == "1001" else "hello",
                external_id=f"{address}:1",
                now=NOW,
            )
            message.turn = message.seq
            proof = orders.prove(session, talk, number, str(customer.email), now=NOW)
            assert proof.order is not None
            orders.note_disclosure(session, talk, proof.order, "action_order_status", now=NOW)
            tickets.open_ticket(
                session,
                talk,
                kind=TicketKind.COMPLAINT,
                request_key=f"{address}:1",
                text="rather private",
                order=proof.order,
                now=NOW,
            )
            customers.stop_marketing(session, talk, wording="no more letters", now=NOW)
            session.add(Feedback(conversation_id=talk.id, score=2, comment="rather private", given_at=NOW))
            made.append((customer.id, talk.public_id))
        session.add(Alert(key="a", kind=AlertKind.ANGRY_VALUABLE, data={"name": "Ms Park", "n": 1}, opened_at=NOW))
    (park, park_talk), (lin, lin_talk) = made
    return People(park, lin, park_talk, lin_talk)


def erased(who: str) -> privacy.Receipt:
    with crm.session() as session:
        return privacy.erase(session, privacy.find(session, who), asked_by="owner", now=NOW)


def everything(engine: Engine) -> str:
    """Every value of every table, as text."""
    with engine.connect() as connection:
        rows = [
            list(map(str, row)) for table in Base.metadata.sorted_tables for row in connection.execute(select(table))
        ]
    return json.dumps(rows, ensure_ascii=False)


# -------------------------------------------------------------------------------------------------------------- showing


def test_the_export_is_complete_and_is_about_one_person_only(people: People) -> None:
    with crm.reading() as session:
        found = privacy.export(session, privacy.find(session, "park@example.com"), now=NOW)
    text = json.dumps(found, ensure_ascii=False)
    assert found["customer"]["name"] == "Ms Park"
    assert [order["number"] for order in found["orders"]] == ["1001"]
    assert (found["orders"][0]["total"], found["orders"][0]["currency"]) == ("18.00", "SGD")
    assert found["orders"][0]["lines"][0]["product"] == "Kettle 水壶"
    assert [m["text"] for m in found["conversations"][0]["messages"]] == ["a poem about my kettle"]
    assert found["tickets"][0]["text"] == "rather private"
    assert found["feedback"][0]["score"] == 2
    assert found["consents"][0]["wording"] == "no more letters"
    assert [told["what"] for told in found["disclosures"]] == ["action_order_status"]
    for other in ("林先生", "lin@example.org", "1002", "chat-78"):
        assert other not in text
    assert "lease" not in text


def test_no_table_with_a_path_to_a_customer_is_forgotten() -> None:
    """A table that is added to the store is exported by itself, or named with the reason why it is not."""
    exported = set(exported_tables())
    for table in Base.metadata.sorted_tables:
        about_a_customer = table.name in ("customers", "identities") or _leads_to_a_customer(table, set())
        assert not about_a_customer or table.name in exported or NOT_EXPORTED.get(table.name), table.name


def _leads_to_a_customer(table: Table, seen: set[str]) -> bool:
    seen.add(table.name)
    for key in table.foreign_keys:
        parent = key.column.table
        if parent.name in ("customers", "identities"):
            return True
        if parent.name not in seen and _leads_to_a_customer(parent, seen):
            return True
    return False


def test_what_is_kept_of_an_erased_person_exists() -> None:
    """So that a column which is renamed is not emptied unawares."""
    tables = {table.name: set(table.c.keys()) for table in reachable()}
    may_come = {"sentiment", "mood", "scored_at", "made_at", "model", "score", "label", "message_id"}
    for name, columns in KEPT.items():
        assert columns - tables.get(name, columns) <= may_come, name


# -------------------------------------------------------------------------------------------------------- whose is it?


@pytest.mark.parametrize(
    "who", ["park@example.com", " PARK@example.com ", "1001", "#1001", "order:1001", "email:park@example.com"]
)
def test_a_person_is_found_by_what_the_shop_knows(people: People, who: str) -> None:
    with crm.reading() as session:
        assert privacy.find(session, who, strict=True).customer == people.park
        assert privacy.find(session, f"id:{people.park}").customer == people.park
        own_id = session.get_one(Customer, people.park).external_id
        assert privacy.find(session, f"test:{own_id}").customer == people.park
        assert privacy.find(session, f"conversation:{people.park_conversation}").customer == people.park


def test_nobody_and_several_are_said_clearly(people: People) -> None:
    with crm.session() as session:
        session.get_one(Customer, people.lin).external_id = "1001"  # also the number of Park's order
    with crm.reading() as session:
        with pytest.raises(SubjectNotFound, match="nobody@example"):
            privacy.find(session, "nobody@example.com")
        with pytest.raises(SubjectAmbiguous, match="order:1001"):
            privacy.find(session, "1001", strict=True)
        assert privacy.find(session, "1001").customer == people.lin
        assert privacy.find(session, "order:1001", strict=True).customer == people.park


# ----------------------------------------------------------------------------------------------------------- forgetting


def test_nothing_of_an_erased_person_is_left_and_the_sums_stay(store: Engine, people: People) -> None:
    with crm.reading() as session:
        before = session.execute(select(func.count(), func.sum(Order.total_minor))).one()
    receipt = erased("park@example.com")
    assert receipt.conversations == (people.park_conversation,)
    assert receipt.emptied["orders"] == 1
    left = everything(store)
    for secret in SECRETS[:5]:
        assert secret not in left, secret
    assert "林先生" in left
    assert "hello" in left
    with crm.reading() as session:
        assert session.execute(select(func.count(), func.sum(Order.total_minor))).one() == before
        assert session.scalar(select(func.count()).select_from(Message)) == 2
        assert session.scalar(select(func.avg(Feedback.score))) == 2
        park = session.get_one(Customer, people.park)
        assert (park.name, park.email, park.erased_at) == (None, None, NOW)
        assert session.scalars(select(Order.customer_id).where(Order.number == "1001")).one() == people.park
        assert session.scalars(select(Alert.data)).one() == {"name": "…", "n": 1}
        with pytest.raises(SubjectNotFound):
            privacy.find(session, "park@example.com")


def test_no_byte_is_left_in_the_file(tmp_path: Path) -> None:
    engine = crm.bind(f"sqlite:///{tmp_path}/desk.db")
    migrate.upgrade(engine)
    with crm.session() as session:
        customer = factories.park(session)
        factories.an_order(session, "1001", of=customer)
    erased("park@example.com")
    scrub(engine)
    for file in tmp_path.glob("desk.db*"):
        content = file.read_bytes()
        assert b"park@example.com" not in content
        assert b"Ms Park" not in content
    unbind()


def test_erasing_twice_changes_nothing_more(people: People, store: Engine) -> None:
    erased("1001")
    before = everything(store)
    with crm.session() as session:
        subject = privacy.subjects.of_customer(session, people.park)
        assert privacy.erase(session, subject, asked_by="owner", now=NOW + timedelta(days=1)).already
    assert everything(store) == before


def test_an_import_does_not_bring_an_erased_person_back(
    store: Engine, file: Callable[..., Path], context: Context
) -> None:
    list_ = file("customer_id,name,email\n7,Ms Park,park@example.com\n", "customers.csv")
    bought = file("customer_id,date,amount,order_number,email\n7,2026-01-05,18,A1,park@example.com\n", "orders.csv")
    SOURCES["csv"]["customers"](list_, context)
    SOURCES["csv"]["orders"](bought, context)
    with crm.session() as session:
        privacy.erase(session, privacy.find(session, "7"), asked_by="owner", now=context.now)
    assert not SOURCES["csv"]["customers"](list_, context).changed
    assert not SOURCES["csv"]["orders"](bought, context).changed
    # An older order that was not there before counts as a sale, without the person; a later one is a new customer's.
    header = "customer_id,date,amount,order_number,email"
    older = file(f"{header}\n7,2025-12-24,5,A0,park@example.com\n", "older.csv")
    SOURCES["csv"]["orders"](older, context)
    assert "park@example.com" not in everything(store)
    later = replace(context, now=context.now + timedelta(days=2))
    newer = file(f"{header}\n7,2026-11-23,6,A2,park@example.com\n", "newer.csv")
    assert SOURCES["csv"]["orders"](newer, later).customers_created == 1


def test_a_restored_backup_is_cleaned_of_those_who_were_erased_since(people: People, store: Engine) -> None:
    with crm.session() as session:
        before = {t.name: [dict(r) for r in session.execute(select(t)).mappings()] for t in Base.metadata.sorted_tables}
    erased("1001")
    with crm.reading() as session:
        records = privacy.erasure_records(session)
    assert "park" not in json.dumps([record.as_dict() for record in records]).lower()
    with store.begin() as connection:  # put the old state back
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
        for table in Base.metadata.sorted_tables:
            if before[table.name]:
                connection.execute(insert(table), before[table.name])
    assert "park@example.com" in everything(store)
    kept = [privacy.ErasureRecord.of(record.as_dict()) for record in records]
    with crm.session() as session:
        assert len(privacy.reapply_erasures(session, kept)) >= 1
    left = everything(store)
    assert all(secret not in left for secret in SECRETS[:5])
    assert "林先生" in left
    with crm.session() as session:
        assert privacy.reapply_erasures(session, kept) == []


def test_whoever_asks_in_the_chat_still_gets_the_answer(people: People, store: Engine) -> None:
    with crm.session() as session:
        talk = conversations.by_public_id(session, people.park_conversation)
        waiting, _ = conversations.receive(session, talk, text="yes, erase me", external_id="chat-77:9", now=NOW)
        line = waiting.id
        privacy.erase(
            session, privacy.subjects.of_conversation(session, talk), asked_by="customer", now=NOW, answering=talk
        )
    with crm.session() as session:
        talk = conversations.by_public_id(session, people.park_conversation)  # the address still works
        assert session.get_one(Message, line).text == "yes, erase me"
        assert session.get_one(Identity, talk.identity_id).external_id == "chat-77"
        session.get_one(Message, line).turn = 1
    with crm.session() as session:
        assert privacy.finish_erasures(session) == (people.park_conversation,)
    left = everything(store)
    assert "yes, erase me" not in left
    assert "chat-77" not in left
    with crm.reading() as session:
        assert session.scalars(select(Erasure.open_conversation_id)).one() is None


def test_rasa_forgets_as_well(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/rasa.db"
    assert forget(url, ["a"]) == 0
    with sqlite3.connect(tmp_path / "rasa.db") as rasa:
        rasa.execute("CREATE TABLE trackers (sender_id TEXT PRIMARY KEY, events BLOB, saved_at REAL)")
        rasa.executemany("INSERT INTO trackers VALUES (?, ?, 0)", [("a", b"words of a"), ("b", b"words of b")])
    rasa.close()
    assert forget(url, ["a", "unknown"]) == 1
    assert b"words of a" not in (tmp_path / "rasa.db").read_bytes()


# -------------------------------------------------------------------------------------------------------------- keeping


def test_what_is_too_old_goes_and_what_is_still_needed_stays(people: People, store: Engine) -> None:
    later = NOW + timedelta(days=400)
    with crm.session() as session:
        stranger = conversations.identity_of(session, Channel.WEB, "visitor-1", now=NOW)
        talk = conversations.open_conversation(session, stranger, language="en", now=NOW)
        line, _ = conversations.receive(session, talk, text="old words", external_id="v:1", now=NOW)
        line.turn = line.seq
        waiting = conversations.identity_of(session, Channel.WEB, "visitor-2", now=NOW)
        open_talk = conversations.open_conversation(session, waiting, language="en", now=NOW)
        conversations.receive(session, open_talk, text="nobody answered", external_id="v:2", now=NOW)
        recent = conversations.identity_of(session, Channel.WEB, "visitor-3", now=later)
        new_talk = conversations.open_conversation(session, recent, language="en", now=later)
        conversations.receive(session, new_talk, text="new words", external_id="v:3", now=later)
        for ticket in session.query(tickets.Ticket):
            ticket.status, ticket.done_at = TicketStatus.DONE, NOW

    with crm.session() as session:
        counted = privacy.prune(session, retention_days=365, now=later, dry_run=True)
    assert "old words" in everything(store)
    with crm.session() as session:
        pruned = privacy.prune(session, retention_days=365, now=later)
    assert pruned.as_dict() == counted.as_dict()
    assert (pruned.messages, pruned.conversations, pruned.visitors, pruned.tickets) == (3, 3, 1, 2)
    left = everything(store)
    for gone in ("old words", "visitor-1", "a poem about my kettle"):
        assert gone not in left
    for kept in ("nobody answered", "new words", "Ms Park", "1001"):
        assert kept in left
    with crm.reading() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 2
        assert session.scalar(select(func.count()).select_from(Order)) == 2
    with crm.session() as session:
        assert sum(privacy.prune(session, retention_days=365, now=later).as_dict().values()) == 0


def test_references_by_name_count_without_a_foreign_key() -> None:
    tables = {table.name for table in reachable()}
    assert {"orders", "messages", "tickets", "follow_ups", "disclosures"} <= tables
    assert ("customer_id", "customers") in {(c.name, p) for c, p in references(Base.metadata.tables["orders"])}
