"""What a plugin does besides answering: reads of clock, chance and files, connections, stalls of the loop."""

import gc
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
from anyio.abc import TaskStatus
from attrs import define, field

from .conformance import place

_IMPURE_FUNCTIONS = {
    ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "monotonic_ns"), ("time", "sleep"),
    ("time", "perf_counter"), ("time", "perf_counter_ns"), ("posix", "urandom"), ("posix", "open"), ("nt", "open"),
    ("io", "open"), ("_io", "open"), ("_socket", "getaddrinfo"),  # `open` is _io's from Python 3.12 on
}  # fmt: skip
_IMPURE_METHODS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "Random.random", "Random.getrandbits",
    "socket.connect", "socket.send", "socket.sendall", "socket.recv",
}  # fmt: skip
STALL = 0.25
"""Seconds for which the event loop may stand still; nothing else runs meanwhile."""
_SAMPLE, _LEAST = 0.01, 10


@contextmanager
def watching_purity() -> Iterator[list[str]]:
    """Note every read of clock, chance, files and network that this thread makes, with the place it is made at.

    Noted by the interpreter itself (`sys.setprofile`), so that no import can be overlooked and no `except` hides it.
    """
    found: list[str] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            name = getattr(argument, "__qualname__", "")
            if (getattr(argument, "__module__", None), name) in _IMPURE_FUNCTIONS or name in _IMPURE_METHODS:
                found.append(f"{name} {_caller(frame)}")

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()  # its callbacks (Hypothesis has one, which reads a clock) are none of the plugin's doing
    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()


def _caller(frame: FrameType) -> str:
    """Name the innermost line that is not the standard library's."""
    library = str(Path(socket.__file__).parent)
    at: FrameType | None = frame
    while at is not None and (at.f_code.co_filename.startswith(library) or at.f_code.co_filename.startswith("<")):
        if "site-packages" in at.f_code.co_filename:
            break
        at = at.f_back
    at = at or frame
    return f"({Path(at.f_code.co_filename).name}:{at.f_lineno})"


_network: list[str] | None = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _network is None or event not in ("socket.connect", "socket.getaddrinfo"):
        return
    target = args[1] if event == "socket.connect" else args[0]
    _network.append(f"{event} {target!r}")
    raise ConnectionRefusedError("the kit lets nothing out")


@contextmanager
def watching_network() -> Iterator[list[str]]:
    """Refuse and note every connection that anything in this process tries to make."""
    global _network
    if not _AUDITED:
        sys.addaudithook(_audit)
        _AUDITED.append(True)
    found: list[str] = []
    _network = found
    try:
        yield found
    finally:
        _network = None


_AUDITED: list[bool] = []  # an audit hook cannot be taken away again


@define(eq=False)
class Watchdog:
    """Watches the thread of an event loop from another thread; `stalls` tells where it stood still for too long."""

    stalls: list[str] = field(factory=list, init=False)
    _beats: int = field(default=0, init=False)
    _told: int = field(default=-1, init=False)
    _over: bool = field(default=False, init=False)

    async def beat(self, *, task_status: TaskStatus[None]) -> None:
        """Show that the loop turns, until cancelled; start it beside what is watched."""
        threading.Thread(target=self._watch, args=(threading.current_thread(),), daemon=True).start()
        task_status.started()
        try:
            while True:
                self._beats += 1
                await anyio.sleep(_SAMPLE / 2)
        finally:
            self._over = True

    def _watch(self, watched: threading.Thread) -> None:
        """Count samples without a beat beside the seconds: on a busy machine the watcher stands still as well."""
        samples, seen, since = 0, -1, time.monotonic()
        while not self._over:
            time.sleep(_SAMPLE)
            samples += 1
            if self._beats != seen:
                samples, seen, since = 0, self._beats, time.monotonic()
            if samples >= _LEAST and time.monotonic() - since >= STALL and self._told != seen:
                self._told = seen
                self.stalls.append(place(watched))
