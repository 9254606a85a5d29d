"""What tests of plugins need: the rules of conformance, and stand-ins for all that a plugin is handed.

`ChannelConformance` shows how an author holds a channel to the rules. Each name is imported when it is first asked for:
the commands of this distribution need neither pytest nor hypothesis.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bench import ORIGIN, connected, installed
    from .channel import ChannelConformance
    from .clock import FakeClock
    from .conformance import Conformance, Grade, Rule, not_declared, overrides, rule
    from .enricher import EnricherConformance
    from .http import AsgiHttp
    from .recognizer import RecognizerConformance
    from .samples import FILE
    from .stand_ins import MemoryFiles, services

__all__ = [
    "FILE",
    "ORIGIN",
    "AsgiHttp",
    "ChannelConformance",
    "Conformance",
    "EnricherConformance",
    "FakeClock",
    "Grade",
    "MemoryFiles",
    "RecognizerConformance",
    "Rule",
    "connected",
    "installed",
    "not_declared",
    "overrides",
    "rule",
    "services",
]

_MODULES = {
    "FILE": "samples", "ORIGIN": "bench", "AsgiHttp": "http", "ChannelConformance": "channel",
    "Conformance": "conformance", "EnricherConformance": "enricher", "FakeClock": "clock", "Grade": "conformance",
    "MemoryFiles": "stand_ins", "RecognizerConformance": "recognizer", "Rule": "conformance", "connected": "bench",
    "installed": "bench", "not_declared": "conformance", "overrides": "conformance", "rule": "conformance",
    "services": "stand_ins",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
