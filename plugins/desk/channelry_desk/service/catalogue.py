"""What administrators define for the whole organisation."""

from collections.abc import Sequence

from attrs import define

from .. import grants, log, people, policies
from ..database import Database
from ..grants import Access, User
from ..policies import Policy
from ..values import Named
from .topic import Topic


@define(eq=False)
class Catalogue(Topic):
    """Everybody who may enter a section reads it; administrators change it."""

    async def queues(self, *, by: User) -> Sequence[Named]:
        """Give all queues of the organisation, by name."""
        grants.require_inside(by)
        return await self.store.read(people.queues)

    async def create_queue(self, *, by: User, name: str) -> Named:
        """Make a queue; its members are users who are granted it."""
        grants.require_access(by, Access.ADMINISTRATION)
        now = self.now()
        return Named(await self.store.write(lambda db: people.create_queue(db, by, name, now)), name.strip())

    async def policies(self, *, by: User) -> Sequence[Policy]:
        """Give all policies."""
        grants.require_inside(by)
        return await self.store.read(policies.listed)

    async def set_policy(self, *, by: User, policy: Policy) -> None:
        """Set the policy of a connection and a queue; PermanentError, NotFoundError where there is no such one."""
        grants.require_access(by, Access.ADMINISTRATION)
        if policy.connection:
            self.channel(policy.connection)
        now = self.now()

        def write(db: Database) -> None:
            for queue in filter(None, (policy.queue, policy.route_to)):
                people.named_queue(db, queue)
            policies.save(db, policy)
            log.changed(db, by.id, now, log.POLICY, policy.queue, "set", data={"connection": policy.connection})

        await self.store.write(write)
