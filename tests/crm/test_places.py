import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import places


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SG", "SG"), ("United Kingdom", "GB"), ("UK", "GB"), ("USA", "US"), ("the Netherlands", "NL"), ("EIRE", "IE"),
        ("Côte d'Ivoire", "CI"), ("德國", "DE"), ("中国台湾", "TW"), ("香港", "HK"), ("Hong Kong", "HK"),
        ("澳洲", "AU"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Unspecified", None), ("Europe", None), ("", None),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_names(name: str, code: str | None) -> None:
    assert places.country_named(name) == code


@pytest.mark.parametrize(
    ("sentence", "codes"),
    [
        ("寄到US要多久", ["US"]),
        ("SHIP IT TO US", []),
        ("do you deliver to new york", ["US"]),
        ("寄到中國台灣", ["TW"]),
        ("大马士革", ["SY"]),
        ("沿海地区", []),
        ("印度尼西亚", ["ID"]),
        ("江浙沪包邮吗", ["CN"]),
        ("is it IN stock", []),
    ],
)
def test_a_place_is_found_in_a_sentence(sentence: str, codes: list[str]) -> None:
    assert [place.countries[0] for place in places.places_in(sentence)] == codes


@given(st.text(max_size=60))
def test_any_sentence_can_be_searched(sentence: str) -> None:
    for place in places.places_in(sentence):
        assert place.countries
