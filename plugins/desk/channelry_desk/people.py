"""Who works here: users, what they are granted, their groups and queues, as operations and queries."""

import hashlib
import secrets
from collections.abc import Collection, Iterable
from typing import Any

from attrs import frozen

from . import grants, log
from .database import Database, Row
from .errors import ConflictError, IncompleteError, NotFoundError, NotGrantedError, expect
from .grants import SYSTEM, SYSTEM_ID, Access, User
from .moments import DAY
from .values import Named

INVITATION = 7 * DAY
"""How long an invitation may be answered."""
PASSWORD = (12, 1024)
"""Characters of a password at least (NIST SP 800-63B asks for 8, OWASP ASVS 5.0 advises 15) and at most."""


@frozen(kw_only=True)
class Credentials:
    """What a login is checked against; `password`: the hash, `""` until the invitation was answered."""

    id: int
    password: str


def user(db: Database, number: int) -> User:
    """Give one user with all that they are granted; NotFoundError."""
    if number == SYSTEM_ID:
        return SYSTEM
    for row in db.rows("SELECT * FROM users WHERE id = ?", (number,)):
        return _user(db, row)
    raise NotFoundError(f"there is no user {number}")


def member(db: Database, number: int) -> User:
    """Give one user who is a person; NotFoundError; NotGrantedError for the programs', which has every right."""
    if number == SYSTEM_ID:
        raise NotGrantedError("programs have every right")
    return user(db, number)


def users(db: Database) -> list[User]:
    """Give all users, by name."""
    rows = db.rows("SELECT * FROM users ORDER BY first_name, last_name, id")
    return [_user(db, row) for row in rows]


def named(db: Database, number: int | None) -> str:
    """Give the name of a user for people to read, `""` for nobody."""
    return "" if number is None else user(db, number).name


def able(db: Database, connection: str, text: str, without: Collection[int]) -> list[User]:
    """Give the users whom a conversation of a connection may be assigned to, by the beginning of a name, an e-mail
    address or a short code."""
    wanted = text.casefold().strip()
    rows = db.rows(
        "SELECT u.* FROM users u JOIN grants g ON g.member = u.id WHERE g.connection = ? AND u.disabled_at IS NULL"
        " ORDER BY u.first_name, u.last_name, u.id",
        (connection,),
    )
    found = (row for row in rows if any(word.casefold().startswith(wanted) for word in _words(row)))
    return [
        one for one in (_user(db, row) for row in found)
        if grants.may_be_given(one, connection) and one.id not in without
    ]  # fmt: skip


def beginning(db: Database, text: str) -> list[int]:
    """Give the ids of the users whose name, e-mail address or short code begins so, former ones too."""
    wanted = text.casefold().strip()
    rows = db.rows("SELECT id, first_name, last_name, email, short_code FROM users ORDER BY id")
    return [row["id"] for row in rows if any(word.casefold().startswith(wanted) for word in _words(row))]


def _words(row: Row) -> Iterable[str]:
    whole = f"{row['first_name']} {row['last_name']}"
    return whole, row["last_name"], row["email"], row["short_code"]


def invite(
    db: Database, by: User, email: str, first_name: str, last_name: str, short_code: str, now: int
) -> tuple[int, str]:
    """Record a user, with no access to anything, or renew the invitation of one who has not answered it; give the id
    and the token by which the password is set, which is kept nowhere."""
    email = email.strip().casefold()
    if "@" not in email or not first_name.strip():
        raise IncompleteError("a user needs an e-mail address and a first name")
    token = secrets.token_urlsafe(32)
    given = (first_name.strip(), last_name.strip(), short_code.strip(), _hash(token), now + INVITATION)
    row = db.execute("SELECT id, password FROM users WHERE email = ?", (email,)).fetchone()
    if row is None:
        number = db.insert(
            "INSERT INTO users (first_name, last_name, short_code, invitation, invited_until, email, password, present,"
            " created_at, version) VALUES (?,?,?,?,?,?,'',0,?,1)",
            (*given, email, now),
        )
    elif row[1]:
        raise ConflictError(f"{email} has been a user since the invitation was answered")
    else:
        number = row[0]
        db.execute(
            "UPDATE users SET first_name = ?, last_name = ?, short_code = ?, invitation = ?, invited_until = ?"
            " WHERE id = ?",
            (*given, number),
        )
    log.changed(db, by.id, now, log.USER, number, "invited")
    return number, token


def join(db: Database, token: str, password: str, now: int) -> int:
    """Set the password (its hash) that answers an invitation, once and in time; give the user's id."""
    row = db.execute(
        "SELECT id FROM users WHERE invitation = ? AND invited_until >= ? AND disabled_at IS NULL", (_hash(token), now)
    ).fetchone()
    if row is None:
        raise NotGrantedError("the invitation is none, was answered, or is too old; ask for another one")
    db.execute("UPDATE users SET password = ?, invitation = '', invited_until = NULL WHERE id = ?", (password, row[0]))
    log.changed(db, row[0], now, log.USER, row[0], "joined")
    return int(row[0])


