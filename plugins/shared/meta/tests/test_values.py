"""Ids that may be missing, and keys for rows without one."""

from typing import Any

import pytest

from channelry_meta.attachments import content
from channelry_meta.values import digest, optional


@pytest.mark.parametrize(("value", "id"), [(None, ""), ("", ""), ("a", "a"), (7, "7"), (0, "0"), (2**63, str(2**63))])
def test_an_id_may_be_missing_or_a_number(value: Any, id: str) -> None:
    assert optional(value) == id


@pytest.mark.parametrize("value", [True, 1.5, [], {}])
def test_what_is_no_id_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="expected an id"):
        optional(value)


def test_the_order_of_keys_makes_no_other_digest() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


@pytest.mark.parametrize(
    ("message", "text", "parts"),
    [
        ({"mid": "m", "text": "hi"}, "hi", 0),
        ({"mid": "m", "text": "hi", "attachments": []}, "hi", 0),
        ({"mid": "m", "attachments": [], "is_unsupported": True}, "", 1),
        ({"mid": "m", "text": "hi", "is_unsupported": True}, "hi", 1),
        ({"mid": "m"}, "", 1),
    ],
)
def test_nothing_of_a_message_is_lost_without_a_trace(message: dict[str, Any], text: str, parts: int) -> None:
    found, rest = content(message)
    assert (found, len(rest)) == (text, parts)
