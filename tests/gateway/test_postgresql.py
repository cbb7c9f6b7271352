"""The promises that depend on the database, kept on PostgreSQL as well: the same tests with another store."""

from collections.abc import Iterator

import pytest

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
from tests.support.databases import new_database

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


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    with new_database(postgres_url) as url:
        yield url
