"""The journal: the verified raw requests, as they came, for as long as they are kept."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from channelry.model import Received, Request

from . import sql
from .database import Database, Row
from .errors import NotFoundError
from .moments import micros, moment
from .values import JournalEntry


def joined(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Give headers as one value: name NUL value NUL …; HTTP allows no NUL in them."""
    return b"\0".join(chain.from_iterable(headers))


def headers_of(stored: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Give the headers of a journaled request."""
    pieces = iter(stored.split(b"\0"))
    return tuple(zip(pieces, pieces, strict=False))


def enter(db: Database, received: Received) -> int:
    """Write the raw request into the journal and give its number."""
    (last,) = db.execute(sql.LAST_REQUEST).fetchone()
    number: int = (last or 0) + 1
    db.execute(sql.REQUEST, (number, *row_of(received)))
    return number


def row_of(received: Received) -> tuple[Any, ...]:
    """Give the columns of a request but its number."""
    request = received.request
    return (received.connection, micros(request.received_at), request.method, request.path, request.public_url,
            joined(request.headers), request.body)  # fmt: skip


def request_of(row: Row) -> Request:
    """Give a journaled request as it came."""
    return Request(
        row["method"], row["path"], headers_of(row["headers"]), row["body"], moment(row["received_at"]),
        row["public_url"],
    )  # fmt: skip


def empty(db: Database, which: str, *values: object) -> None:
    """Empty requests, found by a condition: what somebody wrote stands in their path, headers and body."""
    db.execute(f"UPDATE journal SET path = '', headers = ?, body = ? WHERE {which}", (b"", b"", *values))


def since(db: Database, moment: int) -> list[int]:
    """Name the requests that came at a moment or later, in their order."""
    return [number for (number,) in db.execute("SELECT id FROM journal WHERE received_at >= ? ORDER BY id", (moment,))]


def read(db: Database, number: int) -> JournalEntry:
    """Read a request; NotFoundError where the journal has it not, or no longer."""
    for row in db.rows("SELECT * FROM journal WHERE id = ?", (number,)):
        return JournalEntry(id=row["id"], connection=row["connection"], request=request_of(row))
    raise NotFoundError(f"there is no request {number} in the journal")


def outdated(db: Database, before: int, limit: int = 500) -> list[int]:
    """Name the oldest requests that came before a moment and that no open dead letter needs."""
    rows = db.execute(
        "SELECT id, received_at FROM journal WHERE id NOT IN (SELECT journal FROM dead_letters"
        " WHERE settled_at IS NULL AND journal IS NOT NULL) ORDER BY id LIMIT ?",
        (limit,),
    ).fetchall()
    return [number for number, received_at in rows if received_at < before]


def forget(db: Database, numbers: Sequence[int]) -> None:
    """Delete requests; their numbers are not given again."""
    db.execute(sql.FORGOTTEN, (str(max(numbers)),))
    db.executemany(sql.UNREQUEST, [(number,) for number in numbers])
