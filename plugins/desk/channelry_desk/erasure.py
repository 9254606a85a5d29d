"""All that is kept of a customer: given to them, or erased in every copy. Operations and queries.

What cannot be found by a reference (the raw requests, events, dead letters) is looked through for the customer's
addresses. The permanent keys stay, so that a redelivery is no new message.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from attrs import frozen

from channelry import codec

from . import attachments, changes, conversations, customers, details, fulltext, jobs, log, queries
from . import journal as requests
from .database import Database
from .errors import IncompleteError
from .grants import User
from .states import Step

AT_ONCE = 500
"""Rows that are looked through at once."""


@frozen
class Mentions:
    """Rows that name a customer: requests of the journal, and events; of each table the last row that was looked at."""

    journal: frozenset[int] = frozenset()
    events: frozenset[int] = frozenset()
    last_request: int = 0
    last_event: int = 0


_NONE = Mentions()


def whose(db: Database, customer: int | None, profile: int | None) -> tuple[list[int], int | None]:
    """Give the profiles that are meant, and the customer they belong to where that is meant; NotFoundError,
    IncompleteError where nobody is named."""
    if customer is not None:
        known = customers.read(db, customer).id
        return [one.id for one in customers.profiles(db, known)], known
    if profile is None:
        raise IncompleteError("name a customer or a profile")
    return [customers.read_profile(db, profile).id], None


# Export


def export(db: Database, profiles: Sequence[int], customer: int | None) -> Mapping[str, Any]:
    """Give all that is kept of somebody, as JSON."""
    return {
        "customer": None if customer is None else codec.to_json(customers.read(db, customer)),
        "profiles": [_profile(db, one) for one in profiles],
        "conversations": [_conversation(db, one) for one in _held(db, profiles)],
    }


def _profile(db: Database, number: int) -> Mapping[str, Any]:
    rows = db.rows("SELECT name, at, told FROM visits WHERE profile = ? ORDER BY at, id", (number,))
    return {
        "profile": codec.to_json(customers.read_profile(db, number)),
        "told": codec.to_json(customers.told_by_channel(db, number)),
        "visits": [dict(row) for row in rows],
    }


def _conversation(db: Database, number: int) -> Mapping[str, Any]:
    said = queries.messages(db, number, 2**31, "").rows
    seen = queries.conversation(db, number)
    return {
        "number": seen.number,
        "connection": seen.connection,
        "description": seen.description,
        "opened_at": codec.to_json(seen.opened_at),
        "closed_at": codec.to_json(seen.closed_at),
        "details": codec.to_json(details.read(db, number)),
        "messages": [codec.to_json(one) for one in reversed(said)],
    }


def _held(db: Database, profiles: Sequence[int]) -> Iterator[int]:
    for one in profiles:
        for (number,) in db.execute("SELECT id FROM conversations WHERE profile = ? ORDER BY id", (one,)).fetchall():
            yield number


# Finding every mention


def mentions(db: Database, profiles: Sequence[int], customer: int | None, known: Mentions = _NONE) -> Mentions:
    """Look through the journal and the events, as far as they are not `known`, for the addresses of somebody."""
    named = _pattern(_addresses(db, profiles, customer))
    journal, last_request = _found(db, "SELECT id, path, body FROM journal", known.last_request, named)
    events, last_event = _found(db, "SELECT id, payload, key FROM events", known.last_event, named)
    return Mentions(known.journal | journal, known.events | events, last_request, last_event)


def _addresses(db: Database, profiles: Sequence[int], customer: int | None) -> set[str]:
    found = set()
    if customer is not None:
        known = customers.read(db, customer)
        found |= {known.email, re.sub(r"\D", "", known.phone)}
    for one in profiles:
        told = customers.told_by_channel(db, one)
        found |= {address.value.removeprefix("+") for address in (told.address, *told.aliases)}
    return found - {""}


def _pattern(addresses: set[str]) -> re.Pattern[bytes] | None:
    """Make what finds an address that stands for itself, also in a form's encoding."""
    spelled = sorted({form.encode() for one in addresses for form in (one, quote_plus(one))})
    if not spelled:
        return None
    return re.compile(rb"(?:(?<![0-9A-Za-z])|(?<=%2B))(?:" + b"|".join(map(re.escape, spelled)) + rb")(?![0-9A-Za-z])")


def _found(db: Database, select: str, last: int, named: re.Pattern[bytes] | None) -> tuple[frozenset[int], int]:
    found = set()
    while named and (rows := db.execute(f"{select} WHERE id > ? ORDER BY id LIMIT ?", (last, AT_ONCE)).fetchall()):
        for last, *texts in rows:
            if any(named.search(text.encode() if isinstance(text, str) else text) for text in texts):
                found.add(last)
    return frozenset(found), last


