from __future__ import annotations

import pytest

from bot.language import detect, dominant


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我的订单到哪了", "zh"),
        ("請問我的訂單呢", "zh"),
        ("where is my order", "en"),
        ("Hello", "en"),
        ("tracking?", "en"),
        ("我的 order 到哪了", "zh"),
        ("帮我 check 一下 tracking", "zh"),
        ("order 2003 到哪了", "zh"),
        ("refund 怎么弄", "zh"),
        ("where is my 茉莉龙珠", "en"),
        ("I want 茉莉花茶 and 龙井 please", "en"),
        ("my e-mail is lin@example.com", "en"),
        ("我的邮箱是 lin.mei@example.com", "zh"),
    ],
)
def test_the_answer_follows_the_words_that_frame_the_sentence(text: str, language: str) -> None:
    assert dominant(text) == language


@pytest.mark.parametrize(
    "text", ["2003", "#A1024", "lin@example.com", "😀👍", "", "   ", "+65 9123 0001", "???", "M", "\0"]
)
def test_what_has_no_words_leaves_the_conversation_in_its_language(text: str) -> None:
    assert dominant(text) is None
    assert detect(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "こんにちは、注文はどこですか",
        "주문 어디에 있어요",
        "где мой заказ",
        "مرحبا كيف حالك",
        "où est ma commande",
        "wo ist mein Paket",
        "dónde está mi pedido",
        "onde está o meu pedido",
    ],
)
def test_other_languages_are_recognised_as_such(text: str) -> None:
    assert detect(text) == "other"
    assert dominant(text) is None


def test_both_languages_in_one_message_are_mixed() -> None:
    assert detect("我的 order 到哪了") == "mixed"
    assert detect("where is my 茉莉龙珠") == "mixed"


def test_a_number_or_an_address_is_no_second_language() -> None:
    assert detect("订单A1024到哪了") == "zh"
    assert detect("发到 lin@example.com 吧") == "zh"
