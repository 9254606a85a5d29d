"""Sends of which nobody knows whether the provider took them: a person decides."""

from attrs import define

from .. import calls, conversations, grants, queries
from ..database import Database
from ..grants import Access, User
from ..rules import Decision
from ..values import Page, Uncertain
from .topic import LIMIT, Topic


@define(eq=False)
class Outbox(Topic):
    """What is uncertain; for supervisors, and for the assignee of the conversation."""

    async def uncertain(self, *, by: User, limit: int = LIMIT, cursor: str = "") -> Page[Uncertain]:
        """Give a page of the uncertain calls."""
        grants.require_access(by, Access.DASHBOARD)
        return await self.store.read(lambda db: queries.uncertain(db, limit, cursor))

    async def decide(self, *, by: User, call: int, decision: Decision) -> None:
        """Settle an uncertain call: it was `sent`, it is to be sent again (`resend`), or `give-up`."""
        now = self.now()

        def write(db: Database) -> None:
            seen = conversations.standing(db, calls.conversation(db, call))
            grants.require(grants.may_direct(by, seen), by, f"decide about call {call}")
            calls.decide(db, by, call, decision, now)

        await self.store.write(write)
        self.queued()
