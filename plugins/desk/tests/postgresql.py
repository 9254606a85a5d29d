"""A PostgreSQL server to test with: what `CHANNELRY_POSTGRESQL` names, one started here, or the machine's own."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from attrs import define, field

USUAL = "postgresql://postgres@127.0.0.1:5432/postgres"
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
def running_server(*, durable: bool = False) -> Iterator[str]:
    """Give the URL of a server; MissingError where there is none. One started here does not wait for the disk: what is
    to be `durable` takes the machine's first."""
    named = os.environ.get("CHANNELRY_POSTGRESQL")
    for url in [named] if named else [USUAL] if durable or not programs() else []:
        if answers(url):
            yield url
            return
    with own_server(durable=durable) as server:
        yield server.url


def programs() -> Path | None:
    """Give the folder of the server's programs."""
    found = [Path(initdb).resolve() for initdb in [shutil.which("initdb")] if initdb]
    return next((one.parent for one in found or sorted(Path("/").glob("usr/lib/postgresql/*/bin/initdb"))[::-1]), None)


@contextmanager
def own_server(*, durable: bool) -> "Iterator[Server]":
    """Start a server as a child of this process, with nothing in it; MissingError where its programs are missing."""
    where = programs()
    if where is None:
        raise MissingError
    with tempfile.TemporaryDirectory(prefix="channelry-") as folder:
        server = Server(Path(folder), where, durable)
        if server.user is not None:
            shutil.chown(folder, server.user)
        words = ["-D", server.folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        made = [server.bin / "initdb", *words]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, user=server.user)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@define(eq=False)
class Server:
    """A server of our own."""

    folder: Path
    bin: Path
    durable: bool
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None  # it refuses to be root

    def start(self) -> None:
        """Return when it answers."""
        words = [self.bin / "postgres", "-D", self.folder / "data", "-c", "listen_addresses=", "-c",
                 f"unix_socket_directories={self.folder}", "-c", f"fsync={self.durable}"]  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not answers(self.url):
            assert time.monotonic() < end, (self.folder / "log").read_text()
            if self._process is None or self._process.poll() is not None:  # those whom a kill orphaned end first
                with (self.folder / "log").open("ab") as log:
                    self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder, user=self.user)
            time.sleep(0.05)

    def stop(self, how: signal.Signals) -> None:
        """End it: SIGQUIT at once, SIGKILL without its having a say in it."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(PATIENCE)


@contextmanager
def made_database(server: str) -> Iterator[str]:
    """Make an empty database, and drop it, unless it has got another name."""
    name = f"channelry_test_{uuid4().hex}"
    ask(server, f"CREATE DATABASE {name}")
    try:
        yield url_of(server, name)
    finally:
        ask(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def url_of(server: str, database: str) -> str:
    """Give the URL of a database of a server."""
    address, _, query = server.partition("?")
    return f"{address.rpartition('/')[0]}/{database}" + (f"?{query}" if query else "")


def ask(url: str, statement: str) -> Any:
    """Run a statement; give the first value of its first row, None where it gives none."""

    async def asked() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(asked())
