"""The application of the kill test: the desk, and a program on it that answers every message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from channelry.hub import Hub
from channelry_desk.desk import Desk, desk
from channelry_desk.errors import ConflictError
from channelry_desk.grants import SYSTEM


@asynccontextmanager
async def app(hub: Hub) -> AsyncIterator[Desk]:
    async with desk(hub) as opened:
        answering = asyncio.create_task(answer(opened))
        try:
            yield opened
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


async def answer(opened: Desk) -> None:
    """Answer what has no answer: the key makes that safe to repeat."""
    while True:
        rows = await opened.store.read(
            lambda db: db.execute(
                "SELECT m.conversation, m.key, m.text FROM messages m WHERE m.direction = 'in' AND NOT EXISTS"
                " (SELECT 1 FROM messages o WHERE o.connection = m.connection AND o.key = 'out:re:' || m.key)"
            ).fetchall()
        )
        for conversation, key, text in rows:
            with suppress(ConflictError):
                await opened.service.conversations.reply(
                    by=SYSTEM, conversation=conversation, text=f"re {text}", key=f"re:{key}"
                )
        await asyncio.sleep(0.01)
