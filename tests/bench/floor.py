"""The floor of the hot path: the least that keeps a webhook durably, and nothing else.

HMAC, orjson, and per webhook one identity select, one conversation upsert, one message insert and one raw-body
insert, on a writer thread with group commit; answered after the commit. `FLOOR_DATABASE` names the file.
"""

import asyncio
import hmac
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from queue import SimpleQueue
from typing import Any

import orjson
import sample
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SCHEMA = """
CREATE TABLE identities (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
CREATE TABLE conversations (id INTEGER PRIMARY KEY, identity INTEGER NOT NULL UNIQUE, last_at INTEGER NOT NULL);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""
BATCH = 512


def connect(file: str) -> sqlite3.Connection:
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA cache_size=-16384")
    return db


def make(file: str) -> None:
    """Make the database, with the identities of all the people."""
    db = connect(file)
    db.executescript(SCHEMA)
    db.execute("BEGIN")
    db.executemany("INSERT INTO identities (value) VALUES (?)", ((sample.user(n),) for n in range(sample.PEOPLE)))
    db.execute("COMMIT")
    db.close()


def keep(db: sqlite3.Connection, user: str, key: str, at: int, text: str, body: bytes) -> None:
    (identity,) = db.execute("SELECT id FROM identities WHERE value = ?", (user,)).fetchone()
    (conversation,) = db.execute(
        "INSERT INTO conversations (identity, last_at) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET last_at = excluded.last_at RETURNING id",
        (identity, at),
    ).fetchone()
    db.execute(
        "INSERT INTO messages (conversation, key, at, text) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        (conversation, key, at, text),
    )
    db.execute("INSERT INTO bodies (body) VALUES (?)", (body,))


class Writer:
    def __init__(self, file: str) -> None:
        self.db, self.loop = connect(file), asyncio.get_running_loop()
        self.queue: SimpleQueue[Any] = SimpleQueue()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def put(self, *row: Any) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = self.loop.create_future()
        self.queue.put((row, done))
        return done

    def run(self) -> None:
        while (first := self.queue.get()) is not None:
            batch = [first, *(self.queue.get() for _ in range(min(self.queue.qsize(), BATCH)))]
            self.db.execute("BEGIN IMMEDIATE")
            for row, _ in filter(None, batch):
                keep(self.db, *row)
            self.db.execute("COMMIT")
            self.loop.call_soon_threadsafe(wake, batch)
            if None in batch:
                return


def wake(batch: list[Any]) -> None:
    for _, done in filter(None, batch):
        if not done.cancelled():
            done.set_result(None)


async def hook(request: Request) -> Response:
    body = await request.body()
    if not hmac.compare_digest(sample.sign(body).encode(), request.headers["x-hub-signature-256"].encode()):
        return PlainTextResponse("rejected", 401)
    (message,) = orjson.loads(body)["entry"][0]["changes"][0]["value"]["messages"]
    row = (message["from_user_id"], message["id"], int(message["timestamp"]), message["text"]["body"], body)
    await request.app.state.writer.put(*row)
    return PlainTextResponse("")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.writer = Writer(os.environ["FLOOR_DATABASE"])
    yield
    app.state.writer.queue.put(None)
    await asyncio.to_thread(app.state.writer.thread.join)


app = Starlette(routes=[Route("/hooks/support", hook, methods=["POST"])], lifespan=lifespan)
