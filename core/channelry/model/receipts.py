"""What became of a call: receipts at once, statuses later."""

from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from .address import Address


class Status(StrEnum):
    """How far a call has got: a lattice in which the highest wins, in whatever order statuses arrive.

    queued < accepted < sent < failed < delivered < read < played. `delivered` stands above `failed` because
    providers report both and the message was seen after all.
    """

    QUEUED = "queued"
    ACCEPTED = "accepted"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"

    def highest(self, other: "Status") -> "Status":
        """Give the higher of the two."""
        return max(self, other, key=_RANK.__getitem__)


_RANK = {status: rank for rank, status in enumerate(Status)}


class Resend(StrEnum):
    """What may be done with a call whose answer was lost.

    - `SAFE`: send it again, the provider knows our key for a day at least. `LOOKUP`: ask `reconcile`.
    - `CALLBACK`: wait for a status that carries our reference. `NEVER`: park it for the agent.
    """

    SAFE = "safe"
    LOOKUP = "lookup"
    CALLBACK = "callback"
    NEVER = "never"


@frozen
class Receipt:
    """The provider took one call.

    - `external_ids`: its ids for what it took, in order; perhaps none (a read mark has none).
    - `address`: the recipient as the provider knows it now, where that differs from the one we used.
    """

    external_ids: tuple[str, ...] = ()
    address: Address | None = None


@frozen
class Accepted:
    """Reconciled: the provider has it; `receipt` is what `send` would have returned."""

    receipt: Receipt


@frozen
class NotTaken:
    """Reconciled: the provider never took it, or knows a repeat by our key: it can be sent again."""


@frozen
class Unknown:
    """Reconciled in vain: the provider cannot tell; `reason` is shown to the agent who decides."""

    reason: str = ""


Reconciled: TypeAlias = Accepted | NotTaken | Unknown
