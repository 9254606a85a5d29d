"""What a program asks of the desk."""

from collections.abc import Callable, Sequence
from uuid import uuid4

import attrs
from attrs import define

from channelry.errors import PermanentError
from channelry.hub import Hub
from channelry.model import (
    Address,
    AnswerButton,
    Button,
    Event,
    MarkRead,
    Outbound,
    Profile,
    Received,
    SendMessage,
    ShowTyping,
    Surface,
    Target,
    Template,
    Unparsed,
)
from channelry.model.outbound import SendablePart

from . import calls, conversations, queries, rules, sql
from .database import Database
from .errors import ConflictError, NotFoundError, StoreError
from .intake import Intake, open_conversation, save_profile
from .moments import micros
from .rules import ConversationState, Decision
from .store import Store
from .values import Conversation, Customer, DeadLetter, JournalEntry, Message, Page, Uncertain

LIMIT = 50


@define(eq=False, kw_only=True)
class Service:
    """The desk's functions. What they refuse is a DeskError with a stable `code`; what a channel cannot carry is the
    channel's own PermanentError or WindowClosedError, raised before anything is stored.

    - `queued`: called when a call was queued.
    """

    hub: Hub
    store: Store
    intake: Intake
    queued: Callable[[], None]

    # Conversations

    async def list_conversations(
        self, *, state: ConversationState | None = None, connection: str = "", limit: int = LIMIT, cursor: str = ""
    ) -> Page[Conversation]:
        """Give a page of conversations, the newest first, of one state and one connection where these are named."""
        return await self.store.read(lambda db: queries.conversations(db, state, connection, limit, cursor))

    async def read_conversation(self, *, conversation: int) -> Conversation:
        """Give one conversation; NotFoundError."""
        return await self.store.read(lambda db: queries.conversation(db, conversation))

    async def list_messages(self, *, conversation: int, limit: int = LIMIT, cursor: str = "") -> Page[Message]:
        """Give a page of a conversation's messages, the newest first."""
        return await self.store.read(lambda db: queries.messages(db, conversation, limit, cursor))

    async def start(
        self,
        *,
        connection: str,
        address: Address,
        agent: str,
        text: str = "",
        parts: Sequence[SendablePart] = (),
        template: Template | None = None,
        key: str = "",
    ) -> int:
        """Write to somebody first; give the conversation, which is the agent's. It expires as if the customer had
        written now. ConflictError where one is open with that address already."""
        target = Target(to=address)
        message = SendMessage(key=key or uuid4().hex, target=target, text=text, parts=tuple(parts), template=template)
        composed = self.hub.compose(connection, message)
        channel, now = self._channel(connection), self._now()

        def write(db: Database) -> int:
            profile = save_profile(db, channel, connection, Profile(address=address), now)
            row = db.execute(
                "SELECT id, expires_at FROM conversations WHERE profile = ? AND connection = ? AND place = ''"
                " AND closed_at IS NULL",
                (profile, connection),
            ).fetchone()
            if row is not None and not rules.is_expired(row[1], now):
                raise ConflictError(f"conversation {row[0]} with this address is open: reply there")
            if row is not None:
                db.execute(sql.CLOSE, (now, "inactive", row[0]))
            expires_at = now + self.intake.open_for
            number = open_conversation(db, connection, profile, "", Surface.DIRECT, now, expires_at)
            conversations.accept(db, number, agent, None, now)
            calls.queue(db, number, connection, agent, message, composed, None, now)
            return number

        number = await self.store.write(write)
        self.queued()
        return number

    async def reply(
        self,
        *,
        conversation: int,
        agent: str,
        text: str = "",
        parts: Sequence[SendablePart] = (),
        buttons: Sequence[Button] = (),
        template: Template | None = None,
        quote: bool = False,
        automatic: bool = False,
        key: str = "",
    ) -> int:
        """Answer the customer's last message; give the message's id, once it and its calls are durable.

        `key`: the program's own id of it; the same key again is a ConflictError and sends nothing.
        """
        connection, target = await self.store.read(lambda db: queries.target(db, conversation))
        message = SendMessage(
            key=key or uuid4().hex, target=target, text=text, parts=tuple(parts), buttons=tuple(buttons),
            template=template, quote=quote, automatic=automatic,
        )  # fmt: skip
        return await self._queue(conversation, connection, agent, message)

    async def act(self, *, conversation: int, agent: str, action: Outbound) -> int:
        """Do something else to a message (edit, delete, react, hide) over the outbox; its target is filled in."""
        connection, target = await self.store.read(lambda db: queries.target(db, conversation))
        return await self._queue(conversation, connection, agent, attrs.evolve(action, target=target))

    async def signal(self, *, conversation: int, action: MarkRead | ShowTyping | AnswerButton) -> None:
        """Mark as read, show that somebody is typing, or answer a button: at once, and never again if it fails."""
        connection, target = await self.store.read(lambda db: queries.target(db, conversation))
        for call in self.hub.compose(connection, attrs.evolve(action, target=target)):
            await self.hub.send(connection, call)

    async def _queue(self, conversation: int, connection: str, agent: str, message: Outbound) -> int:
        composed = self.hub.compose(connection, message)
        window_until = self._window(connection, message)
        now = self._now()

        def write(db: Database) -> int:
            conversations.require_open(db, conversation, now)
            return calls.queue(db, conversation, connection, agent, message, composed, window_until, now)

        number = await self.store.write(write)
        self.queued()
        return number

    def _window(self, connection: str, message: Outbound) -> int | None:
        """Give when the channel's reply window closes for a message; a template needs none."""
        last = message.target.last_inbound_at
        if not isinstance(message, SendMessage) or message.template is not None or last is None:
            return None
        capabilities = self.hub.connections[connection].plugin.capabilities
        return rules.window_end(micros(last), capabilities.of(message.target).window)

    async def accept(self, *, conversation: int, agent: str, version: int | None = None) -> Conversation:
        """Take a pending conversation; ConflictError names who was faster."""
        now = self._now()
        await self.store.write(lambda db: conversations.accept(db, conversation, agent, version, now))
        return await self.read_conversation(conversation=conversation)

    async def release(self, *, conversation: int, version: int | None = None) -> Conversation:
        """Give a conversation back."""
        now = self._now()
        await self.store.write(lambda db: conversations.release(db, conversation, version, now))
        return await self.read_conversation(conversation=conversation)

    async def close(self, *, conversation: int, reason: str = "done", version: int | None = None) -> Conversation:
        """Close a conversation for good; the customer's next message opens another one."""
        now = self._now()
        await self.store.write(lambda db: conversations.close(db, conversation, reason, version, now))
        return await self.read_conversation(conversation=conversation)

    # Customers

    async def create_customer(
        self,
        *,
        first_name: str,
        last_name: str,
        email: str = "",
        phone: str = "",
        company: str = "",
        address: str = "",
        profile: int | None = None,
    ) -> Customer:
        """Record a customer, and relate a profile at once where one is named; IncompleteError without a name, or with
        neither e-mail nor phone."""
        now = self._now()
        given = {
            "first_name": first_name, "last_name": last_name, "email": email, "phone": phone, "company": company,
            "address": address,
        }  # fmt: skip

        def write(db: Database) -> int:
            number = conversations.create_customer(db, given, now)
            if profile is not None:
                conversations.relate(db, profile, number)
            return number

        number = await self.store.write(write)
        return await self.store.read(lambda db: queries.customer(db, number))

    async def relate(self, *, profile: int, customer: int) -> None:
        """Record that a profile is a customer's; what it writes is recognized from now on."""
        await self.store.write(lambda db: conversations.relate(db, profile, customer))

    # What needs a person

    async def list_dead_letters(
        self, *, settled: bool = False, limit: int = LIMIT, cursor: str = ""
    ) -> Page[DeadLetter]:
        """Give a page of what could not be understood or applied."""
        return await self.store.read(lambda db: queries.dead_letters(db, settled, limit, cursor))

    async def replay(self, *, dead_letter: int) -> bool:
        """Parse the journaled request of a dead letter again, without verifying it (secrets rotate); tell whether it
        is understood and applied now. What was applied before is known by its key and stays as it is."""
        key, entry = await self.store.read(lambda db: queries.dead_letter(db, dead_letter))
        if not entry.request.body:  # a deletion has emptied it: nothing is left to be understood
            return False
        found = self._parsed_again(entry)
        now = self._now()

        def write(db: Database) -> bool:
            for received in found:
                for event in received.events:
                    self.intake.apply(db, received, event, entry.id)
            still = any(
                not received.connection
                or (type(event) is Unparsed and (event.key == key or event.raw == entry.request.body))
                for received in found
                for event in received.events
            )
            if not still:
                db.execute("UPDATE dead_letters SET settled_at = ? WHERE id = ?", (now, dead_letter))
            return not still

        try:
            return await self.store.write(write)
        except Exception as error:  # what the event itself makes the store raise: as dead as before
            if isinstance(error, StoreError):
                raise
            return False

    def _parsed_again(self, entry: JournalEntry) -> list[Received]:
        """Parse a request by its connection; an unclaimed one by every connection of the endpoint in its path."""
        if entry.connection:
            instance = self.hub.connections.get(entry.connection)
            if instance is None or instance.plugin is None:
                raise NotFoundError(f"the connection {entry.connection!r} is not loaded")
            parsed = self.hub.parsed(instance, entry.request)
            own = tuple(event for event in parsed.events if instance.claims(event))
            return [attrs.evolve(parsed, events=own, connection=entry.connection)]
        endpoint = entry.request.path.removeprefix("/hooks/").partition("/")[0].partition("?")[0]
        received = []
        for group in self.hub.endpoints.get(endpoint, ()):
            loaded = [one for one in group if one.plugin is not None]
            if not loaded:
                continue
            parsed = self.hub.parsed(loaded[0], entry.request)
            claimed: dict[str, list[Event]] = {}
            for event in parsed.events:
                owner = next((one.entry.name for one in loaded if one.claims(event)), "")
                claimed.setdefault(owner, []).append(event)
            received += [attrs.evolve(parsed, connection=name, events=tuple(own)) for name, own in claimed.items()]
        return received

    async def list_journal(self, *, limit: int = LIMIT, cursor: str = "") -> Page[JournalEntry]:
        """Give a page of the verified raw requests."""
        return await self.store.read(lambda db: queries.journal(db, limit, cursor))

    async def list_uncertain(self, *, limit: int = LIMIT, cursor: str = "") -> Page[Uncertain]:
        """Give a page of the calls of which nobody knows whether the provider took them."""
        return await self.store.read(lambda db: queries.uncertain(db, limit, cursor))

    async def decide(self, *, call: int, decision: Decision, who: str) -> None:
        """Settle an uncertain call: it was `sent`, it is to be sent again (`resend`), or `give-up`."""
        now = self._now()
        await self.store.write(lambda db: calls.decide(db, call, decision, who, now))
        self.queued()

    def _channel(self, connection: str) -> str:
        instance = self.hub.connections.get(connection)
        if instance is None:
            raise PermanentError(f"there is no connection {connection!r}", code="no_connection")
        return instance.entry.plugin

    def _now(self) -> int:
        return micros(self.hub.clock.now())
