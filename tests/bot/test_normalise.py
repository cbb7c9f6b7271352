from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.normalise import EMAIL, NUMBER, ORDER, URL, aligned, clean


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ＯＲＤＥＲ", "order"),
        ("訂單在哪裡", "订单在哪里"),
        ("在吗吗吗吗", "在吗"),
        ("heeelp!!!!", "help!"),
        ("wo\u200brd", "word"),
        ("a\0b", "ab"),
        ("I don’t know", "i do not know"),
        ("wheres my order", "where is my order"),
        ("can't", "can not"),
        ("pls", "please"),
        ("哈哈哈哈哈", "哈哈"),
        ("  two   blanks ", "two blanks"),
        ("see https://example.com/a?b=1", f"see {URL}"),
        ("mail me: lin@example.com", f"mail me: {EMAIL}"),
        ("12 or 13", f"{NUMBER} or {NUMBER}"),
        ("", ""),
        ("\0\0", ""),
    ],
)
def test_one_spelling_for_what_means_the_same(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_details_are_taken_out_where_they_were_found() -> None:
    assert clean("订单2003到哪了", [(2, 6, ORDER)]) == f"订单{ORDER}到哪了"


def test_a_customer_cannot_forge_a_placeholder() -> None:
    assert ORDER not in clean(f"hello {ORDER} there")


def test_thousands_of_emoji_are_nothing_special() -> None:
    assert len(clean("😀" * 4000)) <= 4000


@given(st.text(max_size=300))
def test_positions_in_the_aligned_text_are_positions_in_the_raw_text(text: str) -> None:
    assert len(aligned(text)) == len(text)


@given(st.text(max_size=300))
def test_cleaning_never_fails_and_never_changes_its_mind(text: str) -> None:
    clean(text)
