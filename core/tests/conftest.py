"""What the core's tests share: plugins that are installed for a test only, a configuration file, a sink."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

from channelry import discovery
from channelry.config import Configuration, load_configuration
from channelry.model import Event, Received
from channelry.sink import Sink


@frozen
class Distribution:
    name: str
    version: str = "1.0"


@frozen
class Point:
    """An entry point that needs no installation; `what` may be an exception to raise at import."""

    name: str
    what: Any
    dist: Distribution

    def load(self) -> Any:
        if isinstance(self.what, BaseException):
            raise self.what
        return self.what


@define(eq=False)
class Installation:
    """The plugins and sections that a test has installed."""

    points: dict[str, list[Point]] = field(factory=dict)

    def __call__(self, name: str, what: Any, distribution: str = "", group: str = "channelry.plugins") -> None:
        self.points.setdefault(group, []).append(Point(name, what, Distribution(distribution or f"channelry-{name}")))

    def entry_points(self, *, group: str) -> list[Point]:
        return self.points.get(group, [])

    def distributions(self, *, name: str) -> list[Distribution]:
        return [point.dist for points in self.points.values() for point in points if point.dist.name == name]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Install nothing but what the test installs: `install("acme", Acme)`."""
    installation = Installation()
    monkeypatch.setattr(discovery, "entry_points", installation.entry_points)
    monkeypatch.setattr(discovery, "distributions", installation.distributions)
    return installation


@pytest.fixture
def configure(tmp_path: Path) -> Callable[[str], Configuration]:
    """Write a configuration file and load it."""

    def write(text: str) -> Configuration:
        file = tmp_path / "channelry.toml"
        file.write_text(text)
        return load_configuration(file)

    return write


@define(eq=False)
class Recorder(Sink):
    """A sink that keeps all in a list, and fails when told."""

    received: list[Received] = field(factory=list)
    fails: Exception | None = None

    async def record(self, received: Received) -> None:
        if self.fails:
            raise self.fails
        self.received.append(received)

    @property
    def events(self) -> list[tuple[str, Event]]:
        return [(received.connection, event) for received in self.received for event in received.events]

    @asynccontextmanager
    async def app(self, hub: object) -> AsyncIterator[Sink]:
        yield self


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()
