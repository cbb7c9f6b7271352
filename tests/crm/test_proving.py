"""Showing that an order is one's own: limited in every direction, alike for wrong and for strangers' numbers."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

import crm
from crm import conversations, customers, orders
from crm.models import AccountLink, Channel, Consent, ConsentKind, Conversation, CustomerMerge, Identity, Order
from tests.support import factories
from tests.support.factories import NOW


@dataclass
class Shop:
    park: int
    lin: int
    engine: Engine


@pytest.fixture
def shop(store: Engine) -> Shop:
    with crm.session() as session:
        park, lin = factories.park(session), factories.lin(session)
        factories.an_order(session, "1001", of=park)
        factories.an_order(session, "1002", of=lin)
        return Shop(park.id, lin.id, store)


def a_talk(visitor: str, address: str | None = None, channel: Channel = Channel.WEB) -> int:
    with crm.session() as session:
        identity = conversations.identity_of(session, channel, visitor, now=NOW)
        talk = conversations.open_conversation(session, identity, language="en", now=NOW)
        talk.address = address
        return talk.id


def tries(talk: int, number: str, contact: str, *, days: int = 0) -> tuple[bool, bool]:
    """Whether it was proven, and whether a person has to look now."""
    with crm.session() as session:
        conversation = session.get_one(Conversation, talk)
        proof = orders.prove(session, conversation, number, contact, now=NOW + timedelta(days=days))
        return proof.order is not None, proof.exhausted


def owner_of(talk: int) -> int | None:
    with crm.reading() as session:
        return session.get_one(Identity, session.get_one(Conversation, talk).identity_id).customer_id


def test_guessing_ends_after_five_failures_in_one_conversation(shop: Shop) -> None:
    talk = a_talk("v")
    assert [tries(talk, "1001", "wrong@example.com")[1] for _ in range(5)] == [False] * 4 + [True]
    assert tries(talk, "1001", "park@example.com") == (False, True)  # not even the right one helps now
    assert tries(talk, "1001", "park@example.com", days=2) == (True, False)


def test_new_conversations_from_one_address_do_not_start_anew(shop: Shop) -> None:
    most = orders.MAX_FAILURES_PER_ADDRESS
    outcomes = [tries(a_talk(f"v{n}", "home"), f"99{n}", "park@example.com") for n in range(most)]
    assert outcomes == [(False, False)] * (most - 1) + [(False, True)]
    assert tries(a_talk("another", "home"), "1001", "park@example.com") == (False, True)
    assert tries(a_talk("elsewhere", "office"), "1001", "park@example.com") == (True, False)


def test_one_number_is_not_guessed_from_many_addresses(shop: Shop) -> None:
    for n in range(orders.MAX_FAILURES_PER_ORDER):
        tries(a_talk(f"v{n}", f"address {n}"), "1001", "wrong@example.com")
    assert tries(a_talk("last", "fresh"), "1001", "park@example.com") == (False, True)
    assert tries(a_talk("other", "fresh"), "1002", "lin@example.org") == (True, False)


def test_a_strangers_number_and_a_wrong_one_cost_the_same(shop: Shop) -> None:
    """The same statements in the same order: nothing to measure from outside."""

    def statements(number: str, contact: str) -> list[str]:
        talk, seen = a_talk(f"{number}{contact}"), []

        def note(*arguments: object) -> None:
            seen.append(str(arguments[2]))

        event.listen(shop.engine, "before_cursor_execute", note)
        try:
            assert tries(talk, number, contact) == (False, False)
        finally:
            event.remove(shop.engine, "before_cursor_execute", note)
        return seen

    for contact in ("wrong@example.com", "+6591119999"):
        assert statements("1001", contact) == statements("no-such-order", contact)


def test_as_much_is_compared_for_a_wrong_number_as_for_a_strangers(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: dict[str, int] = {}
    for number in ("1001", "no-such-order"):
        for name in ("same_email", "same_phone"):

            def count(one: str, other: str, number: str = number) -> bool:
                compared[number] = compared.get(number, 0) + 1
                return False

            monkeypatch.setattr(orders, name, count)
        for contact in ("wrong@example.com", "+6591119999"):
            assert tries(a_talk(f"{number}{contact}"), number, contact) == (False, False)
    assert compared["1001"] == compared["no-such-order"] > 0


def test_two_records_that_share_a_contact_become_one_when_both_were_proven(shop: Shop) -> None:
    with crm.session() as session:
        guest = factories.a_customer(session, "E. Park", "park@example.com")
        factories.an_order(session, "2001", of=guest)
    talk = a_talk("v")
    assert tries(talk, "1001", "park@example.com")[0]
    assert tries(talk, "2001", "park@example.com")[0]
    with crm.reading() as session:
        assert set(session.scalars(select(Order.customer_id).where(Order.number.in_(("1001", "2001"))))) == {shop.park}
        merge = session.scalars(select(CustomerMerge)).one()
        assert (merge.proof, merge.conversation_id) == ("order_and_contact", talk)


def test_a_couple_who_know_each_others_orders_stay_two(shop: Shop) -> None:
    talk = a_talk("v")
    assert tries(talk, "1001", "park@example.com")[0]
    assert tries(talk, "1002", "lin@example.org")[0]
    with crm.reading() as session:
        assert session.scalars(select(CustomerMerge)).all() == []
        owners = {row.number: row.customer_id for row in session.execute(select(Order.number, Order.customer_id))}
    assert owners == {"1001": shop.park, "1002": shop.lin}
    assert owner_of(talk) == shop.park


def test_a_proof_holds_for_the_accounts_that_were_linked(shop: Shop) -> None:
    web, telegram, stranger = a_talk("v"), a_talk("chat", channel=Channel.TELEGRAM), a_talk("w")
    with crm.session() as session:
        here, there = (session.get_one(Conversation, talk).identity_id for talk in (web, telegram))
        kind = ConsentKind.ACCOUNT_LINK
        consent = Consent(identity_id=there, kind=kind, granted=True, wording="yes", recorded_at=NOW)
        session.add(consent)
        session.flush()
        session.add(AccountLink(from_identity_id=here, to_identity_id=there, consent_id=consent.id, linked_at=NOW))
    assert tries(telegram, "1001", "park@example.com")[0]
    assert (owner_of(web), owner_of(telegram), owner_of(stranger)) == (shop.park, shop.park, None)


def test_the_shops_site_vouches_for_one_person_only(shop: Shop) -> None:
    with crm.session() as session:
        identity = conversations.identity_of(session, Channel.WEB, "v", now=NOW)
        named = {"customer_id": None, "email": "park@example.com", "now": NOW}
        factories.a_customer(session, "Somebody", "park@example.com")
        assert not customers.link_vouched(session, identity, **named)
        assert not customers.link_vouched(session, identity, customer_id="nobody", email=None, now=NOW)
        assert customers.link_vouched(session, identity, customer_id=None, email="lin@example.org", now=NOW)
        assert (identity.customer_id, identity.linked_by) == (shop.lin, "signed_identity")
