"""What tests of plugins need: an in-process HTTP client, a clock that moves when told, ready-made services."""

from .clock import FakeClock
from .http import AsgiHttp
from .services import MemoryFiles, services

__all__ = ["AsgiHttp", "FakeClock", "MemoryFiles", "services"]
