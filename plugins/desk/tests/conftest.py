"""A real hub and a real desk over a small channel whose provider does what a test tells it. asyncio only."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import orjson
import pytest
from attrs import define, field, frozen

from channelry import codec, hookimpl, plugin
from channelry.config import Configuration, Entry
from channelry.errors import AmbiguousError, PermanentError, RetryableError
from channelry.hub import Hub, open_hub
from channelry.model import (
    Accepted,
    Address,
    Announced,
    Call,
    Capabilities,
    Event,
    Kind,
    Language,
    Match,
    Media,
    MediaLimit,
    MessageReceived,
    NotTaken,
    Outbound,
    Profile,
    Rate,
    Receipt,
    Received,
    Reconciled,
    Request,
    Resend,
    Sentiment,
    Surface,
    Text,
    Unparsed,
)
from channelry.parsing import each, received
from channelry.services import Save, Services
from channelry.text import split
from channelry_desk.attachments import file_of
from channelry_desk.config import DeskConfig
from channelry_desk.desk import Desk, open_desk
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.values import Conversation, Message
from channelry_testing import FakeClock

from .postgresql import MissingError, made_database, running_server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@define(eq=False)
class Provider:
    """The other side: `script` says what happens to the next calls, `taken` is what it took, in order, `bodies` what
    they said."""

    script: deque[str] = field(factory=deque)
    taken: list[str] = field(factory=list)
    bodies: list[Any] = field(factory=list)
    asked: int = 0
    answers: deque[Reconciled] = field(factory=deque)
    resend: Resend = Resend.NEVER
    rates: tuple[Rate, ...] = ()
    window: timedelta | None = None
    surfaces: frozenset[Surface] = frozenset({Surface.DIRECT})
    initiates: bool = True
    files: frozenset[Kind] = frozenset({Kind.DOCUMENT})
    media: dict[Kind, MediaLimit] = field(factory=dict)
    times: list[float] = field(factory=list)
    address: Address | None = None
    silent: set[str] = field(factory=set)
    """Kinds of announcements of which the provider tells nothing more."""

    async def take(self, call: Call, services: Services) -> Receipt:
        fault, _, detail = (self.script.popleft() if self.script else "ok").partition(" ")
        self.times.append(services.clock.monotonic())
        if fault == "retry":
            seconds, _, scope = detail.partition(" ")
            raise RetryableError("later", retry_after=float(seconds) if seconds else None, scope=scope or None)
        if fault == "permanent":
            raise PermanentError("never", code="bad")
        if fault == "hang":  # and the process dies meanwhile
            await asyncio.Event().wait()
        if fault == "untaken":
            raise AmbiguousError("the answer was lost")
        self.taken.append(call.key)
        self.bodies.append(call.body)
        if fault == "lost":
            raise AmbiguousError("the answer was lost")
        if fault == "taken-hang":
            await asyncio.Event().wait()
        return Receipt((f"id:{call.key}",), self.address)


PROVIDERS: dict[str, Provider] = {}
"""By the name in the configuration: a plugin is made from its Config alone."""


@plugin
class Post:
    """A channel whose webhooks are our own events as JSON."""

    @frozen
    class Config:
        provider: str

    config: Config

    @property
    def provider(self) -> Provider:
        return PROVIDERS[self.config.provider]

    @property
    def capabilities(self) -> Capabilities:
        provider = self.provider
        return Capabilities(
            sends=provider.files | {Kind.TEXT, Kind.READ, Kind.EDIT, Kind.TEMPLATE, Kind.HIDE, Kind.DELETE},
            media=provider.media,
            text=10, resend=provider.resend, rates=provider.rates, window=provider.window, surfaces=provider.surfaces,
            initiates=provider.initiates, public=Capabilities(text=10),
        )  # fmt: skip

    @hookimpl
    def verify(self, request: Request) -> None:
        return None

    @hookimpl
    def parse(self, request: Request) -> Received:
        def event(row: Any) -> Event:
            if row.get("type") == "Mystery":
                raise ValueError("a mystery")
            made: Event = codec.from_json(row, Event)
            return made

        return received(request, lambda body: each(body, event, request.received_at))

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        text, parts = getattr(outbound, "text", ""), getattr(outbound, "parts", ())
        files = [file.ref for file in map(file_of, parts) if file is not None]
        more = {"files": files} if files else {}
        return [
            Call(key=f"{outbound.key}/{n}", to=outbound.target.to, action="post", body={"text": piece, **more})
            for n, piece in enumerate(split(text, 10) or [""])
        ]

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await self.provider.take(call, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        self.provider.asked += 1
        if self.provider.answers:
            return self.provider.answers.popleft()
        return Accepted(Receipt((f"id:{call.key}",))) if call.key in self.provider.taken else NotTaken()

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        return Profile(address=address, name=f"Looked up {address.value}")

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        if event.what in self.provider.silent:
            if event.what == "riddle":
                return [Unparsed.of("it is no message", b"{}", event.occurred_at)]
            raise PermanentError("nothing is told of it", code="gone")
        return [message("eve", "expanded", key=f"{event.key}/expanded")]

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        if media.id == "gone":
            raise PermanentError("gone")
        if media.id == "slow":
            await asyncio.Event().wait()
        await save(b"some ")
        await save(b"bytes")
        return media


@plugin
class Brain:
    """A recognizer, an enricher and an observer."""

    @frozen
    class Config:
        fails: bool = False

    config: Config
    seen: list[str] = field(factory=list)
    asked: list[Text] = field(factory=list)
    scored: list[Text] = field(factory=list)
    languages: dict[str, Language | None] = field(factory=dict)
    scores: dict[str, Sentiment | None] = field(factory=dict)
    pause: Callable[[], Awaitable[None]] | None = None

    @hookimpl
    async def recognize(self, profile: Profile) -> Match | None:
        if profile.address.value == "known":
            return Match(customer="crm-1", evidence="the phone number", exact=True)
        return Match(customer="crm-2", evidence="the name") if profile.address.value == "similar" else None

    @hookimpl
    async def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        if self.config.fails:
            raise RuntimeError("down")
        self.asked += texts
        if self.pause is not None:
            await self.pause()
        english = Language(code="en", confidence=0.9)
        return [self.languages.get(text.text, english if len(text.text) > 2 else None) for text in texts]

    @hookimpl
    async def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        self.scored += texts
        half = Sentiment(score=0.5, confidence=0.9)
        return [self.scores.get(text.text, half if text.language == "en" else None) for text in texts]

    @hookimpl
    async def observe(self, event: Event, connection: str) -> None:
        self.seen.append(event.key)


START = datetime.fromisoformat("2026-11-22T07:00:00+00:00")


def message(sender: str, text: str, key: str = "", **more: Any) -> MessageReceived:
    """Make a customer's message."""
    more.setdefault("occurred_at", START)
    profile = more.pop("profile", None) or Profile(address=Address("post", sender), name=sender.title())
    key = key or f"{sender}:{text}"
    return MessageReceived(key=key, external_id=more.pop("external_id", key), sender=profile, text=text, **more)


