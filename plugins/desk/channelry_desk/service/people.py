"""Who works here, and what they are granted."""

import asyncio
from collections.abc import Collection, Sequence

from attrs import define

from channelry.errors import PermanentError

from .. import grants, people
from ..database import Database
from ..errors import IncompleteError, NotGrantedError
from ..grants import Access, User
from ..values import Named
from .topic import Topic


@define(eq=False)
class People(Topic):
    """Users: invited with no access to anything, granted what they need by administrators."""

    async def users(self, *, by: User) -> Sequence[User]:
        """Give all users, by name."""
        grants.require_access(by, Access.ADMINISTRATION)
        return await self.store.read(people.users)

    async def read(self, *, by: User, user: int) -> User:
        """Give one user, with all that they are granted now: oneself, or anybody for administrators."""
        grants.require(by.id == user or grants.has(by, Access.ADMINISTRATION), by, f"read user {user}")
        return await self.store.read(lambda db: people.user(db, user))

    async def invite(
        self, *, by: User, email: str, first_name: str, last_name: str = "", short_code: str = ""
    ) -> tuple[User, str]:
        """Record a user who may do nothing yet; give them, and the token that they set their password with. Whoever
        has not done so can be invited again, and the older token is none any more."""
        grants.require_access(by, Access.ADMINISTRATION)
        now = self.now()

        def write(db: Database) -> tuple[User, str]:
            number, token = people.invite(db, by, email, first_name, last_name, short_code, now)
            return people.user(db, number), token

        return await self.store.write(write)

    async def join(self, *, token: str, password: str) -> User:
        """Answer an invitation with a password; NotGrantedError where the token is none, or too old."""
        low, high = people.PASSWORD
        if not low <= len(password) <= high:
            raise IncompleteError(f"a password has {low} to {high} characters")
        hashed, now = await asyncio.to_thread(_hashed, password), self.now()

        def write(db: Database) -> User:
            return people.user(db, people.join(db, token, hashed, now))

        return await self.store.write(write)

    async def authenticate(self, *, email: str, password: str) -> User:
        """Give the user who logs in; NotGrantedError, which does not tell what was wrong, and takes as long anyway.

        How often somebody may try is for the caller to limit.
        """
        found = await self.store.read(lambda db: people.credentials(db, email))
        known = "" if found is None else found.password
        right = await asyncio.to_thread(_is_password, known, password[: people.PASSWORD[1] + 1])
        if found is None or not right:
            raise NotGrantedError("the e-mail address or the password is wrong")
        return await self.store.read(lambda db: people.user(db, found.id))

    async def grant(
        self, *, by: User, user: int, access: Collection[Access] | None = None,
        connections: Collection[str] | None = None, queues: Collection[int] | None = None,
        groups: Collection[int] | None = None, version: int | None = None,
    ) -> User:  # fmt: skip
        """Set what a user is granted, exactly: sections, connections, membership of queues and groups; what is None
        stays as it is. ConflictError where it is of another `version` than the caller saw."""
        grants.require_access(by, Access.ADMINISTRATION)
        for connection in connections or ():
            if connection not in self.hub.connections:
                raise PermanentError(f"there is no connection {connection!r}", code="no_connection")
        now = self.now()
        return await self.store.write(
            lambda db: people.grant(
                db, by, user, now, access=access, connections=connections, queues=queues, groups=groups, version=version
            )
        )

    async def disable(
        self, *, by: User, user: int, disabled: bool = True, why: str = "", version: int | None = None
    ) -> None:
        """Take everything from a user that they may do, or (`disabled` False) give it back. ConflictError as `grant`
        tells it."""
        grants.require_access(by, Access.ADMINISTRATION)
        now = self.now()
        await self.store.write(lambda db: people.disable(db, by, user, disabled, why, version, now))

    async def be_present(self, *, by: User, present: bool = True) -> None:
        """Come to work, or leave: a waiting conversation returns to who is there, else to the queue."""
        grants.require_inside(by)
        now = self.now()
        await self.store.write(lambda db: people.be_present(db, by, present, now))

    async def groups(self, *, by: User) -> Sequence[tuple[Named, int | None]]:
        """Give the groups of users, each with the id of the one above it."""
        grants.require_inside(by)
        return await self.store.read(people.groups)

    async def create_group(self, *, by: User, name: str, parent: int | None = None) -> Named:
        """Make a group of users, perhaps below another one."""
        grants.require_access(by, Access.ADMINISTRATION)
        now = self.now()
        return Named(await self.store.write(lambda db: people.create_group(db, by, name, parent, now)), name.strip())


def _hashed(password: str) -> str:
    from argon2 import PasswordHasher  # imported where somebody logs in, not when a server starts

    return PasswordHasher().hash(password)


def _is_password(hashed: str, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError

    hasher = PasswordHasher()
    if not hashed:
        hasher.hash(password)  # so that whoever measures the time does not learn who is a user
        return False
    try:
        return hasher.verify(hashed, password)
    except VerifyMismatchError:
        return False
