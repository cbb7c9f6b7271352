from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.tokenizer import tokens_of


def test_han_runs_are_cut_by_character_and_latin_runs_by_word() -> None:
    assert [token.text for token in tokens_of("我的 order 到哪了")] == ["我", "的", "order", "到", "哪", "了"]


def test_contractions_are_understood_by_spacy() -> None:
    assert [token.lemma for token in tokens_of("I don't")] == ["i", "do", "not"]


def test_blanks_are_no_tokens() -> None:
    assert tokens_of(" \t\n　") == []


@given(st.text(max_size=200))
def test_every_token_stands_where_it_says(text: str) -> None:
    for token in tokens_of(text):
        assert text[token.start : token.end] == token.text
        assert token.text.strip()
