"""What is to be judged: what customers wrote, and what of them makes a language likelier before a word is read."""

from collections import Counter
from collections.abc import Iterator

from attrs import frozen

from channelry.model import Text

from . import phones
from .database import Database, Row
from .recognition import Sign

BATCH = 32
"""Texts that are judged at once."""
CONVERSATIONS, MESSAGES = 5, 20
"""So many of a customer's last conversations are looked at, and of what was written in them so many messages."""
LAST = 2**63 - 1
PERIOD = (
    "FROM messages m JOIN conversations c ON c.id = m.conversation JOIN profiles p ON p.id = c.profile"
    " WHERE m.id > ? AND m.id <= ? AND m.recorded_at >= ? AND m.recorded_at < ? AND m.direction = 'in' AND m.text <> ''"
)


@frozen
class Due:
    """One message to be judged, where it was written, and the language (or `""`) that its conversation has by now."""

    message: int
    conversation: int
    connection: str
    spoken: str
    text: Text


def due(db: Database, after: int, last: int = LAST, since: int = 0, until: int = LAST) -> list[Due]:
    """Give what customers wrote after a message, in the order in which it was recorded."""
    rows = db.rows(
        "SELECT m.id, m.conversation, m.connection, m.text, c.language, c.profile, p.customer, p.locale,"
        " (SELECT a.value FROM addresses a WHERE a.profile = p.id AND a.scheme = ? LIMIT 1) AS phone"
        f" {PERIOD} ORDER BY m.id LIMIT ?",
        (Sign.PHONE, after, last, since, until, BATCH),
    )
    return list(_told(db, rows))


def _told(db: Database, rows: list[Row]) -> Iterator[Due]:
    before: dict[int, Counter[str]] = {}
    for row in rows:
        profile = row["profile"]
        if profile not in before:  # by what came before all of these, for the rest of them is about to be judged
            before[profile] = _before(db, profile, row["customer"], rows[0]["id"])
        text = Text(
            text=row["text"],
            before=before[profile],
            hint=row["locale"],
            country=phones.country(row["phone"]) if row["phone"] else "",
        )
        yield Due(row["id"], row["conversation"], row["connection"], row["language"], text)


def _before(db: Database, profile: int, customer: int | None, message: int) -> Counter[str]:
    """Give the languages in which somebody wrote before a message, on whatever channel, and how sure of them one is."""
    found = Counter[str]()
    for language, confidence in db.execute(
        "SELECT language, confidence FROM messages WHERE conversation IN (SELECT id FROM conversations WHERE profile IN"
        " (SELECT id FROM profiles WHERE id = ? UNION SELECT id FROM profiles WHERE customer = ?)"
        " ORDER BY id DESC LIMIT ?)"
        " AND id < ? AND direction = 'in' AND language IS NOT NULL ORDER BY id DESC LIMIT ?",
        (profile, customer, CONVERSATIONS, message, MESSAGES),
    ):
        found[language] += confidence
    return found
