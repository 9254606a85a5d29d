"""An application without the desk: it answers every message. Where who has a system of their own begins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import TaskGroup
from attrs import define, field

from channelry.errors import RetryableError, SendError
from channelry.hub import Hub, log
from channelry.model import Announced, MessageReceived, Received, SendMessage, Target
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
            if known not in self.seen:  # providers deliver more than once
                self.seen.add(known)
                if isinstance(event, MessageReceived) and received.connection:
                    self.tasks.start_soon(self.answer, received.connection, event)
                if isinstance(event, Announced) and received.connection:
                    self.tasks.start_soon(self.expand, received, event)

    async def expand(self, received: Received, event: Announced) -> None:
        """Read what a webhook only named, and take it as if it had come so."""
        with suppress(SendError):  # a real application tries again, and tells somebody
            events = await self.hub.expand(received.connection, event)
            await self.record(Received(received.request, tuple(events), connection=received.connection))

    async def answer(self, connection: str, message: MessageReceived) -> None:
        reply = SendMessage(key=message.key, target=Target.answering(message), text=f"You wrote: {message.text}")
        try:
            for call in self.hub.compose(connection, reply):
                while True:
                    try:
                        await self.hub.send(connection, call)
                        break
                    except RetryableError as error:  # certainly not taken, so it may be sent again
                        await self.hub.clock.sleep(error.retry_after or 1.0)
        except SendError as error:  # never sent again silently: a person decides
            log.error("%s: not answered: %s", connection, error)


@asynccontextmanager
async def app(hub: Hub) -> AsyncIterator[Sink]:
    """Answer until the server stops: `channelry serve --app channelry_demo.echo:app`."""
    async with anyio.create_task_group() as tasks:
        yield Echo(hub, tasks)
        tasks.cancel_scope.cancel()
