"""The marks that make a class a plugin."""

from typing import TypeVar, dataclass_transform

import attrs
import pluggy

PROJECT = "channelry"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(eq_default=False, field_specifiers=(attrs.field,))
def plugin(cls: _Class) -> _Class:
    """Make a class a plugin: an attrs class made as `Plugin(config)` and compared by identity.

    Identity, because pluggy refuses to register an object that equals one it has, and two accounts of one channel
    may well have equal configurations in a test.
    """
    return attrs.define(cls, eq=False)
