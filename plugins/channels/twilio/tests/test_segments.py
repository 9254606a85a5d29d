"""How many segments a text takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry_twilio.segments import GSM_7, UCS_2, Segments, count


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", Segments(GSM_7, 0, 1)),
        ("a" * 160, Segments(GSM_7, 160, 1)),
        ("a" * 161, Segments(GSM_7, 161, 2)),
        ("a" * 306, Segments(GSM_7, 306, 2)),
        ("a" * 307, Segments(GSM_7, 307, 3)),
        ("@£$¥èéùìòÇ\nØø\rÅå", Segments(GSM_7, 16, 1)),
        ("€" * 80, Segments(GSM_7, 160, 1)),
        ("€" * 81, Segments(GSM_7, 162, 2)),
        # an escaped character is never parted, so the last septet of the first segment stays empty
        ("a" * 152 + "€" + "a" * 152, Segments(GSM_7, 306, 3)),
        ("’" + "a" * 69, Segments(UCS_2, 70, 1)),
        ("’" + "a" * 70, Segments(UCS_2, 71, 2)),
        ("ς" * 134, Segments(UCS_2, 134, 2)),
        ("ς" * 135, Segments(UCS_2, 135, 3)),
        ("😀" * 35, Segments(UCS_2, 70, 1)),
        ("😀" * 67, Segments(UCS_2, 134, 3)),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_text_takes_so_many_segments(text: str, segments: Segments) -> None:
    assert count(text) == segments


@given(st.text(alphabet="aé€ς😀\n", max_size=700))
def test_the_segments_hold_the_text_and_a_beginning_of_it_takes_no_more(text: str) -> None:
    whole = count(text)
    alone, joined = (160, 153) if whole.encoding == GSM_7 else (70, 67)
    assert whole.units <= (alone if whole.count == 1 else whole.count * joined)
    assert count(text[: len(text) // 2]).count <= whole.count
