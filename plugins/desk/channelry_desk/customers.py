"""What is done with customers and their profiles: operations."""

from collections.abc import Mapping

from channelry.model import Match

from .database import Database
from .errors import IncompleteError, NotFoundError


def create(db: Database, given: Mapping[str, str], now: int) -> int:
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
