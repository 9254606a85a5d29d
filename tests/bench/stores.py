"""Desks with much in them, and with nothing, in either store.

`CHANNELRY_BENCH_MANY` names a folder in which those with much are kept from run to run, and made where they are not; of
PostgreSQL they stay in the server.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from channelry_desk.fill import Past
from channelry_desk.postgresql import Postgres
from channelry_desk.sqlite import Sqlite
from channelry_desk.store import open_store

sys.path.append(str(Path(__file__).parents[2] / "plugins" / "desk" / "tests"))
import postgresql

MANY, FEW = 1_000_000, 10_000
NOW = 1_795_300_000_000_000
"""When the past ends: as long ago as the sample's messages."""
CONNECTIONS = ("support", "sales", "press")
KEPT = "CHANNELRY_BENCH_MANY"

Kept: TypeAlias = Sqlite | Postgres
Stored: TypeAlias = Callable[[int], AbstractContextManager[Kept]]
"""Gives a desk's store with so many conversations."""


@contextmanager
def sqlite(conversations: int) -> Iterator[Kept]:
    with _folder() as where:
        file = where / f"{conversations}.db"
        if not file.exists():
            made = where / f"{conversations}.part"
            asyncio.run(_fill(Sqlite(made), conversations))
            made.rename(file)
        yield Sqlite(file)


@contextmanager
def _folder() -> Iterator[Path]:
    if kept := os.environ.get(KEPT):
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)


@contextmanager
def postgres(conversations: int) -> Iterator[Kept]:
    kept = f"channelry_many_{conversations}" if KEPT in os.environ else ""
    with postgresql.running_server(durable=True) as server:
        if kept and postgresql.ask(server, f"SELECT 1 FROM pg_database WHERE datname = '{kept}'"):
            yield Postgres(postgresql.url_of(server, kept))
            return
        with postgresql.made_database(server) as url:
            asyncio.run(_fill(Postgres(url), conversations))
            postgresql.ask(url, "VACUUM ANALYZE")  # what the server does by itself in its time
            if not kept:
                yield Postgres(url)
                return
            made = url.rpartition("/")[2].partition("?")[0]
            postgresql.ask(server, f"ALTER DATABASE {made} RENAME TO {kept}")
            yield Postgres(postgresql.url_of(server, kept))


async def _fill(engine: Kept, conversations: int) -> None:
    store = await open_store(engine)
    past = Past(conversations, CONNECTIONS, NOW)
    await store.write(past.found)
    for part in past.steps():
        await store.write(partial(past.write, part=part))
    while await store.write(past.index):
        pass
    await store.close()


@contextmanager
def empty_database() -> Iterator[str]:
    """Give the URL of an empty database of PostgreSQL."""
    with postgresql.running_server(durable=True) as server, postgresql.made_database(server) as url:
        yield url