# Erasure


def erase(
    db: Database, by: User, profiles: Sequence[int], customer: int | None, mentioned: Mentions, why: str, now: int
) -> None:
    """Erase somebody: what they wrote and were written, what is noted about them, and how they are reached.

    `mentioned`: found before, without the writer, which has to look at what came since only.
    """
    mentioned = mentions(db, profiles, customer, mentioned)
    for one in profiles:
        conversations.conclude(db, by, one, Step.CLOSE, why, now)
    for number in _held(db, profiles):
        _erase_conversation(db, number, now)
    for request in sorted(mentioned.journal):
        requests.empty(db, "id = ?", request)
        db.execute("UPDATE dead_letters SET reason = 'erased', settled_at = ? WHERE journal = ?", (now, request))
    for event in sorted(mentioned.events):
        requests.empty(db, "id = (SELECT journal FROM events WHERE id = ?)", event)
        db.execute("UPDATE events SET payload = '{}', settled = 1 WHERE id = ?", (event,))
        db.execute("DELETE FROM jobs WHERE kind = 'expand' AND subject = ?", (event,))
    for one in profiles:
        _erase_profile(db, one)
        log.changed(db, by.id, now, log.PROFILE, one, "erased", why)
    if customer is not None:
        db.execute("DELETE FROM matches WHERE customer = ?", (customer,))
        db.execute("UPDATE companies SET contact = NULL WHERE contact = ?", (customer,))
        customers.forget(db, customer, None)
        log.changed(db, by.id, now, log.CUSTOMER, customer, "erased", why)


def _erase_conversation(db: Database, number: int, now: int) -> None:
    requests.empty(db, "id IN (SELECT journal FROM messages WHERE conversation = ?)", number)
    rows = db.execute(
        "SELECT id, connection, coalesce(external_id, key) FROM messages WHERE conversation = ? ORDER BY id", (number,)
    ).fetchall()
    db.execute(
        "UPDATE messages SET text = '', payload = NULL, language = NULL, sentiment = NULL,"
        " deleted_at = coalesce(deleted_at, ?) WHERE conversation = ?",
        (now, number),
    )
    for message, connection, said in rows:
        fulltext.refresh(db, message)
        changes.forget_edits(db, connection, said)
        _erase_files(db, message, now)
    db.execute(
        "UPDATE calls SET payload = '{}', reason = '', due_at = NULL, head = NULL,"
        " state = CASE WHEN state IN ('accepted', 'failed', 'dead') THEN state ELSE 'dead' END WHERE conversation = ?",
        (number,),
    )
    db.execute("UPDATE conversations SET description = '', language = '', sentiment = NULL WHERE id = ?", (number,))
    db.execute(
        "UPDATE tasks SET title = '', text = '' WHERE id IN (SELECT task FROM related_tasks WHERE conversation = ?)",
        (number,),
    )
    for table in ("notes", "field_values"):
        db.execute(f"DELETE FROM {table} WHERE conversation = ?", (number,))


def _erase_files(db: Database, message: int, now: int) -> None:
    """Have the files of a message deleted, but for one that a quick answer, or somebody else's message, has."""
    for media, name, connection in db.execute(
        "SELECT id, file, connection FROM media WHERE message = ?", (message,)
    ).fetchall():
        db.execute("UPDATE media SET state = 'expired', payload = '{}', reason = 'erased' WHERE id = ?", (media,))
        db.execute("DELETE FROM jobs WHERE kind = 'media' AND subject = ?", (media,))
        if name and not attachments.is_needed(db, name):
            db.execute("DELETE FROM files WHERE name = ?", (name,))
            jobs.add(db, "unlink", connection, media, now)


def _erase_profile(db: Database, number: int) -> None:
    rows = db.execute("SELECT scheme, value, scope FROM addresses WHERE profile = ?", (number,)).fetchall()
    for address in rows:
        db.execute("DELETE FROM reactions WHERE actor = ?", ("\x1f".join(address),))
    for table in ("addresses", "visits"):
        db.execute(f"DELETE FROM {table} WHERE profile = ?", (number,))
    db.execute("DELETE FROM jobs WHERE kind IN ('recognize', 'profile') AND subject = ?", (number,))
    db.execute(
        "UPDATE profiles SET value = '', scope = '', display = '', name = '', first_name = '', last_name = '',"
        " picture = '', locale = '', seen = '', customer = NULL, candidate = NULL, barred_at = NULL WHERE id = ?",
        (number,),
    )
