"""Customers, and the profiles by which channels know them."""

from attrs import define

from .. import customers, grants, queries
from ..database import Database
from ..grants import Access, User
from ..values import Customer
from .topic import Topic


@define(eq=False)
class Customers(Topic):
    """Who the customers are; for agents."""

    async def create(
        self, *, by: User, first_name: str, last_name: str, email: str = "", phone: str = "", company: str = "",
        address: str = "", profile: int | None = None,
    ) -> Customer:  # fmt: skip
        """Record a customer, and relate a profile at once where one is named; IncompleteError without a name, or with
        neither e-mail nor phone."""
        grants.require_access(by, Access.CHAT_CENTER)
        now = self.now()
        given = {
            "first_name": first_name, "last_name": last_name, "email": email, "phone": phone, "company": company,
            "address": address,
        }  # fmt: skip

        def write(db: Database) -> int:
            number = customers.create(db, given, now)
            if profile is not None:
                customers.relate(db, profile, number)
            return number

        number = await self.store.write(write)
        return await self.store.read(lambda db: queries.customer(db, number))

    async def relate(self, *, by: User, profile: int, customer: int) -> None:
        """Record that a profile is a customer's; what it writes is recognized from now on."""
        grants.require_access(by, Access.CHAT_CENTER)
        await self.store.write(lambda db: customers.relate(db, profile, customer))
