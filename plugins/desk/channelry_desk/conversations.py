"""What agents do with conversations, profiles and customers: operations, each with its guard inside the transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from channelry.model import Match

from . import rules, sql
from .database import Database
from .errors import ClosedError, ConflictError, IncompleteError, NotFoundError
from .rules import ConversationState


def accept(db: Database, conversation: int, agent: str, version: int | None, now: int) -> None:
    """Pending becomes active; whoever comes second gets a ConflictError that names the first."""
    state, assignee, found = _open(db, conversation, now)
    if state == ConversationState.ACTIVE:
        if assignee == agent:
            return
        raise ConflictError(f"conversation {conversation} was accepted by {assignee} (version {found})")
    _expect(conversation, version, found)
    _move(db, conversation, ConversationState.ACTIVE, agent)


def release(db: Database, conversation: int, version: int | None, now: int) -> None:
    """Active becomes pending again, for anybody to accept."""
    state, _, found = _open(db, conversation, now)
    if state == ConversationState.PENDING:
        raise ConflictError(f"conversation {conversation} is pending (version {found}): there is nobody to release it")
    _expect(conversation, version, found)
    _move(db, conversation, ConversationState.PENDING, None)


def close(db: Database, conversation: int, reason: str, version: int | None, now: int) -> None:
    """Close for good."""
    _, _, found = _open(db, conversation, now)
    _expect(conversation, version, found)
    db.execute(sql.CLOSE, (now, reason, conversation))


def expired(db: Database, now: int, limit: int = 500) -> list[int]:
    """Name conversations that have had no customer's message for too long."""
    rows = db.execute(
        "SELECT id FROM conversations WHERE closed_at IS NULL AND expires_at < ? LIMIT ?", (now, limit)
    ).fetchall()
    return [number for (number,) in rows]


def close_expired(db: Database, numbers: Sequence[int], now: int) -> None:
    """Close those of the named conversations that are expired still: their customer may have written meanwhile."""
    for number in numbers:
        row = db.execute("SELECT expires_at FROM conversations WHERE id = ?", (number,)).fetchone()
        if row is not None and rules.is_expired(row[0], now):
            db.execute(sql.CLOSE, (now, "inactive", number))


def require_open(db: Database, conversation: int, now: int) -> None:
    """Raise NotFoundError, or ClosedError for a conversation that is closed or would be, had somebody looked."""
    _open(db, conversation, now)


def create_customer(db: Database, given: Mapping[str, str], now: int) -> int:
    """Record a customer; IncompleteError without a name, or with neither e-mail nor phone."""
    values = {name: given.get(name, "").strip() for name in _CUSTOMER}
    if not (values["first_name"] and values["last_name"]):
        raise IncompleteError("a customer needs a first name and a last name")
    if not (values["email"] or values["phone"]):
        raise IncompleteError("a customer needs an e-mail address or a phone number")
    columns = ", ".join(_CUSTOMER)
    return db.insert(f"INSERT INTO customers ({columns}, created_at) VALUES (?,?,?,?,?,?,?)", (*values.values(), now))


_CUSTOMER = ("first_name", "last_name", "email", "phone", "company", "address")


def relate(db: Database, profile: int, customer: int) -> None:
    """Record that a profile is a customer's: from now on what it writes is recognized."""
    if db.execute("SELECT 1 FROM customers WHERE id = ?", (customer,)).fetchone() is None:
        raise NotFoundError(f"there is no customer {customer}")
    done = db.execute("UPDATE profiles SET customer = ?, candidate = NULL WHERE id = ?", (customer, profile))
    if not done.rowcount:
        raise NotFoundError(f"there is no profile {profile}")


def recognize(db: Database, profile: int, match: Match, names: tuple[str, str], now: int) -> None:
    """Record what a recognizer found: a certain match relates the profile, another is kept for the agent to see."""
    if not match.exact:
        db.execute(
            "UPDATE profiles SET candidate = ? WHERE id = ? AND customer IS NULL",
            (f"{match.customer}: {match.evidence}", profile),
        )
        return
    row = db.execute("SELECT customer FROM matches WHERE reference = ?", (match.customer,)).fetchone()
    if row is None:
        number = db.insert(
            "INSERT INTO customers (first_name, last_name, email, phone, company, address, created_at)"
            " VALUES (?,?,'','','','',?)",
            (*names, now),
        )
        db.execute("INSERT INTO matches (reference, customer) VALUES (?,?)", (match.customer, number))
        row = (number,)
    db.execute("UPDATE profiles SET customer = ? WHERE id = ? AND customer IS NULL", (row[0], profile))


def _open(db: Database, conversation: int, now: int) -> tuple[str, str | None, int]:
    row: Any = db.execute(
        "SELECT state, assignee, version, expires_at FROM conversations WHERE id = ?", (conversation,)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"there is no conversation {conversation}")
    state, assignee, version, expires_at = row
    if state == ConversationState.CLOSED or rules.is_expired(expires_at, now):
        raise ClosedError(f"conversation {conversation} is closed")
    return state, assignee, version


def _expect(conversation: int, version: int | None, found: int) -> None:
    if version is not None and version != found:
        raise ConflictError(f"conversation {conversation} has changed: version {found}, not {version}")


def _move(db: Database, conversation: int, state: ConversationState, assignee: str | None) -> None:
    db.execute(
        "UPDATE conversations SET state = ?, assignee = ?, version = version + 1 WHERE id = ?",
        (state, assignee, conversation),
    )
