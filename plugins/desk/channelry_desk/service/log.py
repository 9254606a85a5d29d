"""The log of all changes."""

from collections.abc import Sequence

from attrs import define

from .. import grants, log
from ..grants import Access, User
from ..values import Change
from .topic import Topic


@define(eq=False)
class Log(Topic):
    """What live pages, outgoing webhooks and an audit read; for administrators, and for programs."""

    async def after(self, *, by: User, number: int = 0, limit: int = 500) -> Sequence[Change]:
        """Give the changes after the one with a number, in order: the last one's number is where to go on."""
        grants.require_access(by, Access.ADMINISTRATION)
        return await self.store.read(lambda db: log.after(db, number, limit))
