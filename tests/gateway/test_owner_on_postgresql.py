"""Takeover, phone and console on PostgreSQL: the same tests with another store."""

from collections.abc import Iterator

import pytest

from crm.settings import Settings
from tests.gateway.test_console import (
    PASSWORD,
    browser,
    helper,
    owner,
    test_a_question_answered_in_place_becomes_an_article,
    test_a_removed_helper_is_out_at_once,
    test_a_return_is_decided_once_and_the_customer_reads_it,
    test_every_page_opens_in_both_languages_under_a_strict_policy,
    test_many_guesses_at_once_gain_nothing,
    test_search_finds_words_and_takes_wildcards_as_text,
    test_the_list_says_only_when_it_changed,
    test_the_owner_answers_and_returns_from_the_console,
)
from tests.gateway.test_owner_on_telegram import (
    phone,
    telegram,
    test_a_code_pairs_once,
    test_a_handoff_reaches_the_phone_and_a_reply_reaches_the_web,
    test_a_return_that_somebody_asks_for_rings_once,
    test_an_update_that_comes_twice_is_said_once,
    test_quiet_hours_hold_the_notice_back_and_an_angry_customer_does_not_wait,
)
from tests.gateway.test_quotes import (
    stranger,
    test_a_chinese_quote_is_declined_in_chinese,
    test_the_customer_accepts_and_everybody_hears,
)
from tests.gateway.test_takeover import (
    test_after_a_silence_the_bot_returns_with_an_honest_line,
    test_one_tap_satisfaction_is_asked_of_a_chat_with_the_bot_alone,
    test_the_bot_is_told_once_what_was_said_without_it,
    test_what_the_bot_was_thinking_is_dropped_when_the_owner_speaks,
    test_who_was_left_waiting_gets_the_bot_and_stays_on_the_owners_list,
)
from tests.support.databases import new_database
from tests.support.telegram_api import TOKEN, TelegramApi

__all__ = [
    "browser",
    "helper",
    "owner",
    "phone",
    "stranger",
    "telegram",
    "test_a_chinese_quote_is_declined_in_chinese",
    "test_a_code_pairs_once",
    "test_a_handoff_reaches_the_phone_and_a_reply_reaches_the_web",
    "test_a_question_answered_in_place_becomes_an_article",
    "test_a_removed_helper_is_out_at_once",
    "test_a_return_is_decided_once_and_the_customer_reads_it",
    "test_a_return_that_somebody_asks_for_rings_once",
    "test_after_a_silence_the_bot_returns_with_an_honest_line",
    "test_an_update_that_comes_twice_is_said_once",
    "test_every_page_opens_in_both_languages_under_a_strict_policy",
    "test_many_guesses_at_once_gain_nothing",
    "test_one_tap_satisfaction_is_asked_of_a_chat_with_the_bot_alone",
    "test_quiet_hours_hold_the_notice_back_and_an_angry_customer_does_not_wait",
    "test_search_finds_words_and_takes_wildcards_as_text",
    "test_the_bot_is_told_once_what_was_said_without_it",
    "test_the_customer_accepts_and_everybody_hears",
    "test_the_list_says_only_when_it_changed",
    "test_the_owner_answers_and_returns_from_the_console",
    "test_what_the_bot_was_thinking_is_dropped_when_the_owner_speaks",
    "test_who_was_left_waiting_gets_the_bot_and_stays_on_the_owners_list",
]


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
def settings(settings: Settings, telegram: TelegramApi) -> Settings:
    given = Settings(_env_file=None, telegram_token=TOKEN, owner_password=PASSWORD)
    return settings.model_copy(
        update={
            "telegram_token": given.telegram_token,
            "owner_password": given.owner_password,
            "telegram_api": f"{telegram.url}/bot",
            "public_url": "http://desk.example",
        }
    )
