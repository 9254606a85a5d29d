"""What the simulated Graph API takes and refuses, by shapes."""

from typing import Any

import pytest

from channelry_meta.simulator_shapes import Codes, Refused, examine

SHAPE = {
    "text": 5,
    "kind": "a",
    "count?": int,
    "rows?": ({"id": 3}, 2),
    "even?": lambda value: value % 2 == 0,
    "x?": float,
}
GOOD = {"text": "hello", "kind": "a"}
CODES = Codes(1, 2, 3)


@pytest.mark.parametrize(
    "more", [{}, {"count": 0}, {"rows": [{"id": "a"}, {"id": "b"}]}, {"even": 4}, {"x": 1.5}, {"x": 2}]
)
def test_what_has_the_shape_is_taken(more: dict[str, Any]) -> None:
    examine(GOOD | more, SHAPE)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], 3),
        (None, 3),
        ({"text": "hello"}, 2),
        (GOOD | {"colour": "red"}, 1),
        (GOOD | {"text": ""}, 3),
        (GOOD | {"text": "hello!"}, 3),
        (GOOD | {"text": 7}, 3),
        (GOOD | {"kind": "b"}, 3),
        (GOOD | {"count": "1"}, 3),
        (GOOD | {"rows": []}, 3),
        (GOOD | {"rows": [{"id": "a"}] * 3}, 3),
        (GOOD | {"rows": [{"id": "a", "name": "b"}]}, 1),
        (GOOD | {"rows": [{}]}, 2),
        (GOOD | {"even": 3}, 3),
        (GOOD | {"x": True}, 3),
    ],
)
def test_what_has_not_is_refused_by_the_code_of_its_fault(value: Any, code: int) -> None:
    with pytest.raises(Refused) as raised:
        examine(value, SHAPE, codes=CODES)
    assert raised.value.code == code


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(Refused) as raised:
        examine(GOOD | {"rows": [{"id": "a"}, {"id": "long"}]}, SHAPE)
    assert ".rows[1].id" in raised.value.reason
