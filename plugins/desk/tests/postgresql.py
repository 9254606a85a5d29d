"""A PostgreSQL server to test with: what `CHANNELRY_POSTGRESQL` names, the machine's own, or one started here."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

USUAL = "postgresql://postgres@127.0.0.1:5432/postgres"
FOLDERS = "/usr/lib/postgresql/*/bin/initdb"
UNDURABLE = "-c fsync=off -c listen_addresses="


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
def running_server(folder: Path) -> Iterator[str]:
    """Give the URL of a server; skip the test where there is none, and fail it where `CI` is true."""
    for url in filter(None, (os.environ.get("CHANNELRY_POSTGRESQL"), USUAL)):
        if answers(url):
            yield url
            return
    programs = sorted(Path("/").glob(FOLDERS[1:])) or [Path(found) for found in [shutil.which("initdb")] if found]
    if not programs:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("PostgreSQL is not here; install it (Debian: apt-get install postgresql) or set CHANNELRY_POSTGRESQL")
    bin, data = programs[-1].parent, folder / "data"
    words = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # the server refuses to be root
    if words:
        shutil.chown(folder, "postgres")
        for parent in [folder, *folder.parents][:3]:
            parent.chmod(0o755)
    run = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*words, bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], **run)  # type: ignore[call-overload]
    options = f"{UNDURABLE} -c unix_socket_directories={folder}"
    subprocess.run([*words, bin / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"], **run)  # type: ignore[call-overload]
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        subprocess.run([*words, bin / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]


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
