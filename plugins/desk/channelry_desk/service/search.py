"""All conversations."""

from attrs import define

from .. import grants, search
from ..grants import Access, User
from ..search import Wanted
from ..values import Conversation, Page
from .topic import LIMIT, Topic


@define(eq=False)
class Search(Topic):
    """What supervisors look through."""

    async def conversations(
        self, *, by: User, wanted: Wanted | None = None, limit: int = LIMIT, cursor: str = ""
    ) -> Page[Conversation]:
        """Give a page of all conversations, the newest first: those that are wanted, or all. What was written a moment
        ago may not be found by its words yet."""
        grants.require_access(by, Access.DASHBOARD)
        return await self.store.read(lambda db: search.found(db, wanted or Wanted(), limit, cursor))
