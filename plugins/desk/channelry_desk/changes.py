"""What happens to messages after they came or went: edits, deletions, reactions, statuses, changed addresses.

Each event is a row, and applies to what it is about when both are there, whichever came first; the later word (by
the provider's clock) holds, a deletion and a status never go back.
"""

from typing import Any

import orjson

from channelry import codec
from channelry.model import (
    Address,
    Announced,
    DeliveredUpTo,
    EchoSent,
    Event,
    IdentityChanged,
    MessageDeleted,
    MessageEdited,
    OptedIn,
    OptedOut,
    ReactionChanged,
    ReadUpTo,
    Status,
    StatusChanged,
)

from . import jobs, rules, sql
from .database import Database
from .moments import micros
from .texts import event_of, json_of, visible


def record(db: Database, channel: str, connection: str, event: Event, journal: int | None) -> int | None:
    """Keep an event and apply it as far as that can be done now; give its id, or None where it is known."""
    subject = getattr(event, "external_id", "")
    reference = event.reference if isinstance(event, StatusChanged) else ""
    waits = isinstance(event, MessageEdited | MessageDeleted | StatusChanged | Announced)
    at = micros(event.occurred_at)
    row = (connection, event.key, type(event).__name__, subject, reference, at, journal, json_of(event, Event),
           0 if waits else 1)  # fmt: skip
    number = db.insert(sql.EVENT, row)
    if not number:
        return None
    if isinstance(event, MessageEdited | MessageDeleted | StatusChanged):
        _settle(db, connection, number, event)
    elif isinstance(event, ReactionChanged):
        _react(db, connection, event, at)
    elif isinstance(event, ReadUpTo | DeliveredUpTo):
        _advance(db, channel, connection, event)
    elif isinstance(event, IdentityChanged):
        _move(db, channel, event.old, event.new)
    elif isinstance(event, OptedIn | OptedOut):
        _opt(db, channel, event, at)
    elif isinstance(event, EchoSent):
        _echo(db, channel, connection, event, at, journal)
    return number


def catch_up(db: Database, connection: str, subject: str, reference: str = "") -> None:
    """Apply what came before that which it is about, in the provider's order."""
    rows = db.execute(
        "SELECT id, payload FROM events WHERE connection = ?1 AND settled = 0"
        " AND (subject = ?2 AND ?2 <> '' OR reference = ?3 AND ?3 <> '') ORDER BY occurred_at, id",
        (connection, subject, reference),
    ).fetchall()
    for number, payload in rows:
        _settle(db, connection, number, event_of(payload))


def _settle(db: Database, connection: str, number: int, event: Event) -> None:
    done = False
    if isinstance(event, MessageEdited):
        done = _edit(db, connection, event)
    elif isinstance(event, MessageDeleted):
        done = _delete(db, connection, event)
    elif isinstance(event, StatusChanged):
        done = _status(db, connection, event)
    if done:
        db.execute("UPDATE events SET settled = 1 WHERE id = ?", (number,))


_FIND_MESSAGE = (
    "SELECT id, occurred_at, edited_at, deleted_at, payload, journal FROM messages WHERE connection = ?1 AND key = ?2"
    " UNION SELECT id, occurred_at, edited_at, deleted_at, payload, journal FROM messages"
    " WHERE connection = ?1 AND external_id = ?2 LIMIT 1"
)


def _edit(db: Database, connection: str, event: MessageEdited) -> bool:
    row = db.execute(_FIND_MESSAGE, (connection, event.external_id)).fetchone()
    if row is None:
        return False
    message, _, edited_at, deleted_at, payload, _ = row
    at = micros(event.occurred_at)
    if deleted_at is not None:
        _forget_events(db, connection, event.external_id)
    elif edited_at is None or at >= edited_at:
        db.execute(
            "UPDATE messages SET text = ?, edited_at = ?, payload = ?, language = NULL, sentiment = NULL WHERE id = ?",
            (visible(event.text), at, _with_parts(payload, event), message),
        )
        jobs.add(db, "judge", connection, message, at)
    return True