@define(eq=False)
class House:
    """A hub with its desk, and the clock that moves when told."""

    hub: Hub
    desk: Desk
    clock: FakeClock
    provider: Provider

    async def deliver(self, *events: Event, connection: str = "post", raw: Sequence[Any] = ()) -> int:
        """Post events as the provider would; give the HTTP status."""
        rows = [codec.to_json(event, Event) for event in events] + list(raw)
        request = Request("POST", f"/hooks/{connection}", ((b"x", b"1"),), orjson.dumps(rows), self.clock.now(), "u")
        return (await self.hub.receive(connection, request)).status

    async def written(self, who: str, text: str = "hello", **more: Any) -> int:
        """Let a customer write; give the newest conversation."""
        assert await self.deliver(message(who, text, **more)) == 200
        return await self.conversation()

    async def send(self) -> None:
        """Let the outbox do all that is due now."""
        outbox, before = self.desk.worker.outbox, None
        while before != (before := await self.rows("SELECT id, state, token, lookups, due_at FROM calls")):
            await outbox.step()
            await outbox.settle()

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        return await self.desk.store.read(lambda db: db.execute(statement, values).fetchall())

    async def user(
        self, name: str, *access: Access, connections: Collection[str] = ("post", "second"),
        queues: Collection[int] = (),
    ) -> User:  # fmt: skip
        """Make a user, of the Chat Center where nothing else is said, granted both connections."""
        people = self.desk.service.people
        made, _ = await people.invite(by=SYSTEM, email=f"{name.lower()}@example.org", first_name=name, last_name="Ng")
        return await people.grant(
            by=SYSTEM, user=made.id, access=access or {Access.CHAT_CENTER}, connections=connections, queues=queues
        )

    async def read(self, number: int | None = None) -> Conversation:
        """Read a conversation, the newest where none is named, with every right."""
        conversation = await self.conversation() if number is None else number
        return await self.desk.service.conversations.read(by=SYSTEM, conversation=conversation)

    async def messages(self, number: int | None = None) -> Sequence[Message]:
        """Give the messages of a conversation, the newest where none is named, with every right."""
        conversation = await self.conversation() if number is None else number
        return (await self.desk.service.conversations.messages(by=SYSTEM, conversation=conversation)).rows

    async def conversation(self) -> int:
        """Give the newest conversation."""
        ((number,),) = await self.rows("SELECT max(id) FROM conversations")
        return int(number)


