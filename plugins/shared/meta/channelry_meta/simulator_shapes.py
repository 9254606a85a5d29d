"""What a simulated Graph API takes, as data: unknown fields, missing values and long ones are refused.

A shape is a number (a text of 1 to so many characters), a type (a value of it), a string (that very text), a tuple of
one shape and a number (an array of 1 to so many), a dict (an object, its names optional if they end in `?`), or a
function that tells whether a value is good.
"""

from typing import Any, TypeAlias

from attrs import frozen

Shape: TypeAlias = Any


@frozen
class Codes:
    """An API's codes for a field that it does not know, one that is missing, one whose value is not good."""

    unknown: int
    missing: int
    invalid: int


PARAMETER = Codes(100, 100, 100)
"""Graph's usual code for all three."""


@frozen
class Refused(Exception):
    """Graph's code, words and subcode for what is wrong."""

    code: int
    reason: str
    subcode: int | None = None


def examine(value: Any, shape: Shape, path: str = "", codes: Codes = PARAMETER) -> None:
    """Raise Refused unless a value has a shape; `path` names it."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise Refused(codes.invalid, f"{path or 'the body'} must be an object")
        known = {name.removesuffix("?"): inner for name, inner in shape.items()}
        for name in value:
            if name not in known:
                raise Refused(codes.unknown, f"unexpected key {name!r} in {path or 'the body'}")
        for name in shape:
            plain = name.removesuffix("?")
            if plain in value:
                examine(value[plain], known[plain], f"{path}.{plain}", codes)
            elif plain == name:
                raise Refused(codes.missing, f"{path}.{name} is required")
    elif isinstance(shape, tuple):
        inner, most = shape
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise Refused(codes.invalid, f"{path} must be an array of 1 to {most}")
        for index, item in enumerate(value):
            examine(item, inner, f"{path}[{index}]", codes)
    elif not _fits(value, shape):
        raise Refused(codes.invalid, f"{path} must be {shape!r}")


def _fits(value: Any, shape: Shape) -> bool:
    if isinstance(shape, int):
        return isinstance(value, str) and 1 <= len(value) <= shape
    if shape is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(shape, type):
        return isinstance(value, shape)
    return bool(shape(value)) if callable(shape) else bool(value == shape)
