"""Conversations: an agent's lists, what is said, and what is done with them."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import uuid4

import attrs
from attrs import define

from channelry.errors import PermanentError
from channelry.model import (
    Address,
    AnswerButton,
    Button,
    Capabilities,
    MarkRead,
    Outbound,
    Profile,
    SendMessage,
    ShowTyping,
    Surface,
    Target,
    Template,
)
from channelry.model.outbound import SendablePart

from .. import barring, conversations, documents, grants, log, people, queries, rules, states, tasks
from ..conversations import Place
from ..database import Database
from ..errors import IncompleteError, NotFoundError, UnavailableError, UnsupportedError
from ..grants import Access, User
from ..hooks import NewTask, StoredTask, TaskKind
from ..intake import is_known_address, save_profile
from ..moments import micros, moment_or_none
from ..queries import Stream
from ..states import Center, Hold, InteractionType, Step
from ..values import Change, Conversation, Interval, Message, Page, Task, number
from .topic import LIMIT, Topic

_Result = TypeVar("_Result")

UNSENT = (Surface.CALL, Surface.WALK_UP)
"""Where an agent begins a conversation without writing."""


@define(eq=False)
class Conversations(Topic):
    """Acting is exclusive: only the assignee works on a conversation. Reading is for those it is shared with too, and
    for supervisors. `version`: what the caller saw; another one is a ConflictError, None is any. `why`: for the log."""

    # Reading

    async def stream(
        self, *, by: User, which: Stream, center: Center | None = None, limit: int = LIMIT, cursor: str = ""
    ) -> Page[Conversation]:
        """Give a page of an agent's list, the newest first: what is theirs, what they may take, or what is closed of
        what they may read (for supervisors: all that is)."""
        grants.require_access(by, Access.CHAT_CENTER)
        return await self.store.read(lambda db: queries.stream(db, by, which, center, limit, cursor))

    async def read(self, *, by: User, conversation: int) -> Conversation:
        """Give one conversation."""
        return await self._read(by, conversation, lambda db: queries.conversation(db, conversation))

    async def messages(self, *, by: User, conversation: int, limit: int = LIMIT, cursor: str = "") -> Page[Message]:
        """Give a page of a conversation's messages, the newest first."""
        return await self._read(by, conversation, lambda db: queries.messages(db, conversation, limit, cursor))

    async def changes(self, *, by: User, conversation: int) -> Sequence[Change]:
        """Give what was done with a conversation, in order: who, when, why."""
        return await self._read(by, conversation, lambda db: log.of(db, log.CONVERSATION, conversation))

    async def intervals(self, *, by: User, conversation: int) -> Sequence[Interval]:
        """Give who has worked on a conversation from when to when, in order; what lasts still is not among them."""
        return await self._read(by, conversation, lambda db: queries.intervals(db, conversation))

    async def tasks(self, *, by: User, conversation: int) -> Sequence[Task]:
        """Give the tasks that were viewed or created during a conversation."""
        return await self._read(by, conversation, lambda db: tasks.related(db, conversation))

    async def capabilities(self, *, by: User, conversation: int) -> Capabilities:
        """Give what the channel can do in a conversation, so that nothing else is offered; PermanentError where its
        connection is not loaded."""
        connection, target = await self._read(by, conversation, lambda db: queries.target(db, conversation))
        return self._capabilities(connection).of(target)

    async def types(self, *, by: User) -> frozenset[InteractionType]:
        """Give the types that conversations can have: of the surfaces of the channels that are loaded (phone only
        with a telephony plugin)."""
        grants.require_inside(by)
        loaded = [one.plugin.capabilities for one in self.hub.connections.values() if one.plugin is not None]
        return frozenset(
            states.interaction_type(surface, scheme)
            for capabilities in loaded
            for surface in capabilities.surfaces
            for scheme in capabilities.schemes or ("",)
        )

    # Writing

    async def start(
        self, *, by: User, connection: str, address: Address, text: str = "", parts: Sequence[SendablePart] = (),
        template: Template | None = None, key: str = "",
    ) -> int:  # fmt: skip
        """Begin a conversation; give its id. It is the agent's, and expires as if the customer had written now.

        Where the channel writes, that is a message: a template, where its window is closed. On a telephone or at a
        counter nothing is sent. ConflictError where a conversation is open with that address already: reply there.
        """
        grants.require(grants.may_be_given(by, connection), by, f"write to customers of {connection}")
        channel, now = self.channel(connection), self.now()
        surface, initiates = self._beginning(connection)
        heard = await self.store.read(lambda db: conversations.heard(db, channel, connection, address))
        target = Target(to=address, last_inbound_at=moment_or_none(heard))
        given = await self._parts(by, parts)
        message = SendMessage(key=key or uuid4().hex, target=target, text=text, parts=given, template=template)
        unsent = surface in UNSENT and not message.kinds()
        composed = () if unsent else self.hub.compose(connection, message)

        def write(db: Database) -> int:
            if not initiates and not is_known_address(db, channel, address):
                raise UnsupportedError(f"{channel} writes only to people who have written before")
            profile = save_profile(db, channel, connection, Profile(address=address), now)
            barring.require_unbarred(db, profile)
            where = Place(connection=connection, profile=profile, scheme=address.scheme, surface=surface)
            number = conversations.start(db, by, where, self.intake.open_for, heard, now)
            if not unsent:
                window_until = self._window(connection, message)
                conversations.reply(db, by, number, message, composed, window_until, now)
            return number

        number = await self.store.write(write)
        self.queued()
        return number

    async def reply(
        self, *, by: User, conversation: int, text: str = "", parts: Sequence[SendablePart] = (),
        buttons: Sequence[Button] = (), template: Template | None = None, quote: bool = False, automatic: bool = False,
        key: str = "",
    ) -> int:  # fmt: skip
        """Answer the customer's last message; give the message's id, once it and its calls are durable.

        `key`: the program's own id of it; the same key again is a ConflictError and sends nothing.
        """
        connection, target = await self._target(by, conversation)
        given = await self._parts(by, parts)
        message = SendMessage(
            key=key or uuid4().hex, target=target, text=text, parts=given, buttons=tuple(buttons),
            template=template, quote=quote, automatic=automatic,
        )  # fmt: skip
        return await self._queue(by, conversation, connection, message)

    async def act(self, *, by: User, conversation: int, action: Outbound) -> int:
        """Do something else to a message of the conversation (edit, delete, react, hide) over the outbox; its target is
        filled in. NotFoundError for a message that was not said there."""
        connection, target = await self._target(by, conversation, action)
        return await self._queue(by, conversation, connection, attrs.evolve(action, target=target))

    async def signal(self, *, by: User, conversation: int, action: MarkRead | ShowTyping | AnswerButton) -> None:
        """Mark as read, show that somebody is typing, or answer a button: at once, and never again if it fails."""
        connection, target = await self._target(by, conversation, action)
        for call in self.hub.compose(connection, attrs.evolve(action, target=target)):
            await self.hub.send(connection, call)

    # Who has it

    async def accept(self, *, by: User, conversation: int, version: int | None = None) -> Conversation:
        """Take a pending conversation; ConflictError names who was faster."""
        now = self.now()
        return await self._change(conversation, lambda db: conversations.accept(db, by, conversation, version, now))

    async def reject(self, *, by: User, conversation: int, version: int | None = None, why: str = "") -> Conversation:
        """Close a pending conversation that nobody has to work on, a duplicate for example."""
        return await self._step(by, conversation, Step.REJECT, version, why)

    async def abandon(self, *, by: User, conversation: int, why: str = "") -> Conversation:
        """Close a pending conversation whose customer has left; for programs."""
        return await self._step(by, conversation, Step.ABANDON, None, why)

    async def release(self, *, by: User, conversation: int, version: int | None = None, why: str = "") -> Conversation:
        """Give a conversation back, for others to accept."""
        return await self._step(by, conversation, Step.RELEASE, version, why)

    async def colleagues(self, *, by: User, conversation: int, text: str = "") -> Sequence[User]:
        """Give the users whom a conversation may be assigned to, by the beginning of a name, an e-mail address or a
        short code."""

        def found(db: Database) -> list[User]:
            seen = conversations.require_readable(db, by, conversation)
            return people.able(db, seen.connection, text, {by.id, seen.assignee or 0})

        return await self.store.read(found)

    async def assign(
        self, *, by: User, conversation: int, to: int, version: int | None = None, why: str = "", escalate: bool = False
    ) -> Conversation:
        """Give a conversation to a user who is granted its connection; `escalate`: to a supervisor, and so logged."""
        now = self.now()
        return await self._change(
            conversation, lambda db: conversations.assign(db, by, conversation, to, version, why, now, escalate)
        )

    async def route(
        self, *, by: User, conversation: int, queue: int, version: int | None = None, why: str = ""
    ) -> Conversation:
        """Put a conversation of the Chat Center into a queue, for its members to accept."""
        now, open_for = self.now(), self.intake.open_for
        return await self._change(
            conversation, lambda db: conversations.route(db, by, conversation, queue, version, why, open_for, now)
        )

    async def share(self, *, by: User, conversation: int, user: int, shared: bool = True) -> None:
        """Let a colleague read along, or (`shared` False) no longer."""
        now = self.now()
        await self.store.write(lambda db: conversations.share(db, by, conversation, user, shared, now))

    # Working on it

    async def hold(
        self, *, by: User, conversation: int, reason: Hold = Hold.NONE, version: int | None = None, why: str = ""
    ) -> Conversation:
        """Let a conversation wait, for the customer or for somebody here; its duration pauses."""
        now = self.now()
        return await self._change(
            conversation,
            lambda db: conversations.step(db, by, conversation, Step.HOLD, now, version=version, why=why, hold=reason),
        )

    async def resume(self, *, by: User, conversation: int, version: int | None = None) -> Conversation:
        """Go on with a waiting conversation."""
        return await self._step(by, conversation, Step.RESUME, version)

    async def end(self, *, by: User, conversation: int, version: int | None = None, why: str = "") -> Conversation:
        """End the talk: into wrap-up where a policy has one, else closed. The customer's next message begins another
        conversation."""
        now, open_for = self.now(), self.intake.open_for
        return await self._change(
            conversation, lambda db: conversations.end(db, by, conversation, version, why, open_for, now)
        )

    async def close(self, *, by: User, conversation: int, version: int | None = None, why: str = "") -> Conversation:
        """Close a conversation for good, its wrap-up too; UndescribedError while an agent owes the description."""
        return await self._step(by, conversation, Step.CLOSE, version, why)

    async def describe(self, *, by: User, conversation: int, text: str, version: int | None = None) -> Conversation:
        """Save the agent's form: the short description, which may not be blank."""
        now = self.now()
        return await self._change(
            conversation, lambda db: conversations.describe(db, by, conversation, text, version, now)
        )

    async def archive(self, *, by: User, conversation: int, version: int | None = None) -> Conversation:
        """Put a closed conversation away; nothing about it can be changed afterwards."""
        now = self.now()
        return await self._change(conversation, lambda db: conversations.archive(db, by, conversation, version, now))

    # What it is about

    async def create_task(
        self, *, by: User, conversation: int, kind: TaskKind, title: str, text: str = "", key: str = ""
    ) -> Task:
        """Create an incident, a case or a request from a conversation, in the ticket system where a plugin has one.

        `key`: the program's own id of it; the same key again creates no other. IncompleteError without a title.
        """
        if not title.strip():
            raise IncompleteError("a task needs a title")
        task = NewTask(key=key or uuid4().hex, kind=kind, title=title, text=text, conversation=number(conversation))
        now = self.now()

        def prepare(db: Database) -> bool:
            tasks.require_related(db, by, conversation, now)
            return tasks.known(db, task.key) is None

        store, stored = await self._asked("create_task", task) if await self.store.read(prepare) else ("", None)
        created = await self.store.write(lambda db: tasks.create(db, by, conversation, task, store, stored, now))
        return await self._task(conversation, created)

    async def view_task(self, *, by: User, conversation: int, task: int | None = None, reference: str = "") -> Task:
        """Relate a task that is looked at: one that the desk knows, or one of the ticket system, by its id there."""
        now = self.now()
        await self.store.read(lambda db: tasks.require_related(db, by, conversation, now))
        store, found = ("", None) if task is not None else await self._stored(reference)

        def write(db: Database) -> int:
            viewed = task if found is None else tasks.adopt(db, store, found)
            assert viewed is not None
            tasks.view(db, by, conversation, viewed, now)
            return viewed

        return await self._task(conversation, await self.store.write(write))

    async def _stored(self, reference: str) -> tuple[str, StoredTask]:
        store, stored = await self._asked("read_task", reference)
        if stored is None:
            raise NotFoundError(f"there is no task {reference!r}")
        return store, stored

    async def _asked(self, hook: str, question: object) -> tuple[str, StoredTask | None]:
        """Ask the plugins that keep tasks, one after the other until one answers; UnavailableError where one fails:
        it might have been the one."""
        for instance in self.hub.instances.values():
            if hook in instance.hooks:
                outcome = await instance.hooks[hook].attempt(question)
                if outcome.error is not None:
                    raise UnavailableError(str(outcome.error)) from outcome.error
                if outcome.value is not None:
                    return outcome.plugin, outcome.value
        return "", None

    async def _task(self, conversation: int, task: int) -> Task:
        related = await self.store.read(lambda db: tasks.related(db, conversation))
        return next(one for one in related if one.id == task)

    # Within

    async def _read(self, by: User, conversation: int, query: Callable[[Database], _Result]) -> _Result:
        def allowed(db: Database) -> _Result:
            conversations.require_readable(db, by, conversation)
            return query(db)

        return await self.store.read(allowed)

    async def _change(self, conversation: int, operation: Callable[[Database], object]) -> Conversation:
        await self.store.write(operation)
        return await self.store.read(lambda db: queries.conversation(db, conversation))

    async def _step(self, by: User, conversation: int, step: Step, version: int | None, why: str = "") -> Conversation:
        now = self.now()
        return await self._change(
            conversation, lambda db: conversations.step(db, by, conversation, step, now, version=version, why=why)
        )

    async def _target(self, by: User, conversation: int, action: Outbound | None = None) -> tuple[str, Target]:
        """Give where an answer goes; refused before anything is composed, and again in the transaction."""
        now = self.now()

        def answerable(db: Database) -> tuple[str, Target]:
            seen = conversations.require_answerable(db, by, conversation, now)
            if action is not None:
                conversations.require_said_here(db, seen, action)
            return queries.target(db, conversation)

        return await self.store.read(answerable)

    async def _parts(self, by: User, parts: Sequence[SendablePart]) -> tuple[SendablePart, ...]:
        """Give the parts as they may be sent; refused before anything is composed."""
        return await self.store.read(lambda db: documents.sendable(db, by, parts)) if parts else ()

    async def _queue(self, by: User, conversation: int, connection: str, message: Outbound) -> int:
        composed = self.hub.compose(connection, message)
        window_until, now = self._window(connection, message), self.now()

        queued = await self.store.write(
            lambda db: conversations.reply(db, by, conversation, message, composed, window_until, now)
        )
        self.queued()
        return queued

    def _window(self, connection: str, message: Outbound) -> int | None:
        """Give when the channel's reply window closes for a message; a template needs none."""
        last = message.target.last_inbound_at
        if not isinstance(message, SendMessage) or message.template is not None or last is None:
            return None
        return rules.window_end(micros(last), self._capabilities(connection).of(message.target).window)

    def _beginning(self, connection: str) -> tuple[Surface, bool]:
        """Tell where a conversation that an agent begins takes place, and whether with anybody at all."""
        capabilities = self._capabilities(connection)
        if capabilities.surfaces.isdisjoint(UNSENT):
            return Surface.EMAIL if capabilities.surfaces == {Surface.EMAIL} else Surface.DIRECT, capabilities.initiates
        return next(surface for surface in UNSENT if surface in capabilities.surfaces), True

    def _capabilities(self, connection: str) -> Capabilities:
        instance = self.hub.connections.get(connection)
        if instance is None or instance.plugin is None:
            raise PermanentError(f"the connection {connection!r} is not loaded", code="no_connection")
        capabilities: Capabilities = instance.plugin.capabilities
        return capabilities
