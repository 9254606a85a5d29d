"""The ledger: everything that a simulated provider saw, and what it took."""

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen


@frozen
class Entry:
    """One request to the provider's API and the status it was answered with; None: no answer was given."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int | None


@frozen
class Taken:
    """One customer-visible call that the provider took: its id, who got it, the text in it, the whole body."""

    external_id: str
    to: str
    text: str
    body: Mapping[str, Any]


@define(eq=False)
class Ledger:
    """What was seen, in order: `entries` of every kind, `taken` for what a customer would see."""

    entries: list[Entry] = field(factory=list, init=False)
    taken: list[Taken] = field(factory=list, init=False)
