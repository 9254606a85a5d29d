"""What is noted about conversations."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from attrs import define

from .. import answers, catalogue, conversations, details, queries
from ..database import Database
from ..grants import User
from ..values import Conversation, Details, Page
from .topic import LIMIT, Topic

_Result = TypeVar("_Result")


@define(eq=False)
class DetailsTopic(Topic):
    """Its assignee notes it; whoever may read a conversation reads it, so that a customer never has to say it twice."""

    async def read(self, *, by: User, conversation: int) -> Details:
        """Give all that is noted about a conversation, and what is known of its visitor."""
        return await self._read(by, conversation, lambda db: details.read(db, conversation))

    async def set_tags(
        self, *, by: User, conversation: int, tags: Collection[int], version: int | None = None
    ) -> Details:
        """Mark a conversation with exactly these tags."""
        now = self.now()
        return await self._change(conversation, lambda db: details.set_tags(db, by, conversation, tags, version, now))

    async def set_skills(
        self, *, by: User, conversation: int, skills: Collection[int], version: int | None = None
    ) -> Details:
        """Say which skills a conversation asks for."""
        now = self.now()
        return await self._change(
            conversation, lambda db: details.set_skills(db, by, conversation, skills, version, now)
        )

    async def set_subject(
        self, *, by: User, conversation: int, subject: int | None, version: int | None = None
    ) -> Details:
        """Mark a conversation with a subject of the last level."""
        now = self.now()
        return await self._change(
            conversation, lambda db: details.set_subject(db, by, conversation, subject, version, now)
        )

    async def set_fields(
        self, *, by: User, conversation: int, values: Mapping[int, str], version: int | None = None
    ) -> Details:
        """Save custom fields, by their ids: a part of the agent's form, so the short description must be there."""
        now = self.now()
        return await self._change(
            conversation, lambda db: details.set_fields(db, by, conversation, values, version, now)
        )

    async def note(self, *, by: User, conversation: int, text: str) -> Details:
        """Leave a note for whoever works on it next."""
        now = self.now()
        return await self._change(conversation, lambda db: details.note(db, by, conversation, text, now))

    async def history(
        self, *, by: User, conversation: int, ongoing: bool = False, limit: int = LIMIT, cursor: str = ""
    ) -> Page[Conversation]:
        """Give a page of the closed (or `ongoing`: and the open) conversations with the same customer, the newest
        first: all of them for supervisors, all closed ones for who works on one of the customer's, else those that the
        user may read."""
        return await self._read(
            by, conversation, lambda db: queries.history(db, by, conversation, ongoing, limit, cursor)
        )

    async def filled(self, *, by: User, conversation: int, answer: int) -> tuple[str, tuple[str, ...]]:
        """Give a quick answer for a conversation, its placeholders filled in, and its files: to be edited, or sent."""

        def fill(db: Database) -> tuple[str, tuple[str, ...]]:
            found = catalogue.answer(db, answer)
            values = answers.placeholders(queries.conversation(db, conversation), by.name)
            return answers.filled(found.text, values), found.files

        return await self._read(by, conversation, fill)

    async def _read(self, by: User, conversation: int, query: Callable[[Database], _Result]) -> _Result:
        def allowed(db: Database) -> _Result:
            conversations.require_readable(db, by, conversation)
            return query(db)

        return await self.store.read(allowed)

    async def _change(self, conversation: int, operation: Callable[[Database], object]) -> Details:
        await self.store.write(operation)
        return await self.store.read(lambda db: details.read(db, conversation))