def _with_parts(payload: str | None, event: MessageEdited) -> str | None:
    """Give a message's payload with the text and the parts that an edit brought."""
    if payload is None:
        return None
    whole = orjson.loads(payload)
    changed: dict[str, Any] = codec.to_json(event, Event)
    whole |= {"text": changed["text"], "html": ""} | ({"parts": changed["parts"]} if event.parts else {})
    return orjson.dumps(whole).decode()


def _delete(db: Database, connection: str, event: MessageDeleted) -> bool:
    """Remove every copy of a message that we can reach: text, parts, edits, the journal's bodies, the files.

    A journal row holds a whole request: where it brought other messages too, they leave the journal with it.
    """
    if (
        event.external_id
        and db.execute(
            "UPDATE reactions SET active = 0 WHERE connection = ? AND reaction_id = ?", (connection, event.external_id)
        ).rowcount
    ):
        return True
    row = db.execute(_FIND_MESSAGE, (connection, event.external_id)).fetchone()
    if row is None:
        return False
    message, _, _, _, _, journal = row
    db.execute(
        "UPDATE messages SET text = '', payload = NULL, language = NULL, sentiment = NULL, deleted_at = ? WHERE id = ?",
        (micros(event.occurred_at), message),
    )
    db.execute("UPDATE journal SET body = ? WHERE id = ?", (b"", journal))
    db.execute("UPDATE media SET state = 'expired', payload = '{}', reason = 'deleted' WHERE message = ?", (message,))
    for (media,) in db.execute("SELECT id FROM media WHERE message = ? AND file <> ''", (message,)).fetchall():
        jobs.add(db, "unlink", connection, media, micros(event.occurred_at))
    _forget_events(db, connection, event.external_id)
    return True


def _forget_events(db: Database, connection: str, subject: str) -> None:
    """Empty the edits of a message, in the list of events and in the journal."""
    where = "connection = ? AND subject = ? AND type = 'MessageEdited'"
    db.execute(
        f"UPDATE journal SET body = ? WHERE id IN (SELECT journal FROM events WHERE {where})",
        (b"", connection, subject),
    )
    db.execute(f"UPDATE events SET payload = '{{}}', settled = 1 WHERE {where}", (connection, subject))


def _status(db: Database, connection: str, event: StatusChanged) -> bool:
    row = None
    if event.external_id:
        row = db.execute(
            "SELECT c.id, c.status, c.state, c.conversation FROM receipts r JOIN calls c ON c.id = r.call"
            " WHERE r.connection = ? AND r.external_id = ?",
            (connection, event.external_id),
        ).fetchone()
    if row is None and event.reference:
        row = db.execute(
            "SELECT id, status, state, conversation FROM calls WHERE connection = ? AND key = ? AND attempt > 0",
            (connection, event.reference),
        ).fetchone()
    if row is None:
        return False
    call, status, state, conversation = row
    if event.external_id:
        db.execute(sql.RECEIPT, (connection, event.external_id, call))
    raise_status(db, call, status, event.status, event.code, event.reason)
    if state in ("ambiguous", "uncertain", "ready", "retry"):  # the provider has it: the lost answer is found
        db.execute("UPDATE calls SET state = 'accepted', due_at = NULL, head = NULL WHERE id = ?", (call,))
        db.execute(sql.NEXT_HEAD, (conversation,))
    return True


def raise_status(db: Database, call: int, known: str, reported: Status, code: str = "", reason: str = "") -> None:
    """Let a call's status rise, never fall."""
    joined = rules.join(known, reported)
    if joined != known:
        db.execute("UPDATE calls SET status = ? WHERE id = ?", (joined, call))
        if reported is Status.FAILED:
            db.execute("UPDATE calls SET code = ?, reason = ? WHERE id = ?", (visible(code), visible(reason), call))


