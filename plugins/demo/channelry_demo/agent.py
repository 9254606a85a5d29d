"""A program on the desk: an agent who answers every message and knows some of the customers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from attrs import evolve

from channelry.hub import Hub
from channelry.sink import Sink
from channelry_desk.desk import desk
from channelry_desk.errors import ConflictError
from channelry_desk.grants import SYSTEM
from channelry_desk.service import Service
from channelry_desk.values import Conversation

AGENT = evolve(SYSTEM, name="demo")
LOOK = 0.05
"""Seconds between two looks at the list of conversations."""
KNOWN = 5
"""Every so many conversations begin with somebody whom the agent knows."""


async def work(service: Service) -> None:
    """Look at the conversations again and again, and answer what has no answer yet."""
    looked: dict[int, datetime] = {}
    while True:
        cursor, page = "", None
        while page is None or cursor:
            page = await service.search.conversations(by=AGENT, cursor=cursor, limit=100)
            cursor = page.cursor
            for one in page.rows:
                if looked.get(one.id) != one.last_message_at:
                    if one.id not in looked and one.id % KNOWN == 0:
                        await _introduce(service, one)
                    looked[one.id] = one.last_message_at
                    await _answer(service, one)
        await asyncio.sleep(LOOK)


async def _answer(service: Service, conversation: Conversation) -> None:
    page = await service.conversations.messages(by=AGENT, conversation=conversation.id)
    answered = {message.key for message in page.rows if message.direction == "out"}
    for message in reversed(page.rows):
        key = f"answer:{message.key}"  # the message's own, so that answering again is a conflict and sends nothing
        if message.direction == "in" and key not in answered:
            with suppress(ConflictError):
                await service.conversations.reply(
                    by=AGENT, conversation=conversation.id, text=f"You wrote: {message.text}", key=key
                )


async def _introduce(service: Service, conversation: Conversation) -> None:
    """Record a customer and relate the profile: from now on the desk recognizes whoever writes from there."""
    first, last = NAMES[conversation.id // KNOWN % len(NAMES)]
    await service.customers.create(
        by=AGENT, first_name=first, last_name=last, phone=f"+{conversation.address.value}", conversation=conversation.id
    )


NAMES = (
    ("Ada", "Byron"), ("Олена", "Коваль"), ("Jürgen", "Weiß"), ("Zoë", "Martin"), ("José", "Núñez"), ("Anna", "Nowak"),
)  # fmt: skip


@asynccontextmanager
async def app(hub: Hub) -> AsyncIterator[Sink]:
    """Run the desk with the agent: `channelry serve --app channelry_demo.agent:app`."""
    async with desk(hub) as opened:
        working = asyncio.create_task(work(opened.service))
        try:
            yield opened
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
