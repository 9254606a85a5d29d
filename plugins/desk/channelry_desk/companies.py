"""Companies: the businesses that customers belong to. Operations and queries."""

from collections.abc import Mapping
from typing import Any

from . import log, recognition
from .database import Database, Row
from .errors import ConflictError, IncompleteError, NotFoundError, expect
from .grants import User
from .values import Company

FOUND = 20
"""Companies that a search gives at most."""
CHANGED = ("phone", "address", "contact")
"""What can be changed of a company."""


def read(db: Database, number: int) -> Company:
    """Read one company; NotFoundError."""
    for row in db.rows("SELECT * FROM companies WHERE id = ?", (number,)):
        return company(row)
    raise NotFoundError(f"there is no company {number}")


def company(row: Row) -> Company:
    """Make a company of a row of the table."""
    return Company(
        id=row["id"], name=row["name"], phone=row["phone"], address=row["address"], contact=row["contact"],
        version=row["version"],
    )  # fmt: skip


def found(db: Database, text: str, limit: int = FOUND) -> list[Company]:
    """Give companies by the beginning of their name."""
    wanted = recognition.folded(text)
    rows = db.rows("SELECT * FROM companies ORDER BY name, id")
    return [company(row) for row in rows if recognition.folded(row["name"]).startswith(wanted)][:limit]


def create(db: Database, by: User, name: str, phone: str, address: str, now: int) -> int:
    """Record a company; IncompleteError without a name, ConflictError where there is one of that name."""
    if not name.strip():
        raise IncompleteError("a company needs a name")
    number = db.insert(
        "INSERT INTO companies (name, phone, address, version, created_at) VALUES (?,?,?,1,?) ON CONFLICT DO NOTHING",
        (name.strip(), phone.strip(), address.strip(), now),
    )
    if not number:
        raise ConflictError(f"there is a company {name.strip()!r} already")
    log.changed(db, by.id, now, log.COMPANY, number, "created")
    return number


def edit(db: Database, by: User, number: int, given: Mapping[str, Any], version: int | None, now: int) -> None:
    """Change what is on record of a company: its phone, address and primary contact."""
    if unknown := given.keys() - CHANGED:
        raise IncompleteError(f"a company has no {', '.join(sorted(unknown))} to change: only {', '.join(CHANGED)}")
    seen = read(db, number)
    expect(f"company {number}", seen.version, version)
    contact = given.get("contact", seen.contact)
    if contact is not None and not db.execute("SELECT 1 FROM customers WHERE id = ?", (contact,)).fetchone():
        raise NotFoundError(f"there is no customer {contact}")
    db.execute(
        "UPDATE companies SET phone = ?, address = ?, contact = ?, version = version + 1 WHERE id = ?",
        (given.get("phone", seen.phone), given.get("address", seen.address), contact, number),
    )
    log.changed(db, by.id, now, log.COMPANY, number, "edited", data={"version": seen.version + 1})


def named(db: Database, by: User, name: str, now: int) -> int | None:
    """Give the company of a name, recorded where there is none yet."""
    if not name.strip():
        return None
    row = db.execute("SELECT id FROM companies WHERE name = ?", (name.strip(),)).fetchone()
    return create(db, by, name, "", "", now) if row is None else int(row[0])
