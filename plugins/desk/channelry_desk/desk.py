"""The desk as an application of the hub: the sink, and beside it the service and the worker."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field

from channelry.config import Configuration
from channelry.hub import Hub
from channelry.model import Received
from channelry.services import Files, State
from channelry.sink import Nowhere, Sink

from .arrivals import Arrivals
from .config import DeskConfig
from .database import Database, Engine
from .errors import StoreError
from .folder import Folder
from .intake import Intake
from .moments import HOUR
from .service import Service
from .sqlite import Sqlite
from .store import Store, open_store
from .worker import Worker

log = logging.getLogger("channelry.desk")

DRAIN_SECONDS = 10.0
"""How long a closing desk waits for what it is sending."""


@define(eq=False, kw_only=True)
class Desk(Sink):
    """Keeps what arrives.

    - `service`: what a program asks of it; `worker`: sends and tidies up, where it runs in this process.
    """

    store: Store
    intake: Intake
    arrivals: Arrivals = field(init=False)
    service: Service
    worker: Worker
    folder: Folder

    def __attrs_post_init__(self) -> None:
        self.arrivals = Arrivals(self.intake)

    async def record(self, received: Received) -> None:
        """Return when the events are durable; raises where the store cannot keep them now."""
        try:
            await self.store.write_together(self.arrivals.record, received)
        except Exception as error:  # one event that cannot be applied: its neighbours can
            if isinstance(error, StoreError):
                raise
            # by its kind only, for a store's own words may quote the customer's
            log.warning("%s: not applied as a whole: %s", received.connection, type(error).__name__)
            await self.store.write(lambda db: self.intake.record_singly(db, received))
        self.worker.arrived.set()

    async def probe(self) -> None:
        """Raise unless a transaction can be made durable now."""
        await self.store.write(_touch)

    def state(self, connection: str) -> State:
        """Give a plugin's durable memory."""
        return DeskState(self.store, connection)

    def files(self) -> Files:
        """Give the files of the desk's folder."""
        return self.folder


def _touch(db: Database) -> None:
    db.execute(
        "INSERT INTO state (owner, key, value) VALUES ('desk', 'probe', '')"
        " ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value"
    )


@define(eq=False)
class DeskState:
    """One plugin's cursors and tokens, in the database of the messages."""

    store: Store
    owner: str

    async def get(self, key: str) -> str | None:
        """Give the value, or None."""
        return await self.store.read(lambda db: _value(db, self.owner, key))

    async def compare_and_set(self, key: str, old: str | None, new: str | None) -> bool:
        """Write `new` (None deletes) if the value is still `old`; durable when it returns."""

        def write(db: Database) -> bool:
            if _value(db, self.owner, key) != old:
                return False
            if new is None:
                db.execute("DELETE FROM state WHERE owner = ? AND key = ?", (self.owner, key))
            else:
                db.execute(
                    "INSERT INTO state (owner, key, value) VALUES (?,?,?)"
                    " ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value",
                    (self.owner, key, new),
                )
            return True

        return await self.store.write(write)


def _value(db: Database, owner: str, key: str) -> str | None:
    row = db.execute("SELECT value FROM state WHERE owner = ? AND key = ?", (owner, key)).fetchone()
    return None if row is None else str(row[0])


def engine(configuration: Configuration) -> Engine:
    """Give the configured database; a relative file lies beside the configuration file, as secrets do."""
    config = configuration.section("desk", DeskConfig)
    if "://" not in config.database:
        return Sqlite(configuration.file.parent / config.database)
    try:
        from .postgresql import Postgres
    except ImportError:
        raise StoreError(
            "PostgreSQL's client is not installed; run: pip install 'channelry-desk[postgresql]'"
        ) from None
    password = config.database_password
    return Postgres(config.database, None if password is None else password.reveal())


def _folder(configuration: Configuration) -> Folder:
    folder = configuration.file.parent / configuration.section("desk", DeskConfig).files
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be opened ({error.strerror}); see files in [desk]") from error
    return Folder(folder)


@asynccontextmanager
async def open_desk(hub: Hub, *, work: bool) -> AsyncIterator[Desk]:
    """Open the desk of a hub, with the table `[desk]` of its configuration; `work`: its worker runs here too."""
    config = hub.configuration.section("desk", DeskConfig)
    folder = _folder(hub.configuration)
    store = await open_store(engine(hub.configuration))
    try:
        channels = {name: instance.entry.plugin for name, instance in hub.connections.items()}
        intake = Intake(channels, round(config.auto_close_hours * HOUR))
        worker = Worker(hub, store, config, intake, folder)
        service = Service(hub=hub, store=store, intake=intake, queued=worker.queued.set, config=config, folder=folder)
        running = asyncio.create_task(worker.run(), name="channelry-desk-worker") if work else None
        try:
            yield Desk(store=store, intake=intake, service=service, worker=worker, folder=folder)
        finally:
            if running is not None:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await worker.close(DRAIN_SECONDS)
    finally:
        await store.close()


@define(eq=False)
class Memory(Nowhere):
    """What connections remember, for a command beside the server."""

    store: Store

    def state(self, connection: str) -> State:
        return DeskState(self.store, connection)


@asynccontextmanager
async def memory(hub: Hub) -> AsyncIterator[Sink]:
    """Be the application of a command that keeps nothing, but shares tokens with the server; where there is no
    database yet there is nothing to share."""
    found = engine(hub.configuration)
    if found.missing():
        yield Nowhere()
        return
    store = await open_store(found)
    try:
        yield Memory(store)
    finally:
        await store.close()


@asynccontextmanager
async def desk(hub: Hub) -> AsyncIterator[Desk]:
    """Keep, send and tidy up in this process: what `channelry serve` runs."""
    async with open_desk(hub, work=True) as opened:
        yield opened


@asynccontextmanager
async def without_worker(hub: Hub) -> AsyncIterator[Desk]:
    """Keep only; `channelry worker` does the rest in a process of its own."""
    async with open_desk(hub, work=False) as opened:
        yield opened


@asynccontextmanager
async def only_worker(hub: Hub) -> AsyncIterator[Desk]:
    """Send and tidy up, and leave listening to the process that serves: two would fetch the same."""
    for instance in hub.connections.values():
        instance.hooks.pop("listen", None)
    async with open_desk(hub, work=True) as opened:
        yield opened
