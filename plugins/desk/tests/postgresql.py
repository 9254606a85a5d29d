"""A PostgreSQL server to test with: what `CHANNELRY_POSTGRESQL` names, the machine's own, or one started here.

`CHANNELRY_POSTGRESQL=own` always starts one.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
from attrs import define, field

USUAL = "postgresql://postgres@127.0.0.1:5432/postgres"
OWN = "own"
PATIENCE = 30.0


class MissingError(Exception):
    """There is no server, and none can be started."""

    def __init__(self) -> None:
        super().__init__("PostgreSQL is not here; install it (Debian: apt-get install postgresql), or name a server"
                         " in CHANNELRY_POSTGRESQL")  # fmt: skip


def answers(url: str) -> bool:
    """Tell whether a server is there and lets us make databases."""

    async def ask() -> None:
        connection = await asyncpg.connect(url, timeout=2)
        try:
            assert await connection.fetchval("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user")
        finally:
            await connection.close()

    try:
        asyncio.run(ask())
    except (OSError, AssertionError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


@contextmanager
def running_server(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """Give the URL of a server; MissingError where there is none. One started here keeps its data in `folder`, and
    unless it is to be `durable` does not wait for the disk."""
    named = os.environ.get("CHANNELRY_POSTGRESQL")
    for url in filter(None, (named, USUAL)) if named != OWN else ():
        if answers(url):
            yield url
            return
    server = Server.made(folder, durable=durable)
    server.start()
    try:
        yield server.url
    finally:
        server.stop(signal.SIGQUIT)


@define(eq=False)
class Server:
    """A server of our own, as a child of this process."""

    folder: Path
    bin: Path
    durable: bool
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @classmethod
    def made(cls, folder: Path, *, durable: bool) -> "Server":
        """Make its data; MissingError where the programs are missing."""
        found = [Path(initdb) for initdb in [shutil.which("initdb")] if initdb]
        programs = found or sorted(Path("/").glob("usr/lib/postgresql/*/bin/initdb"))
        if not programs:
            raise MissingError
        server = cls(folder, programs[-1].parent, durable)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            for parent in [folder, *folder.parents][:3]:
                parent.chmod(parent.stat().st_mode | 0o055)
        made = [server.bin / "initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, user=server.user)
        return server

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None  # it refuses to be root

    def start(self) -> None:
        """Return when it answers."""
        words = [self.bin / "postgres", "-D", self.data, "-c", "listen_addresses=", "-c",
                 f"unix_socket_directories={self.folder}", "-c", f"fsync={'on' if self.durable else 'off'}"]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder, user=self.user)
        end = time.monotonic() + PATIENCE
        while not answers(self.url):
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals) -> None:
        """End it: SIGQUIT at once, SIGKILL as a power cut of the process would."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(PATIENCE)


@contextmanager
def made_database(server: str) -> Iterator[str]:
    """Make an empty database, and drop it."""
    name = f"channelry_test_{uuid4().hex}"
    address, _, query = server.partition("?")
    url = f"{address.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    asyncio.run(_do(server, f"CREATE DATABASE {name}"))
    try:
        yield url
    finally:
        asyncio.run(_do(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _do(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
