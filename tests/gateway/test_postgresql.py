"""The promises that depend on the database, kept on PostgreSQL as well: the same tests with another store."""

import uuid
import warnings
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.gateway.test_events import test_both_sides_and_typing_are_shown, test_it_goes_on_where_it_broke_off
from tests.gateway.test_messages import TestButtons, TestHandoff, TestNoAnswer, TestOrder, TestRepeats, TestTexts
from tests.gateway.test_resilience import (
    test_a_lease_of_a_dead_gateway_is_waited_for,
    test_an_answer_given_elsewhere_meanwhile_is_the_only_one,
    test_two_gateways_answer_each_message_once,
    test_what_was_left_unanswered_is_answered_after_the_start,
)
from tests.gateway.test_telegram import (
    settings,
    telegram,
    test_a_burst_is_one_turn,
    test_a_repeated_update_is_answered_once,
    test_what_waits_is_sent_after_a_restart,
)

__all__ = [
    "TestButtons",
    "TestHandoff",
    "TestNoAnswer",
    "TestOrder",
    "TestRepeats",
    "TestTexts",
    "settings",
    "telegram",
    "test_a_burst_is_one_turn",
    "test_a_lease_of_a_dead_gateway_is_waited_for",
    "test_a_repeated_update_is_answered_once",
    "test_an_answer_given_elsewhere_meanwhile_is_the_only_one",
    "test_both_sides_and_typing_are_shown",
    "test_it_goes_on_where_it_broke_off",
    "test_two_gateways_answer_each_message_once",
    "test_what_waits_is_sent_after_a_restart",
    "test_what_was_left_unanswered_is_answered_after_the_start",
]


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pgserver = pytest.importorskip("pgserver", reason="pgserver is not installed")
    with warnings.catch_warnings():
        # Where there is no desktop session its helper library warns about the folder it takes instead.
        warnings.simplefilter("ignore")
        server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def database_url(postgresql: str) -> Iterator[str]:
    """A database of its own for each test."""
    name = f"desk_{uuid.uuid4().hex}"
    address = make_url(postgresql).set(drivername="postgresql+psycopg")
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield address.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
