"""An application without the desk: it answers every message. Where who has a system of their own begins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup
from attrs import define, field

from channelry.errors import ChannelryError, RetryableError
from channelry.hub import Hub, log
from channelry.model import Announced, Event, MessageReceived, Received, SendMessage, Target
from channelry.sink import Sink


@define(eq=False)
class Echo(Sink):
    """Keeps nothing but what it has seen. A real one writes `received` to its store before it returns."""

    hub: Hub
    tasks: TaskGroup
    seen: set[tuple[str, str]] = field(factory=set, init=False)

    async def record(self, received: Received) -> None:
        for event in received.events:
            known = (received.connection, event.key)
            if received.connection and known not in self.seen:  # providers deliver more than once
                self.seen.add(known)
                self.tasks.start_soon(self.take, received, event)

    async def take(self, received: Received, event: Event) -> None:
        """Answer a message; read what a webhook only named, and take it as if it had come so."""
        try:
            if isinstance(event, Announced):
                events = await self.hub.expand(received.connection, event)
                await self.record(Received(received.request, tuple(events), connection=received.connection))
            elif isinstance(event, MessageReceived):
                await self.answer(received.connection, event)
        except ChannelryError as error:  # never sent again silently: a person decides
            log.error("%s: %s is not done: %s", received.connection, event.key, error)

    async def answer(self, connection: str, message: MessageReceived) -> None:
        reply = SendMessage(key=message.key, target=Target.answering(message), text=f"You wrote: {message.text}")
        for call in self.hub.compose(connection, reply):
            while True:
                try:
                    await self.hub.send(connection, call)
                    break
                except RetryableError as error:  # certainly not taken, so it may be sent again
                    await self.hub.clock.sleep(error.retry_after or 1.0)


@asynccontextmanager
async def app(hub: Hub) -> AsyncIterator[Sink]:
    """Answer until the server stops: `channelry serve --app channelry_demo.echo:app`."""
    async with anyio.create_task_group() as tasks:
        yield Echo(hub, tasks)
        tasks.cancel_scope.cancel()
