import pytest

from crm.text import split_languages


@pytest.mark.parametrize(
    ("title", "english", "chinese"),
    [
        ("Jasmine Pearls 茉莉龙珠", "Jasmine Pearls", "茉莉龙珠"),
        ("茉莉龙珠 Jasmine Pearls", "Jasmine Pearls", "茉莉龙珠"),
        ("Jasmine | 茉莉", "Jasmine", "茉莉"),
        ("Sachets, Set of Three 香包（三只）", "Sachets, Set of Three", "香包（三只）"),
        ("Mug (blue) 蓝色杯子", "Mug (blue)", "蓝色杯子"),
        ("茶 (Green)", "Green", "茶"),
        ("Linen Throw", "Linen Throw", None),
        ("A4 笔记本", None, "A4 笔记本"),
        ("", None, None),
    ],
)
def test_a_title_in_both_languages_is_parted(title: str, english: str | None, chinese: str | None) -> None:
    assert split_languages(title) == (english, chinese)