def credentials(db: Database, email: str) -> Credentials | None:
    """Give what a login by an e-mail address is checked against, None where there is nobody to log in."""
    row = db.execute(
        "SELECT id, password FROM users WHERE email = ? AND password <> '' AND disabled_at IS NULL",
        (email.strip().casefold(),),
    ).fetchone()
    return None if row is None else Credentials(id=row[0], password=row[1])


def grant(
    db: Database, by: User, number: int, now: int, *, access: Collection[Access] | None = None,
    connections: Collection[str] | None = None, queues: Collection[int] | None = None,
    groups: Collection[int] | None = None, version: int | None = None,
) -> User:  # fmt: skip
    """Set what a user is granted: of what is named, exactly this; None leaves it as it is. ConflictError where it is of
    another version."""
    _changed(db, number, version)
    for queue in queues or ():
        named_queue(db, queue)
    for group in groups or ():
        _require_group(db, group)
    given: tuple[tuple[str, str, str, Collection[Any] | None], ...] = (
        ("access", "accesses", "level", access), ("connections", "grants", "connection", connections),
        ("queues", "queue_members", "queue", queues), ("groups", "group_members", "user_group", groups),
    )  # fmt: skip
    for what, table, column, values in given:
        if values is not None:
            kept = sorted(set(values))
            db.execute(f"DELETE FROM {table} WHERE member = ?", (number,))
            db.executemany(f"INSERT INTO {table} (member, {column}) VALUES (?,?)", [(number, one) for one in kept])
            log.changed(db, by.id, now, log.USER, number, "granted", data={what: kept})
    return user(db, number)


def be_present(db: Database, by: User, present: bool, now: int) -> None:
    """Record that a user is, or is not, at work: where a waiting conversation goes when its customer writes."""
    db.execute("UPDATE users SET present = ? WHERE id = ?", (int(present), by.id))
    log.changed(db, by.id, now, log.USER, by.id, "came" if present else "left")


def _changed(db: Database, number: int, version: int | None) -> None:
    """Make it a new version of what a user is granted, the next after the one that the caller saw."""
    expect(f"what user {number} is granted", member(db, number).version, version)
    db.execute("UPDATE users SET version = version + 1 WHERE id = ?", (number,))


def disable(db: Database, by: User, number: int, disabled: bool, why: str, version: int | None, now: int) -> None:
    """Take away, or give back, all that a user may do; what they were granted is kept."""
    _changed(db, number, version)
    db.execute("UPDATE users SET disabled_at = ?, present = 0 WHERE id = ?", (now if disabled else None, number))
    log.changed(db, by.id, now, log.USER, number, "disabled" if disabled else "enabled", why)


def groups(db: Database) -> list[tuple[Named, int | None]]:
    """Give the groups of users, each with the one above it."""
    return [
        (Named(row[0], row[1]), row[2]) for row in db.execute("SELECT id, name, parent FROM user_groups ORDER BY name")
    ]


def create_group(db: Database, by: User, name: str, parent: int | None, now: int) -> int:
    """Record a group of users, perhaps below another one."""
    if parent is not None:
        _require_group(db, parent)
    number = db.insert(
        "INSERT INTO user_groups (name, parent) VALUES (?,?) ON CONFLICT (name) DO NOTHING", (_name(name), parent)
    )
    if not number:
        raise ConflictError(f"there is a group {name!r} already")
    log.changed(db, by.id, now, log.GROUP, number, "created")
    return number


def queues(db: Database) -> list[Named]:
    """Give all queues, by name."""
    return [Named(*row) for row in db.execute("SELECT id, name FROM queues ORDER BY name")]


def create_queue(db: Database, by: User, name: str, now: int) -> int:
    """Record a queue."""
    number = db.insert("INSERT INTO queues (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (_name(name),))
    if not number:
        raise ConflictError(f"there is a queue {name!r} already")
    log.changed(db, by.id, now, log.QUEUE, number, "created")
    return number


def named_queue(db: Database, number: int) -> Named:
    """Give one queue; NotFoundError."""
    row = db.execute("SELECT id, name FROM queues WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no queue {number}")
    return Named(*row)


def _require_group(db: Database, number: int) -> None:
    if db.execute("SELECT 1 FROM user_groups WHERE id = ?", (number,)).fetchone() is None:
        raise NotFoundError(f"there is no group {number}")


def _name(name: str) -> str:
    if not name.strip():
        raise IncompleteError("it needs a name")
    return name.strip()


def _user(db: Database, row: Row) -> User:
    def granted(table: str, column: str) -> list[tuple[Any]]:
        return db.execute(f"SELECT {column} FROM {table} WHERE member = ?", (row["id"],)).fetchall()

    return User(
        id=row["id"], name=f"{row['first_name']} {row['last_name']}".strip(), email=row["email"],
        short_code=row["short_code"], access=frozenset(Access(level) for (level,) in granted("accesses", "level")),
        connections=frozenset(one for (one,) in granted("grants", "connection")),
        queues=frozenset(one for (one,) in granted("queue_members", "queue")),
        groups=frozenset(one for (one,) in granted("group_members", "user_group")), present=bool(row["present"]),
        disabled=row["disabled_at"] is not None, version=row["version"],
    )  # fmt: skip


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
