"""The hot path: a signed webhook of somebody known, durable before it is answered."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import floor
import people
import sample
from measure import Figure, at_least
from processes import CONNECTIONS, SECONDS, serve, storm, uvicorn

FASTEST = 12_000
"""Webhooks a second that no server here reaches: so many bodies are made for each."""


def hot_path() -> Figure:
    return _figure(f"hot path ({CONNECTIONS} connections)", 0.8)


def hot_path_enriched() -> Figure:
    return _figure("hot path with langdetect and vader", 0.65, sample.ENRICHED)


def _figure(name: str, least: float, enrichment: str = "") -> Figure:
    if shutil.which("wrk") is None:
        return Figure(name, "wrk is not here", f"≥ {least}", False)
    with tempfile.TemporaryDirectory() as scratch:
        base, mine = Path(scratch, "floor.db"), Path(scratch, "channelry.db")
        floor.make(str(base))
        os.environ["FLOOR_DATABASE"] = str(base)
        people.acquaint(Path(scratch))
        configuration = people.configuration(Path(scratch), enrichment)

        def of_floor() -> float:
            with uvicorn("floor:app") as port:
                return _round(port, base, "bodies")

        def of_ours() -> float:
            judged = _count(mine, "messages WHERE language IS NOT NULL")
            with serve(Path(scratch), configuration) as (port, _):
                rate = _round(port, mine, "journal")
            assert bool(enrichment) == (_count(mine, "messages WHERE language IS NOT NULL") > judged)
            return rate

        return at_least(name, least, of_floor, of_ours)


def _round(port: int, database: Path, raw: str) -> float:
    """Load a server that has warmed up; every answer must be a row of each kind in its database."""
    bodies = database.with_suffix(".bodies")
    for seconds in (1, SECONDS):
        before = _count(database, "messages"), _count(database, raw)
        with bodies.open("wb") as file:
            for body in sample.messages(FASTEST * seconds):
                file.write(sample.sign(body).encode() + b" " + body + b"\n")
        answers, rate = storm(port, bodies, seconds)
        assert answers + CONNECTIONS < FASTEST * seconds, "too few bodies"
        for table, known in zip(("messages", raw), before, strict=True):
            rows = _count(database, table) - known
            assert answers <= rows <= answers + 2 * CONNECTIONS, f"{answers} answers, {rows} rows in {table}"
    return rate


def _count(database: Path, rows: str) -> int:
    db = sqlite3.connect(database)
    try:
        number: int = db.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]
        return number
    finally:
        db.close()
