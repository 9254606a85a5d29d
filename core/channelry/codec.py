"""Every value of the model as JSON and back.

Objects of a union carry their class's name in `type`; times are RFC 3339, bytes base64, enums their values.
"""

from base64 import b64decode, b64encode
from functools import cache
from typing import Any, TypeVar

from cattrs.preconf.orjson import OrjsonConverter, make_converter
from cattrs.strategies import configure_tagged_union

from .model import Event, Outbound, Part, Reconciled
from .model.outbound import SendablePart

_Value = TypeVar("_Value")


@cache
def converter() -> OrjsonConverter:
    """Give the converter of the model, made when first needed."""
    made = make_converter(forbid_extra_keys=True)
    made.register_unstructure_hook(bytes, lambda value: b64encode(value).decode())
    made.register_structure_hook(bytes, lambda value, _: b64decode(value, validate=True))
    for union in (Part, SendablePart, Event, Outbound, Reconciled):
        configure_tagged_union(union, made, tag_name="type")
    return made


def to_json(value: Any, as_type: Any = None) -> Any:
    """Turn a value into plain JSON; name the union in `as_type` (`Event`) for its `type` to be written."""
    return converter().unstructure(value, unstructure_as=as_type)


def from_json(data: Any, as_type: type[_Value]) -> _Value:
    """Turn plain JSON into a value of the type; a cattrs validation error tells what does not fit."""
    return converter().structure(data, as_type)
