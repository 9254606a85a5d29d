"""Customers, their companies, and the profiles by which channels know them."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define

from .. import barring, companies, conversations, customers, erasure, grants
from ..database import Database
from ..errors import IncompleteError
from ..grants import Access, User
from ..values import Candidate, Company, Customer, KnownProfile
from .topic import Topic


@define(eq=False)
class Customers(Topic):
    """Who the customers are; for agents. `region`: the country of telephone numbers that are written without one."""

    region: str = ""

    async def search(self, *, by: User, text: str) -> Sequence[Customer]:
        """Give customers by the beginnings of names, e-mail address, phone number or company, as somebody types."""
        grants.require_inside(by)
        return await self.store.read(lambda db: customers.found(db, text))

    async def read(self, *, by: User, customer: int) -> Customer:
        """Give one customer; one who was merged into another one is that one."""
        grants.require_inside(by)
        return await self.store.read(lambda db: customers.read(db, customer))

    async def profiles(self, *, by: User, customer: int) -> Sequence[KnownProfile]:
        """Give the profiles of a customer: over which channels they write, and what is barred."""
        grants.require_inside(by)
        return await self.store.read(lambda db: customers.profiles(db, customers.read(db, customer).id))

    async def profile(self, *, by: User, profile: int) -> KnownProfile:
        """Give one profile."""
        grants.require_inside(by)
        return await self.store.read(lambda db: customers.read_profile(db, profile))

    async def candidates(self, *, by: User, conversation: int) -> Sequence[Candidate]:
        """Give the customers whom the profile of a conversation may belong to, the likeliest first, with what speaks
        for each: for the agent to choose from."""

        def found(db: Database) -> list[Candidate]:
            conversations.require_readable(db, by, conversation)
            return customers.candidates(db, conversations.profile(db, conversation), self.region)

        return await self.store.read(found)

    async def create(
        self, *, by: User, first_name: str, last_name: str, email: str = "", phone: str = "", company: str = "",
        address: str = "", conversation: int | None = None, version: int | None = None,
    ) -> Customer:  # fmt: skip
        """Record a customer, and relate the profile of a conversation (of this `version`) at once where one is named;
        IncompleteError without a name, or with neither e-mail nor phone. The company is recorded too where there is
        none of that name."""
        grants.require_access(by, Access.CHAT_CENTER)
        now = self.now()
        given = {"first_name": first_name, "last_name": last_name, "email": email, "phone": phone, "address": address}

        def write(db: Database) -> int:
            number = customers.create(db, by, given, company, self.region, now)
            if conversation is not None:
                customers.relate_writer(db, by, conversation, number, version, now)
            return number

        return await self._customer(await self.store.write(write))

    async def edit(
        self, *, by: User, customer: int, version: int | None = None, first_name: str | None = None,
        last_name: str | None = None, email: str | None = None, phone: str | None = None, company: str | None = None,
        address: str | None = None,
    ) -> Customer:  # fmt: skip
        """Change what is on record; what is None stays as it is, and a company of `""` is none."""
        grants.require_access(by, Access.CHAT_CENTER)
        now = self.now()
        values = {"first_name": first_name, "last_name": last_name, "email": email, "phone": phone, "address": address}
        given = {name: value for name, value in values.items() if value is not None}
        await self.store.write(lambda db: customers.edit(db, by, customer, given, company, version, self.region, now))
        return await self._customer(customer)

    async def relate(self, *, by: User, conversation: int, customer: int, version: int | None = None) -> None:
        """Record that the profile of one's conversation (of the Chat Center) is a customer's; what it writes is
        recognized from now on."""
        now = self.now()
        await self.store.write(lambda db: customers.relate_writer(db, by, conversation, customer, version, now))

    async def merge(
        self, *, by: User, survivor: int, absorbed: int, why: str = "",
        versions: tuple[int | None, int | None] = (None, None),
    ) -> Customer:  # fmt: skip
        """Make two records of one person one; `survivor` says whose values hold, `versions` what the caller saw."""
        grants.require_access(by, Access.CHAT_CENTER)
        now = self.now()
        await self.store.write(lambda db: customers.merge(db, by, survivor, absorbed, why, versions, self.region, now))
        return await self._customer(survivor)

    async def bar(
        self, *, by: User, customer: int | None = None, profile: int | None = None, barred: bool = True, why: str = ""
    ) -> None:
        """Ignore what a customer (by every profile), or one profile, writes, and close what is open with them; or
        (`barred` False) listen again. IncompleteError where neither is named."""
        grants.require_access(by, Access.CHAT_CENTER)
        if customer is None and profile is None:
            raise IncompleteError("name a customer or a profile")
        now = self.now()

        def write(db: Database) -> None:
            if customer is not None:
                barring.bar_customer(db, by, customer, barred, why, now)
            if profile is not None:
                barring.bar_profile(db, by, profile, barred, why, now)

        await self.store.write(write)

    async def export(self, *, by: User, customer: int | None = None, profile: int | None = None) -> Mapping[str, Any]:
        """Give all that is kept of a customer (by every profile), or of one profile, as JSON: for them to have."""
        grants.require_access(by, Access.ADMINISTRATION)
        return await self.store.read(lambda db: erasure.export(db, *erasure.whose(db, customer, profile)))

    async def erase(self, *, by: User, customer: int | None = None, profile: int | None = None, why: str = "") -> None:
        """Erase a customer (by every profile), or one profile, in every copy that the desk has: record, journal, dead
        letters, outbox, index of words, files. What is open with them is closed. There is no way back."""
        grants.require_access(by, Access.ADMINISTRATION)
        now = self.now()

        def look(db: Database) -> erasure.Mentions:
            return erasure.mentions(db, *erasure.whose(db, customer, profile))

        mentioned = await self.store.read(look)
        await self.store.write(
            lambda db: erasure.erase(db, by, *erasure.whose(db, customer, profile), mentioned, why, now)
        )

    async def search_companies(self, *, by: User, text: str) -> Sequence[Company]:
        """Give companies by the beginning of their name."""
        grants.require_inside(by)
        return await self.store.read(lambda db: companies.found(db, text))

    async def company(self, *, by: User, company: int) -> Company:
        """Give one company."""
        grants.require_inside(by)
        return await self.store.read(lambda db: companies.read(db, company))

    async def create_company(self, *, by: User, name: str, phone: str = "", address: str = "") -> Company:
        """Record a company."""
        grants.require_access(by, Access.CHAT_CENTER)
        now = self.now()
        number = await self.store.write(lambda db: companies.create(db, by, name, phone, address, now))
        return await self.store.read(lambda db: companies.read(db, number))

    async def edit_company(
        self, *, by: User, company: int, given: Mapping[str, str | int | None], version: int | None = None
    ) -> Company:
        """Change a company's `phone`, `address`, and `contact`: the customer who speaks for it."""
        grants.require_access(by, Access.CHAT_CENTER)
        now = self.now()
        await self.store.write(lambda db: companies.edit(db, by, company, given, version, now))
        return await self.store.read(lambda db: companies.read(db, company))

    async def _customer(self, number: int) -> Customer:
        return await self.store.read(lambda db: customers.read(db, number))
