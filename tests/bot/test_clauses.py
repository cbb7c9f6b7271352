from __future__ import annotations

import pytest

from bot.clauses import clauses_of


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (
            "hi, where is my order 1383? and do you ship to Canada?",
            ["hi, where is my order 1383?", "do you ship to Canada?"],
        ),
        ("我的订单到哪了，另外你们周末营业吗？", ["我的订单到哪了", "你们周末营业吗？"]),
        ("how much is the mug and is it in stock?", ["how much is the mug", "is it in stock?"]),
        ("寄日本要几天，多少钱", ["寄日本要几天", "多少钱"]),
    ],
)
def test_several_requests_are_cut_apart(text: str, clauses: list[str]) -> None:
    found = clauses_of(text)
    assert [clause.removeprefix("and ") for clause in found] == clauses


@pytest.mark.parametrize(
    "text", ["", "hello", "where is my red and white scarf", "1383", "五星好评", "😀" * 4000, "a\x00b"]
)
def test_one_request_stays_whole(text: str) -> None:
    assert clauses_of(text) == []


def test_a_long_story_is_not_cut() -> None:
    assert clauses_of("I bought a bowl. It came broken? " * 40) == []
