"""Opening the SQLite file: durable, or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import StoreError
from .schema import SCRIPTS

BUSY_MILLISECONDS = 10_000
"""How long a connection waits for another process's transaction."""
CACHE_KIBIBYTES = 16_384

CHECKPOINT_PAGES = 8_192
"""Pages (32 MiB) between two checkpoints: each page that changed is then written once for many transactions."""

_FULL = 2


def open_writer(file: Path) -> sqlite3.Connection:
    """Open (and make, or bring up to date) the database for writing; StoreError if it would not be durable.

    WAL with `synchronous=FULL`: with NORMAL a commit is not synced, and a power cut takes acknowledged rows with it.
    """
    with _opening(file, str(file), cached=256) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        assert_durable(db)
        migrate(db)
        return db


def open_reader(file: Path) -> sqlite3.Connection:
    """Open the database for reading only; StoreError if that is not possible."""
    with _opening(file, f"{file.absolute().as_uri()}?mode=ro", uri=True) as db:
        db.execute("PRAGMA query_only=ON")
        return db


@contextmanager
def _opening(file: Path, target: str, *, uri: bool = False, cached: int = 128) -> Iterator[sqlite3.Connection]:
    """Connect, and close where what follows fails; SQLite's own error becomes a StoreError that names the file."""
    try:
        db = sqlite3.connect(target, uri=uri, isolation_level=None, check_same_thread=False, cached_statements=cached)
        try:
            db.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            yield db
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise StoreError(f"{file}: cannot be opened ({error}); see database in [desk]") from error


def assert_durable(db: sqlite3.Connection) -> None:
    """Raise StoreError unless a commit survives a power cut."""
    (mode,) = db.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = db.execute("PRAGMA synchronous").fetchone()
    if mode != "wal" or synchronous != _FULL:
        raise StoreError(
            f"the database is not durable: journal_mode={mode}, synchronous={synchronous}; expected wal, 2"
        )


def migrate(db: sqlite3.Connection) -> None:
    """Run the scripts that the database has not had; StoreError if it has had more than there are."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(SCRIPTS):
        raise StoreError(
            f"the database has schema {version}, this version of channelry-desk knows {len(SCRIPTS)}; "
            "run: pip install --upgrade channelry-desk"
        )
    for number, script in enumerate(SCRIPTS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version={number};COMMIT;")