def _advance(db: Database, channel: str, connection: str, event: ReadUpTo | DeliveredUpTo) -> None:
    """Raise the statuses of what we sent to somebody up to a moment, and of the calls that are named."""
    profile = _profile(db, channel, event.sender)
    if profile is None:
        return
    read = isinstance(event, ReadUpTo)
    reported = Status.READ if read else Status.DELIVERED
    until = None if event.until is None else micros(event.until)
    named = [event.external_id] if isinstance(event, ReadUpTo) else list(event.external_ids)
    for external_id in filter(None, named):
        row = db.execute(
            "SELECT c.id, c.status, c.sent_at FROM receipts r JOIN calls c ON c.id = r.call"
            " WHERE r.connection = ? AND r.external_id = ?",
            (connection, external_id),
        ).fetchone()
        if row is not None:
            raise_status(db, row[0], row[1], reported)
            if read:
                until = max(until or 0, row[2] or 0)
    if until is None:
        return
    column = "read_until" if read else "delivered_until"
    db.execute(f"UPDATE profiles SET {column} = ?1 WHERE id = ?2 AND coalesce({column}, 0) < ?1", (until, profile))
    rows = db.execute(
        "SELECT c.id, c.status FROM conversations v JOIN calls c ON c.conversation = v.id"
        " WHERE v.profile = ? AND v.connection = ? AND c.state = 'accepted' AND c.sent_at <= ?",
        (profile, connection, until),
    ).fetchall()
    for call, status in rows:
        raise_status(db, call, status, reported)


def _react(db: Database, connection: str, event: ReactionChanged, at: int) -> None:
    actor = "\x1f".join((event.sender.scheme, event.sender.value, event.sender.scope))
    db.execute(
        "INSERT INTO reactions (connection, external_id, actor, emoji, active, occurred_at, reaction_id)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT (connection, external_id, actor, emoji) DO UPDATE SET"
        " active = excluded.active, occurred_at = excluded.occurred_at, reaction_id = excluded.reaction_id"
        " WHERE excluded.occurred_at >= reactions.occurred_at",
        (connection, event.external_id, actor, event.emoji, int(event.on), at, event.reaction_id),
    )


def _profile(db: Database, channel: str, address: Address) -> int | None:
    row = db.execute(
        "SELECT profile FROM addresses WHERE channel = ? AND scheme = ? AND value = ? AND scope = ?",
        (channel, address.scheme, address.value, address.scope),
    ).fetchone()
    return None if row is None else row[0]


def _move(db: Database, channel: str, old: Address, new: Address) -> None:
    """Let somebody be known, and written to, by another address."""
    profile = _profile(db, channel, old)
    if profile is not None:
        readdress(db, channel, profile, new)


def readdress(db: Database, channel: str, profile: int, new: Address) -> None:
    """Write to a profile at another address from now on; the old one still finds it."""
    db.execute(
        "INSERT INTO addresses (channel, scheme, value, scope, profile) VALUES (?,?,?,?,?)"
        " ON CONFLICT (channel, scheme, value, scope) DO UPDATE SET profile = excluded.profile",
        (channel, new.scheme, new.value, new.scope, profile),
    )
    db.execute(
        "UPDATE profiles SET scheme = ?, value = ?, scope = ?, display = ?, seen = '' WHERE id = ?",
        (new.scheme, new.value, new.scope, new.display, profile),
    )


def _opt(db: Database, channel: str, event: OptedIn | OptedOut, at: int) -> None:
    if event.topic:  # of one subject only
        return
    out = isinstance(event, OptedOut)
    profile = _profile(db, channel, event.sender)
    db.execute("UPDATE profiles SET opted_out_at = ? WHERE id = ?", (at if out else None, profile))


def _echo(db: Database, channel: str, connection: str, event: EchoSent, at: int, journal: int | None) -> None:
    """Show what the business wrote elsewhere in the customer's open conversation, if there is one."""
    if db.execute(
        "SELECT 1 FROM receipts WHERE connection = ? AND external_id = ?", (connection, event.external_id)
    ).fetchone():
        return  # we wrote it
    profile = None if event.recipient is None else _profile(db, channel, event.recipient)
    row = db.execute(
        "SELECT id FROM conversations WHERE profile = ? AND connection = ? AND ended_at IS NULL ORDER BY id DESC",
        (profile, connection),
    ).fetchone()
    if row is not None:
        db.execute(
            "INSERT INTO messages (conversation, connection, key, external_id, direction, author, occurred_at,"
            " recorded_at, text, payload, journal) VALUES (?,?,?,?,'echo','',?,?,?,?,?) ON CONFLICT DO NOTHING",
            (row[0], connection, event.key, event.external_id, at, at, visible(event.text), json_of(event, Event),
             journal),
        )  # fmt: skip
