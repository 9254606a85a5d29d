"""A message whose answer was lost: noted when it was sent, and looked for in what the provider lists of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from channelry.errors import AmbiguousError
from channelry.model import Accepted, Call, NotTaken, Receipt, Reconciled, Unknown
from channelry.services import Services

from .answers import unreadable

LISTED_WITHIN = timedelta(seconds=60)
"""After this what a provider took is in its lists; and how far its clock may be from ours. Our own guess."""


@frozen
class Listed:
    """A message that the provider lists: its id, its text, when it was made, and whether it can be one of ours."""

    external_id: str
    text: str
    made: datetime
    ours: bool = True


def _key(call: Call) -> str:
    return f"doubt:{call.key}"


@asynccontextmanager
async def noted(call: Call, services: Services) -> AsyncIterator[None]:
    """Note when a call was made if its answer is lost; an earlier attempt that was repeated is forgotten."""
    began = services.clock.now()
    try:
        yield
    except AmbiguousError:
        earlier = await services.state.get(_key(call))
        note = f"{began.isoformat()} {services.clock.now().isoformat()}"
        await services.state.compare_and_set(_key(call), earlier, note)
        raise


async def settle(
    call: Call,
    text: str | None,
    listed: Callable[[], Awaitable[Any]],
    read: Callable[[Any], Listed],
    most: int,
    services: Services,
) -> Reconciled:
    """Tell what became of a noted call: taken if one of ours has its text and its time, not if none has its time.

    - `text`: what the provider lists of it; None where it makes another of it, so that the text proves nothing.
    - `listed`: gives the array of the newest messages, at most `most`, whose rows are then `read`; what is no array,
      and a row whose reading raises ValueError, TypeError, KeyError or AttributeError, settles nothing.
    """
    note = await services.state.get(_key(call))
    if note is None:  # the process ended before it could note the moment
        return Unknown("when it was sent is not known")
    began, ended = map(datetime.fromisoformat, note.split())
    since, until = began - LISTED_WITHIN, ended + LISTED_WITHIN
    array = await listed()
    try:
        if not isinstance(array, list):
            raise ValueError("expected an array")
        rows = [read(row) for row in array]
        near = [row for row in rows if row.ours and since <= row.made <= until]
    except (ValueError, TypeError, KeyError, AttributeError):  # a time without its zone is not compared either
        raise unreadable(repeatable=True) from None
    alike = [row for row in near if row.text == text]
    found: Reconciled
    if len(alike) == 1:
        found = Accepted(Receipt((alike[0].external_id,)))
    elif near:
        return Unknown(f"{len(near)} of ours were written there at that time")
    elif len(rows) >= most and all(since <= row.made for row in rows):
        return Unknown("the list does not reach back so far")
    else:
        found = NotTaken()
    return await conclude(call, found, services)


async def conclude(call: Call, found: Reconciled, services: Services) -> Reconciled:
    """Give what a search `found` of a call, and forget its note once that is settled.

    What is not found was not taken only if it would be listed by now: a while after the note, or, where the process
    ended before it could make one, after the first search.
    """
    if isinstance(found, Unknown):
        return found
    key, now = _key(call), services.clock.now()
    note = await services.state.get(key)
    if isinstance(found, NotTaken):
        if note is None:
            await services.state.compare_and_set(key, None, f"{now.isoformat()} {now.isoformat()}")
        if note is None or now <= datetime.fromisoformat(note.split()[1]) + LISTED_WITHIN:
            return Unknown("it may not be listed yet")
    await services.state.compare_and_set(key, note, None)
    return found
