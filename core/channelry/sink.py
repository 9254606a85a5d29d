"""What an application gives the hub: a place where that which arrives becomes durable."""

from abc import ABC, abstractmethod
from contextlib import nullcontext

from .model import Received
from .services import Files, MemoryState, NoFiles, State


class Sink(ABC):
    """The application that keeps what arrives."""

    @abstractmethod
    async def record(self, received: Received) -> None:
        """Keep the events (and the raw request); return once they are durable. What it raises becomes a 503, and
        the provider tries again: the same event comes more than once and has the same `key` each time."""

    async def probe(self) -> None:
        """Raise if nothing can be recorded now; readiness asks."""
        return

    def state(self, connection: str) -> State:
        """Give a connection's durable memory; by default one for the life of the process."""
        return MemoryState()

    def files(self) -> Files:
        """Give the outbound files that `Media.ref` names; by default none."""
        return NoFiles()


class Nowhere(Sink):
    """The sink of what only asks and sends."""

    async def record(self, received: Received) -> None:
        raise RuntimeError("this command keeps nothing")


def nowhere(_: object) -> nullcontext[Nowhere]:
    """Be the application of a hub that keeps nothing."""
    return nullcontext(Nowhere())
