"""How far what follows behind has come, by its name."""

from .database import Database


def cursor(db: Database, name: str) -> int:
    """Give the last row that was dealt with, 0 at first."""
    row = db.execute("SELECT value FROM state WHERE owner = 'desk' AND key = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def advance(db: Database, name: str, to: int) -> None:
    """Note how far it has come."""
    db.execute(
        "INSERT INTO state (owner, key, value) VALUES ('desk', ?, ?)"
        " ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value",
        (name, str(to)),
    )
