"""Personal data is masked, all else is left alone, and no text makes it take for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry_azure.masking import luhn, mask

ALL = ("email", "phone", "card")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("write to ada.l@example.co.uk, please", "ada.l@example.co.uk"),
        ("<ada+care@example.com>", "ada+care@example.com"),
        ("пишіть на оля@приклад.укр", "оля@приклад.укр"),
        ("card 4111111111111111", "4111111111111111"),
        ("card 4111-1111-1111-1111 12/27 123", "4111-1111-1111-1111"),
        ("amex 3782 822463 10005", "3782 822463 10005"),
        ("٤١١١١١١١١١١١١١١١", "٤١١١١١١١١١١١١١١١"),
        ("call +380 44 279 0000 now", "+380 44 279 0000"),
        ("ruf 030 901820 an", "030 901820"),
    ],
)
def test_what_is_personal_is_masked(text: str, hidden: str) -> None:
    assert mask(text, ALL, (), "DE") == text.replace(hidden, "*" * len(hidden))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order 4471-20 of 2026-11-22, 12:30",
        "4111 1111 1111 1112",  # whose check digit is wrong
        "12345",
        "me@home",
        "@channelry thanks!!! 😀",
        "€ 1.299,00",
    ],
)
def test_what_is_not_is_left_alone(text: str) -> None:
    assert mask(text, ALL, (), "DE") == text


def test_only_what_was_asked_for_is_masked() -> None:
    text = "ada@example.com 4111111111111111 AB-12"
    assert mask(text, (), (), "") == text
    assert mask(text, ("email",), (), "") == f"{'*' * 15} 4111111111111111 AB-12"
    assert mask(text, (), (r"AB-\d+",), "") == "ada@example.com 4111111111111111 *****"


def test_a_national_number_is_known_in_its_country() -> None:
    assert mask("030 901820", ("phone",), (), "DE") == "*" * 10
    assert mask("030 901820", ("phone",), (), "") == "030 901820"


@given(st.text(st.characters(), max_size=60))
def test_a_text_keeps_its_length(text: str) -> None:
    assert len(mask(text, ALL, (r"\w{3}",), "US")) == len(text)


@given(st.integers(10**11, 10**18 - 1), st.integers(0, 9))
def test_every_card_number_has_one_check_digit(number: int, wrong: int) -> None:
    right = [digit for digit in range(10) if luhn(f"{number}{digit}")]
    assert len(right) == 1
    assert luhn(f"{number}{wrong}") == (wrong == right[0])


@pytest.mark.parametrize(
    "text", ["a" * 51_200, "1 " * 25_600, "1" * 51_200, "a@" * 25_600, "a.b-" * 12_800, "(+1" * 17_000]
)
def test_hostile_text_is_done_with(text: str) -> None:
    assert len(mask(text, ALL, (), "US")) == len(text)
