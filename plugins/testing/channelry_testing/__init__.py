"""What tests of plugins need: the rules of conformance, and stand-ins for all that a plugin is handed.

`ChannelConformance` shows how an author holds a channel to the rules.
"""

from .bench import connected, installed
from .channel import ChannelConformance
from .clock import FakeClock
from .conformance import Conformance, Grade, Rule, not_declared, overrides, rule
from .enricher import EnricherConformance
from .http import AsgiHttp
from .recognizer import RecognizerConformance
from .samples import FILE
from .services import MemoryFiles, services

__all__ = [
    "FILE",
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
