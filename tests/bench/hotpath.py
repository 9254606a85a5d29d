"""The hot path: a signed webhook of somebody known, durable before it is answered."""

import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import asyncpg  # type: ignore[import-untyped]
import floor
import people
import sample
from measure import Figure, at_least
from processes import CONNECTIONS, HERE, SECONDS, serve, storm, uvicorn

sys.path.append(str(HERE.parents[1] / "plugins" / "desk" / "tests"))
import postgresql

FASTEST = 12_000
"""Webhooks a second that no server here reaches: so many bodies are made for each."""

Count: TypeAlias = Callable[[str], int]
"""Counts the rows of a table in a database."""


def hot_path() -> Figure:
    return _beside_floor(f"hot path ({CONNECTIONS} connections)", 0.8)


def hot_path_enriched() -> Figure:
    return _beside_floor("hot path with langdetect and vader", 0.65, sample.ENRICHED)


def enriched() -> Figure:
    name, least = "the same, beside the plain hot path", 0.8
    if shutil.which("wrk") is None:
        return _without_wrk(name, least)
    with tempfile.TemporaryDirectory() as scratch:
        people.acquaint(Path(scratch))
        return at_least(name, least, lambda: _ours(Path(scratch)), lambda: _ours(Path(scratch), sample.ENRICHED))


def _beside_floor(name: str, least: float, enrichment: str = "") -> Figure:
    if shutil.which("wrk") is None:
        return _without_wrk(name, least)
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch, "floor.db")
        floor.make(str(base))
        os.environ["FLOOR_DATABASE"] = str(base)
        people.acquaint(Path(scratch))

        def of_floor() -> float:
            with uvicorn("floor:app") as port:
                return _round(port, Path(scratch), _rows_of(base), "bodies")

        return at_least(name, least, of_floor, lambda: _ours(Path(scratch), enrichment))


def _ours(folder: Path, enrichment: str = "") -> float:
    """Load the server of a desk on SQLite; with enrichment some of what came must have been judged meanwhile."""
    count = _rows_of(folder / "channelry.db")
    judged = count("messages WHERE language IS NOT NULL")
    with serve(folder, people.configuration(folder, enrichment)) as (port, _):
        rate = _round(port, folder, count)
    assert bool(enrichment) == (count("messages WHERE language IS NOT NULL") > judged)
    return rate


def _without_wrk(name: str, least: float) -> Figure:
    return Figure(name, "wrk is not here", f"≥ {least}", False)


def hot_path_postgresql() -> Figure:
    name, least = "hot path on PostgreSQL", 0.8
    if shutil.which("wrk") is None:
        return _without_wrk(name, least)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            with postgresql.running_server(durable=True) as server, postgresql.made_database(server) as url:
                return _postgresql(name, least, folder, url)
        except postgresql.MissingError as error:
            return Figure(name, str(error), f"≥ {least}", False)


def _postgresql(name: str, least: float, folder: Path, url: str) -> Figure:
    assert _asked(url, "SHOW fsync") == _asked(url, "SHOW synchronous_commit") == "on"
    people.acquaint(folder)
    people.acquaint(folder, url)
    counts: dict[str, Count] = {
        "": _rows_of(folder / "channelry.db"),
        url: lambda rows: int(_asked(url, f"SELECT count(*) FROM {rows}")),
    }

    def of(database: str) -> float:
        with serve(folder, people.configuration(folder, database=database)) as (port, _):
            return _round(port, folder, counts[database])

    return at_least(name, least, lambda: of(""), lambda: of(url))


def _round(port: int, folder: Path, count: Count, raw: str = "journal") -> float:
    """Load a server that has warmed up; every answer must be a row of each kind in its database."""
    bodies = folder / "bodies"
    for seconds in (1, SECONDS):
        before = count("messages"), count(raw)
        with bodies.open("wb") as file:
            for body in sample.messages(FASTEST * seconds):
                file.write(sample.sign(body).encode() + b" " + body + b"\n")
        answers, rate = storm(port, bodies, seconds)
        assert answers + CONNECTIONS < FASTEST * seconds, "too few bodies"
        for table, known in zip(("messages", raw), before, strict=True):
            rows = count(table) - known
            assert answers <= rows <= answers + 2 * CONNECTIONS, f"{answers} answers, {rows} rows in {table}"
    return rate


def _rows_of(database: Path) -> Count:
    def count(rows: str) -> int:
        db = sqlite3.connect(database)
        try:
            number: int = db.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]
            return number
        finally:
            db.close()

    return count


def _asked(url: str, question: str) -> str:
    async def ask() -> str:
        connection = await asyncpg.connect(url)
        try:
            return str(await connection.fetchval(question))
        finally:
            await connection.close()

    return asyncio.run(ask())
