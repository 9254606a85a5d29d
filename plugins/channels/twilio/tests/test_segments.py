"""How many segments a text takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry_twilio.capabilities import segments as count


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("@£$¥èéùìòÇ\nØø\rÅå", 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # an escaped character is never parted, so the last septet of the first segment stays empty
        ("a" * 152 + "€" + "a" * 152, 3),
        ("’" + "a" * 69, 1),
        ("’" + "a" * 70, 2),
        ("ς" * 134, 2),
        ("ς" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 67, 3),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_text_takes_so_many_segments(text: str, segments: int) -> None:
    assert count(text) == segments


@given(st.text(alphabet="aé€ς😀\n", max_size=700))
def test_the_segments_hold_the_text_and_a_beginning_of_it_takes_no_more(text: str) -> None:
    whole, narrow = count(text), not set(text) & set("ς😀")
    alone, joined = (160, 153) if narrow else (70, 67)
    units = sum(2 if character == ("€" if narrow else "😀") else 1 for character in text)
    assert units <= (alone if whole == 1 else whole * joined)
    assert count(text[: len(text) // 2]) <= whole
