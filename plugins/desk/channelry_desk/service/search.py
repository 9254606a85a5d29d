"""All conversations."""

from attrs import define

from .. import grants, queries
from ..grants import Access, User
from ..states import ConversationState
from ..values import Conversation, Page
from .topic import LIMIT, Topic


@define(eq=False)
class Search(Topic):
    """What supervisors look through."""

    async def conversations(
        self, *, by: User, state: ConversationState | None = None, connection: str = "", limit: int = LIMIT,
        cursor: str = "",
    ) -> Page[Conversation]:  # fmt: skip
        """Give a page of all conversations, the newest first, of one state and one connection where these are named."""
        grants.require_access(by, Access.DASHBOARD)
        return await self.store.read(lambda db: queries.conversations(db, state, connection, limit, cursor))
