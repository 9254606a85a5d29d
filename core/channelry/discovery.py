"""Which plugins are installed, found without importing any of them."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, distributions, entry_points, metadata
from itertools import groupby
from typing import Any

from attrs import evolve, field, frozen

GROUP = "channelry.plugins"


@frozen
class Available:
    """One entry point: the name it goes by, the distribution and version that bring it, and others that do."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint = field(repr=False)
    rivals: tuple[str, ...] = ()

    def load(self) -> Any:
        """Import it; whatever the import raises comes out as ImportError with the reason, and so does a rival."""
        if self.rivals:  # which one is meant is not for an order of names to decide
            raise ImportError(f"{' and '.join((self.distribution, *self.rivals))} both bring it: uninstall one")
        try:
            return self.entry_point.load()
        except (KeyboardInterrupt, ImportError):
            raise
        except BaseException as error:
            raise ImportError(f"{type(error).__name__}: {error}") from error


def available(group: str = GROUP) -> dict[str, Available]:
    """Find what is installed under an entry-point group, by name."""
    found = [
        Available(point.name, point.dist.name if point.dist else "?", point.dist.version if point.dist else "?", point)
        for point in entry_points(group=group)
    ]
    named = groupby(sorted(found, key=lambda one: (one.name, one.distribution)), lambda one: one.name)
    return {name: evolve(one, rivals=tuple(rival.distribution for rival in rest)) for name, (one, *rest) in named}


def extras() -> set[str]:
    """Name the extras of the installed channelry: what `pip install 'channelry[NAME]'` would bring."""
    return set(metadata("channelry").get_all("Provides-Extra") or ())


def advice(name: str, known: Iterable[str]) -> str:
    """Say what to do about an unknown name: install the extra that brings it, or take one of the closest names."""
    missing = {extra for extra in extras() if not any(distributions(name=f"channelry-{extra}"))}
    if name in missing:
        return f"run: pip install 'channelry[{name}]'"
    from difflib import get_close_matches  # what a server at rest need not have

    close = get_close_matches(name, {*known, *missing}, n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"known are: {', '.join(sorted(known)) or 'none'}"
