"""Work after the acknowledgement, as rows: what is not done yet is found again after a restart."""

from attrs import frozen

from .database import Database

ATTEMPTS = 48
"""After so many failures (a day or more) a job is left for a person to see, with its reason."""


KINDS = ("recognize", "profile", "expand", "media", "judge", "unlink")


@frozen
class Job:
    """One piece of work: its kind, of `KINDS`, and the row it is about."""

    id: int
    kind: str
    connection: str
    subject: int
    attempts: int


def add(db: Database, kind: str, connection: str, subject: int, at: int) -> None:
    """Have something done, once."""
    db.execute(
        "INSERT INTO jobs (kind, connection, subject, attempts, due_at, reason) VALUES (?,?,?,0,?,'')"
        " ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, attempts = 0",
        (kind, connection, subject, at),
    )


def due(db: Database, now: int, limit: int) -> list[Job]:
    """Give what is to be done now: of each kind at most so many, the oldest first."""
    return [Job(*row) for row in db.execute(_DUE, (now, limit))]


_SOME = "SELECT id, kind, connection, subject, attempts FROM jobs WHERE kind = '{}' AND due_at <= ?1"
_DUE = " UNION ALL ".join(f"SELECT * FROM ({_SOME.format(kind)} ORDER BY due_at LIMIT ?2) AS {kind}" for kind in KINDS)


def done(db: Database, job: int) -> None:
    """Take a finished job off the list."""
    db.execute("DELETE FROM jobs WHERE id = ?", (job,))


def postpone(db: Database, job: int, until: int | None, reason: str) -> None:
    """Try again at `until`; None: never by itself."""
    db.execute("UPDATE jobs SET attempts = attempts + 1, due_at = ?, reason = ? WHERE id = ?", (until, reason, job))