Opening: TypeAlias = Callable[..., AbstractAsyncContextManager[House]]


@asynccontextmanager
async def opened(
    folder: Path, clock: FakeClock, provider: Provider, *, work: bool = False, brain: dict[str, Any] | None = None,
    more: Sequence[Entry] = (), **config: Any,
) -> AsyncIterator[House]:  # fmt: skip
    PROVIDERS[str(folder)] = provider
    entries = [
        Entry(f"connections.{name}", "post", endpoint=name, cls=Post, config=Post.Config(str(folder)))
        for name in ("post", "second")
    ]
    entries += more
    orders: dict[str, tuple[str, ...]] = {}
    if brain is not None:
        entries.append(Entry("enrichment.brain", "brain", cls=Brain, config=Brain.Config(**brain)))
        orders = dict.fromkeys(("recognize", "detect_language", "score_sentiment"), ("enrichment.brain",))
    config.setdefault("database", str(folder / "desk.db"))
    section = DeskConfig(files=str(folder / "files"), **config)
    configuration = Configuration(folder / "channelry.toml", tuple(entries), orders, {"desk": section})
    desks: list[Desk] = []

    @asynccontextmanager
    async def app(hub: Hub) -> AsyncIterator[Desk]:
        async with open_desk(hub, work=work) as made:
            desks.append(made)
            yield made

    async with open_hub(configuration, app, clock=clock) as hub:
        house = House(hub, desks[0], clock, provider)
        yield house
        await desks[0].worker.outbox.close(0)


def missing(error: MissingError) -> NoReturn:
    """Skip a test that needs PostgreSQL, and let it fail in continuous integration."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(error))
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    try:
        with running_server() as url:
            yield url
    except MissingError as error:
        missing(error)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Name an empty database of each store."""
    if request.param == "sqlite":
        yield str(tmp_path / "desk.db")
    else:
        with made_database(request.getfixturevalue("postgresql_server")) as url:
            yield url


@pytest.fixture
def opening(tmp_path: Path, database: str) -> Opening:
    """Give a context manager that opens the house over the same database each time."""
    clock, provider = FakeClock(), Provider()

    def make(**how: Any) -> AbstractAsyncContextManager[House]:
        how.setdefault("database", database)
        how.setdefault("clock", clock)
        how.setdefault("provider", provider)
        return opened(tmp_path, **how)

    return make


@pytest.fixture
async def house(opening: Opening) -> AsyncIterator[House]:
    async with opening() as made:
        yield made
