"""A program on the desk: an agent who answers every message and knows some of the customers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from attrs import evolve

from channelry.hub import Hub
from channelry.model import Surface
from channelry.sink import Sink
from channelry_desk.desk import desk
from channelry_desk.errors import ConflictError
from channelry_desk.grants import SYSTEM
from channelry_desk.service import Service
from channelry_desk.values import Conversation

from .words import REGULAR

AGENT = evolve(SYSTEM, name="demo")
LOOK = 0.05
"""Seconds between two looks at the list of conversations."""
KNOWN = 5
"""Every so many conversations begin with somebody whom the agent knows; the one who writes everywhere it knows too."""


async def work(service: Service) -> None:
    """Look at the conversations again and again, and answer what has no answer yet."""
    looked: dict[int, tuple[datetime, str]] = {}  # the text too, for some providers tell whole seconds only
    known: dict[str, int] = {}
    while True:
        cursor, page = "", None
        while page is None or cursor:
            page = await service.search.conversations(by=AGENT, cursor=cursor, limit=100)
            cursor = page.cursor
            for one in page.rows:
                if looked.get(one.id) != (one.last_message_at, one.last_text):
                    if one.id not in looked and one.surface is Surface.DIRECT:  # who comments has no customer's record
                        await _introduce(service, one, known)
                    looked[one.id] = (one.last_message_at, one.last_text)
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


async def _introduce(service: Service, conversation: Conversation, known: dict[str, int]) -> None:
    """Relate a profile whose person the agent knows, by number, to the customer, recorded first where that is new:
    from now on the desk recognizes whoever writes from there."""
    number = conversation.address.value.lstrip("+")
    if number in known:
        await service.customers.relate(by=AGENT, conversation=conversation.id, customer=known[number])
    elif number == REGULAR or conversation.id % KNOWN == 0:
        first, last = NAMES[conversation.id // KNOWN % len(NAMES)]
        customer = await service.customers.create(
            by=AGENT, first_name=first, last_name=last, phone=f"+{number}", conversation=conversation.id
        )
        known[number] = customer.id


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
