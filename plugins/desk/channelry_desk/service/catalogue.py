"""What administrators define for the whole organisation."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from attrs import define

from .. import attachments, catalogue, grants, log, people, policies
from ..catalogue import SKILLS, TAGS, FieldKind, Setting
from ..database import Database
from ..grants import Access, User
from ..policies import Policy
from ..values import Answer, Field, Named, Subject
from .topic import Topic

_Result = TypeVar("_Result")


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

    async def set_policy(self, *, by: User, policy: Policy, version: int | None = None) -> None:
        """Set the policy of a connection and a queue; PermanentError, NotFoundError where there is no such one,
        ConflictError where the policy that holds is of another `version` than the caller saw (0: there was none)."""
        grants.require_access(by, Access.ADMINISTRATION)
        if policy.connection:
            self.channel(policy.connection)
        now = self.now()

        def write(db: Database) -> None:
            for queue in filter(None, (policy.queue, policy.route_to)):
                people.named_queue(db, queue)
            policies.save(db, policy, version)
            log.changed(db, by.id, now, log.POLICY, policy.queue, "set", data={"connection": policy.connection})

        await self.store.write(write)

    async def tags(self, *, by: User) -> Sequence[Named]:
        """Give the tags that conversations can be marked with, by name."""
        return await self._offered(by, TAGS.listed)

    async def create_tag(self, *, by: User, name: str) -> Named:
        """Define a tag for the whole organisation."""
        return await self._define(by, lambda db, now: TAGS.create(db, by, name, now))

    async def retire_tag(self, *, by: User, tag: int) -> None:
        """Offer a tag no longer; what is marked with it stays so."""
        await self._define(by, lambda db, now: TAGS.retire(db, by, tag, now))

    async def skills(self, *, by: User) -> Sequence[Named]:
        """Give the skills that a conversation can ask for, by name."""
        return await self._offered(by, SKILLS.listed)

    async def create_skill(self, *, by: User, name: str) -> Named:
        """Define a skill."""
        return await self._define(by, lambda db, now: SKILLS.create(db, by, name, now))

    async def retire_skill(self, *, by: User, skill: int) -> None:
        """Offer a skill no longer."""
        await self._define(by, lambda db, now: SKILLS.retire(db, by, skill, now))

    async def subjects(self, *, by: User) -> Sequence[Subject]:
        """Give the subjects of all three levels."""
        return await self._offered(by, catalogue.subjects)

    async def create_subject(self, *, by: User, name: str, parent: int | None = None) -> Subject:
        """Define a subject, below another one unless it is of the first level."""
        return await self._define(by, lambda db, now: catalogue.create_subject(db, by, name, parent, now))

    async def retire_subject(self, *, by: User, subject: int) -> None:
        """Offer a subject, and what is below it, no longer."""
        await self._define(by, lambda db, now: catalogue.retire_subject(db, by, subject, now))

    async def fields(self, *, by: User) -> Sequence[Field]:
        """Give the custom fields of conversations."""
        return await self._offered(by, catalogue.fields)

    async def create_field(
        self, *, by: User, name: str, kind: FieldKind = FieldKind.TEXT, choices: Sequence[str] = (), initial: str = "",
        editable: bool = True,
    ) -> Field:  # fmt: skip
        """Define a field; `initial`: what conversations have of it until somebody saves something else."""
        return await self._define(
            by, lambda db, now: catalogue.create_field(db, by, name, kind, choices, initial, editable, now)
        )

    async def retire_field(self, *, by: User, field: int) -> None:
        """Show a field no longer."""
        await self._define(by, lambda db, now: catalogue.retire_field(db, by, field, now))

    async def answers(self, *, by: User, language: str = "") -> Mapping[str, Sequence[Answer]]:
        """Give the quick answers by category: of a language and those of any, or (`""`) all."""
        found = await self._offered(by, lambda db: catalogue.answers(db, language))
        return {name: tuple(those) for name, those in groupby(found, lambda one: one.category)}

    async def save_answer(
        self, *, by: User, category: str, title: str, text: str = "", language: str = "", files: Sequence[str] = (),
        version: int | None = None,
    ) -> Answer:  # fmt: skip
        """Define a quick answer, or change the one of this category, title and language: ConflictError where it is of
        another `version` than the caller saw (0: none was offered). `files`: names of files that were uploaded."""
        given = Answer(category=category, title=title, language=language, text=text, files=tuple(files))

        def save(db: Database, now: int) -> Answer:
            for name in files:
                attachments.require_uploaded(db, name)
            return catalogue.save_answer(db, by, given, version, now)

        return await self._define(by, save)

    async def retire_answer(self, *, by: User, answer: int, version: int | None = None) -> None:
        """Offer a quick answer no longer; ConflictError as `save_answer`."""
        await self._define(by, lambda db, now: catalogue.retire_answer(db, by, answer, version, now))

    async def setting(self, *, by: User, name: Setting) -> Any:
        """Give what is set."""
        return await self._offered(by, lambda db: catalogue.setting(db, name))

    async def change_setting(self, *, by: User, name: Setting, value: Any) -> None:
        """Set something for the whole organisation."""
        await self._define(by, lambda db, now: catalogue.change_setting(db, by, name, value, now))

    async def _offered(self, by: User, query: Callable[[Database], _Result]) -> _Result:
        grants.require_inside(by)
        return await self.store.read(query)

    async def _define(self, by: User, operation: Callable[[Database, int], _Result]) -> _Result:
        grants.require_access(by, Access.ADMINISTRATION)
        now = self.now()
        return await self.store.write(lambda db: operation(db, now))
