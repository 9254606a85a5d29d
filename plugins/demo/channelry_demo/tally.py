"""The demonstration's totals: what the application saw, held against what the providers' ledgers say."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field, frozen

from channelry.hub import Application, Hub
from channelry.model import MessageReceived, Received, Status, StatusChanged
from channelry.services import Files, State
from channelry.sink import Sink


@frozen(kw_only=True)
class Ledger:
    """One provider's side: messages its customers wrote, forged and repeated deliveries, answers it took.

    - `wrong`: answers that no message asked for, or that came twice or not at all.
    - `statuses`: status webhooks that were acknowledged, repetitions not counted.
    """

    written: int
    forged: int
    duplicates: int
    taken: int
    wrong: int
    statuses: int


@define(eq=False)
class Tally(Sink):
    """Counts what goes by on its way to another sink, per connection."""

    inner: Sink
    counts: Counter[tuple[str, str]] = field(factory=Counter, init=False)
    _seen: set[tuple[str, str]] = field(factory=set, init=False)

    async def record(self, received: Received) -> None:
        await self.inner.record(received)
        for event in received.events:
            name, known = received.connection, (received.connection, event.key)
            if known in self._seen:
                self.counts[name, "duplicates"] += 1
                continue
            self._seen.add(known)
            if isinstance(event, MessageReceived):
                self.counts[name, "received"] += 1
            elif isinstance(event, StatusChanged):
                self.counts[name, "statuses"] += 1
                self.counts[name, "delivered"] += event.status is Status.DELIVERED

    async def probe(self) -> None:
        await self.inner.probe()

    def state(self, connection: str) -> State:
        return self.inner.state(connection)

    def files(self) -> Files:
        return self.inner.files()


def tallied(app: Application, tallies: list[Tally]) -> Application:
    """Make an application whose sink is counted; the tally is appended to `tallies`."""

    @asynccontextmanager
    async def counted(hub: Hub) -> AsyncIterator[Sink]:
        async with app(hub) as inner:
            tallies.append(Tally(inner))
            yield tallies[-1]

    return counted


@frozen(kw_only=True)
class Totals:
    """One channel's row: what our side counted, and each figure on which the provider's ledger disagrees."""

    channel: str
    received: int
    rejected: int
    duplicates: int
    answered: int
    accepted: int
    delivered: int | None
    disagreements: tuple[str, ...]


def totals(name: str, hub: Hub, tally: Tally, ledger: Ledger) -> Totals:
    """Count one connection and compare it with its provider's ledger."""
    counts = tally.counts
    answered = hub.counts["sends", name, "accepted"]
    rejected = hub.counts["webhooks", hub.connections[name].entry.endpoint, "401"]
    reports = Status.DELIVERED in hub.connections[name].plugin.capabilities.statuses
    delivered = counts[name, "delivered"] if reports else None
    pairs = [
        ("received", counts[name, "received"], ledger.written),
        ("rejected", rejected, ledger.forged),
        ("duplicates", counts[name, "duplicates"], ledger.duplicates),
        ("answered", answered, ledger.written),
        ("accepted", answered, ledger.taken),
        ("wrong answers", 0, ledger.wrong),
        ("statuses", counts[name, "statuses"], ledger.statuses),
    ]
    if delivered is not None:
        pairs.append(("delivered", delivered, ledger.taken))
    return Totals(
        channel=name,
        received=counts[name, "received"],
        rejected=rejected,
        duplicates=counts[name, "duplicates"],
        answered=answered,
        accepted=ledger.taken,
        delivered=delivered,
        disagreements=tuple(f"{what}: {ours} here, {theirs} there" for what, ours, theirs in pairs if ours != theirs),
    )
