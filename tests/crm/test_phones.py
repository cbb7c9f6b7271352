import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.phones import normal_email, normalise, same_email, same_phone


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+65 9123 0001", None, "+6591230001"),
        ("'+6591230001", None, "+6591230001"),
        ("＋６５ ９１２３ ０００１", None, "+6591230001"),
        ("0065 9123 0001", None, "+6591230001"),
        ("9123 0001", "SG", "+6591230001"),
        ("9123 0001", None, "91230001"),
        ("139-0000-1111", "CN", "+8613900001111"),
        ("13900001111", "SG", "13900001111"),
        ("+44 (0)20 7946 0018", None, "+442079460018"),
        ("no phone", None, None),
        ("", "SG", None),
    ],
)
def test_numbers_get_their_international_form_where_they_allow_it(
    text: str, region: str | None, expected: str | None
) -> None:
    assert normalise(text, region) == expected


def test_chinese_mobiles_are_read_the_short_way_as_the_library_reads_them() -> None:
    for start in range(1_000, 2_000):
        for end in ("0000000", "1234567"):
            text = f"{start}{end}"
            parsed = phonenumbers.parse(text, "CN")
            if phonenumbers.is_valid_number(parsed):
                text = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
            assert normalise(f"{start}{end}", "CN") == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+6591230001", "9123 0001"),
        ("9123-0001", "+65 9123 0001"),
        ("13900001111", "+86 139 0000 1111"),
        ("070-174 06 05", "+46701740605"),
        ("0046701740605", "+46 70 174 06 05"),
        ("6591230001", "+6591230001"),
        ("020 7946 0018", "+44 (0)20 7946 0018"),
    ],
)
def test_one_line_written_in_two_ways_is_the_same(one: str, other: str) -> None:
    assert same_phone(one, other)
    assert same_phone(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+6591230001", "+6591230002"),
        ("+6591230001", "+8591230001"),
        ("5550123", "+14155550123"),  # without its area code it could be anybody's
        ("0001", "+6591230001"),
        ("123", "123"),
        ("", ""),
        ("abc", "+6591230001"),
    ],
)
def test_different_and_unfinished_numbers_are_not_the_same(one: str, other: str) -> None:
    assert not same_phone(one, other)


@given(st.text(max_size=25), st.text(max_size=25))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert same_phone(one, other) == same_phone(other, one)


def test_addresses_are_compared_without_case_and_space() -> None:
    assert same_email(" Mei.Tan@Example.com ", "mei.tan@example.com")
    assert not same_email("mei.tan@example.com", "mei@example.com")
    assert not same_email("", "")
    assert normal_email("mei.tan＠example.com") == "mei.tan@example.com"


@pytest.mark.parametrize("text", ["", "mei", "mei@", "@example.com", "mei@example", "a b@example.com", "a@b@c.com"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert normal_email(text) is None
