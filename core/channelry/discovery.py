"""Which plugins are installed, found without importing any of them."""

import difflib
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points, metadata
from typing import Any

from attrs import field, frozen

GROUP = "channelry.plugins"


@frozen
class Available:
    """One entry point: the name it goes by, and the distribution and version that bring it."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint = field(repr=False)

    def load(self) -> Any:
        """Import it; whatever the import raises comes out as ImportError with the reason."""
        try:
            return self.entry_point.load()
        except (KeyboardInterrupt, ImportError):
            raise
        except BaseException as error:
            raise ImportError(f"{type(error).__name__}: {error}") from error


def available(group: str = GROUP) -> dict[str, Available]:
    """Find what is installed under an entry-point group, by name; of two with one name, the first by distribution."""
    found = [
        Available(point.name, point.dist.name if point.dist else "?", point.dist.version if point.dist else "?", point)
        for point in entry_points(group=group)
    ]
    return {one.name: one for one in sorted(found, key=lambda one: one.distribution, reverse=True)}


def extras() -> set[str]:
    """Name the extras of the installed channelry: what `pip install 'channelry[NAME]'` would bring."""
    return set(metadata("channelry").get_all("Provides-Extra") or ())


def advice(name: str, known: Iterable[str]) -> str:
    """Say what to do about a name that is not installed: the extra that brings it, else the closest known names."""
    if name in extras():
        return f"run: pip install 'channelry[{name}]'"
    names = {*known, *extras()}
    close = difflib.get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"known are: {', '.join(sorted(known)) or 'none'}"
