"""What the functions of every topic stand on."""

from collections.abc import Callable

from attrs import define

from channelry.errors import PermanentError
from channelry.hub import Hub

from ..intake import Intake
from ..moments import micros
from ..store import Store
from .door import guarded, is_unguarded

LIMIT = 50
"""Rows of a page, where a caller does not say."""


@define(eq=False)
class Topic:
    """Functions that have something in common: `hub` composes and sends, `store` keeps, `queued` is called when a call
    was queued. What they are given comes in by the door."""

    hub: Hub
    store: Store
    intake: Intake
    queued: Callable[[], None]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, value in list(vars(cls).items()):
            if is_unguarded(name, value):
                setattr(cls, name, guarded(value))

    def now(self) -> int:
        """Give the time as the store keeps it."""
        return micros(self.hub.clock.now())

    def channel(self, connection: str) -> str:
        """Give the channel of a connection; PermanentError where there is no such connection."""
        instance = self.hub.connections.get(connection)
        if instance is None:
            raise PermanentError(f"there is no connection {connection!r}", code="no_connection")
        return instance.entry.plugin
