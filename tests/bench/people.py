"""A desk's database in which everybody of the sample has written once, made through the desk itself."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import sample

from channelry.config import load_configuration
from channelry.hub import open_hub
from channelry.model import OK, Request
from channelry_desk.database import Database
from channelry_desk.desk import Desk, desk

DESK = """
[desk]
database = "DATABASE"
files = "FOLDER/files"
"""
AT_ONCE = 500


def configuration(folder: Path, more: str = "", database: str = "") -> str:
    """Give the configuration of a desk that keeps everything in a folder, or its rows in a database of PostgreSQL."""
    desk = DESK.replace("DATABASE", database or f"{folder}/channelry.db").replace("FOLDER", str(folder))
    return sample.CONFIGURATION + desk + more


def acquaint(folder: Path, database: str = "") -> None:
    """Make the database, and have done what follows an acquaintance."""
    file = folder / "channelry.toml"
    file.write_text(configuration(folder, database=database).replace("PORT", "8080"))
    asyncio.run(_acquaint(file))


async def _acquaint(file: Path) -> None:
    async with open_hub(load_configuration(file), desk) as hub:
        for first in range(0, sample.PEOPLE, AT_ONCE):
            bodies = [sample.webhook(person, f"first.{person}") for person in range(first, first + AT_ONCE)]
            answers = await asyncio.gather(*(hub.receive("support", request(body)) for body in bodies))
            assert all(answer == OK for answer in answers)
        assert isinstance(hub.sink, Desk)
        while await hub.sink.store.read(_busy):  # noqa: ASYNC110 - the worker tells nobody when it is idle
            await asyncio.sleep(0.1)


def request(body: bytes) -> Request:
    """Give a signed request as the server would."""
    headers = ((b"content-type", b"application/json"), (b"x-hub-signature-256", sample.sign(body).encode()))
    return Request("POST", "/hooks/support", headers, body, datetime.now(UTC))


def _busy(db: Database) -> bool:
    return db.execute("SELECT 1 FROM jobs LIMIT 1").fetchone() is not None
