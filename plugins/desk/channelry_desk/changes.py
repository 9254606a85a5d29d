"""What happens to messages after they came or went: edits, deletions, reactions, statuses, changed addresses.

Each event is a row, and applies to what it is about when both are there, whichever came first; the later word (by
the provider's clock) holds, a deletion and a status never go back.
"""

from typing import Any, TypeAlias

import orjson

from channelry import codec
from channelry.model import (
    Address,
    Announced,
    Delete,
    DeliveredUpTo,
    EchoSent,
    Edit,
    Event,
    Hide,
    IdentityChanged,
    MessageDeleted,
    MessageEdited,
    OptedIn,
    OptedOut,
    Outbound,
    ReactionChanged,
    ReadUpTo,
    Status,
    StatusChanged,
)

from . import fulltext, jobs, log, rules, sql
from . import journal as requests
from .database import Database
from .grants import SYSTEM_ID
from .moments import micros
from .texts import event_of, json_of, visible

Open: TypeAlias = tuple[int, str, int, int]
"""An open conversation: its id, its state, for how long it waits for the customer, and until when."""


def record(db: Database, channel: str, connection: str, event: Event, journal: int | None) -> int | None:
    """Keep an event and apply it as far as that can be done now; give its id, or None where it is known."""
    subject = getattr(event, "external_id", "")
    reference = event.reference if isinstance(event, StatusChanged) else ""
    waits = isinstance(event, MessageEdited | MessageDeleted | StatusChanged | EchoSent | Announced)
    waits = waits or (isinstance(event, ReadUpTo) and event.external_id != "")
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
        _settle(db, connection, number, event)
    elif isinstance(event, IdentityChanged):
        _move(db, channel, event.old, event.new)
    elif isinstance(event, OptedIn | OptedOut):
        _opt(db, channel, event, at)
    elif isinstance(event, EchoSent) and not _settle(db, connection, number, event):
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


def _settle(db: Database, connection: str, number: int, event: Event) -> bool:
    """Apply an event to what it is about; tell whether that is there."""
    done = False
    if isinstance(event, MessageEdited):
        done = _edit(db, connection, event)
    elif isinstance(event, MessageDeleted):
        done = _delete(db, connection, event)
    elif isinstance(event, StatusChanged):
        done = _status(db, connection, event)
    elif isinstance(event, EchoSent):
        done = _own_echo(db, connection, event)
    elif isinstance(event, ReadUpTo):
        done = _read(db, connection, event)
    if done:
        db.execute("UPDATE events SET settled = 1 WHERE id = ?", (number,))
    return done


_FIND_MESSAGE = (
    "SELECT id, conversation, edited_at, deleted_at, payload, journal FROM messages WHERE connection = ?1 AND key = ?2"
    " UNION SELECT id, conversation, edited_at, deleted_at, payload, journal FROM messages"
    " WHERE connection = ?1 AND external_id = ?2 LIMIT 1"
)


def _edit(db: Database, connection: str, event: MessageEdited) -> bool:
    row = db.execute(_FIND_MESSAGE, (connection, event.external_id)).fetchone()
    if row is None:
        return False
    message, conversation, edited_at, deleted_at, payload, _ = row
    at = micros(event.occurred_at)
    if deleted_at is not None:
        forget_edits(db, connection, event.external_id)
    elif edited_at is None or at >= edited_at:
        db.execute(
            "UPDATE messages SET text = ?, edited_at = ?, payload = ?, language = NULL, sentiment = NULL WHERE id = ?",
            (visible(event.text), at, _with_parts(payload, event), message),
        )
        fulltext.refresh(db, message)
        jobs.add(db, "judge", connection, message, at)
        _log(db, at, message, "edited", conversation)
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
    """Remove every copy of a message that we can reach: text, parts, edits, the requests in the journal, the files.

    A journal row holds a whole request: where it brought other messages too, they leave the journal with it.
    """
    if (
        event.external_id
        and db.execute(
            "UPDATE reactions SET active = 0 WHERE connection = ? AND reaction_id = ? AND reaction_id <> ''",
            (connection, event.external_id),
        ).rowcount
    ):
        return True
    row = db.execute(_FIND_MESSAGE, (connection, event.external_id)).fetchone()
    if row is None:
        return False
    message, conversation, _, _, _, journal = row
    db.execute(
        "UPDATE messages SET text = '', payload = NULL, language = NULL, sentiment = NULL, deleted_at = ? WHERE id = ?",
        (micros(event.occurred_at), message),
    )
    fulltext.refresh(db, message)
    requests.empty(db, "id = ?", journal)
    db.execute("UPDATE media SET state = 'expired', payload = '{}', reason = 'deleted' WHERE message = ?", (message,))
    for (media,) in db.execute("SELECT id FROM media WHERE message = ? AND file <> ''", (message,)).fetchall():
        jobs.add(db, "unlink", connection, media, micros(event.occurred_at))
    forget_edits(db, connection, event.external_id)
    _log(db, micros(event.occurred_at), message, "deleted", conversation)
    return True


def took_effect(db: Database, connection: str, payload: str, at: int) -> None:
    """Show what we did to a message, once the provider has taken it: that it was edited, removed, hidden."""
    action = codec.from_json(orjson.loads(payload), Outbound)
    if not isinstance(action, Edit | Delete | Hide):
        return
    found = find_message(db, connection, action.external_id)
    if found is None:
        return
    message, conversation = found
    if isinstance(action, Edit):
        db.execute("UPDATE messages SET text = ?, edited_at = ? WHERE id = ?", (visible(action.text), at, message))
        fulltext.refresh(db, message)
        _log(db, at, message, "edited", conversation)
    elif isinstance(action, Delete):
        db.execute("UPDATE messages SET deleted_at = ? WHERE id = ?", (at, message))
        _log(db, at, message, "deleted", conversation)
    else:
        db.execute("UPDATE messages SET hidden_at = ? WHERE id = ?", (at if action.on else None, message))
        _log(db, at, message, "hidden" if action.on else "shown", conversation)


def find_message(db: Database, connection: str, external_id: str) -> tuple[int, int] | None:
    """Find a message, of ours or of a customer's, by the provider's id; give it and its conversation."""
    row = db.execute(_FIND_SENT, (connection, external_id)).fetchone()
    row = row or db.execute(_FIND_MESSAGE, (connection, external_id)).fetchone()
    return None if row is None else (row[0], row[1])


_FIND_SENT = (
    "SELECT m.id, m.conversation FROM receipts r JOIN calls c ON c.id = r.call JOIN messages m ON m.id = c.message"
    " WHERE r.connection = ? AND r.external_id = ?"
)


def _log(db: Database, at: int, message: int, what: str, conversation: int) -> None:
    log.changed(db, SYSTEM_ID, at, log.MESSAGE, message, what, data={"conversation": conversation})


def forget_edits(db: Database, connection: str, subject: str) -> None:
    """Empty the edits of a message, in the list of events and in the journal."""
    where = "connection = ? AND subject = ? AND type = 'MessageEdited'"
    requests.empty(db, f"id IN (SELECT journal FROM events WHERE {where})", connection, subject)
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
    at = micros(event.occurred_at)
    if event.external_id:
        db.execute(sql.RECEIPT, (connection, event.external_id, call))
    if raise_status(db, call, status, event.status, event.code, event.reason):
        _log_status(db, at, call, event.status, conversation)
    found = state in ("ambiguous", "uncertain", "ready", "retry")  # the provider has it: the lost answer is found
    if found:
        db.execute("UPDATE calls SET state = 'accepted', due_at = NULL, head = NULL WHERE id = ?", (call,))
        db.execute(sql.NEXT_HEAD, (conversation,))
    if event.status is Status.SENT:  # by the clock that tells what was read up to a moment, which may be behind ours
        found |= db.execute("UPDATE calls SET sent_at = ?1 WHERE id = ?2 AND sent_at > ?1", (at, call)).rowcount > 0
    if found:
        _reach_again(db, call, at)
    return True


def _reach_again(db: Database, call: int, at: int) -> None:
    """Raise the status of a call by what its customer has received and read meanwhile."""
    row = db.execute(
        "SELECT c.connection, v.profile, p.delivered_until, p.read_until FROM calls c"
        " JOIN conversations v ON v.id = c.conversation JOIN profiles p ON p.id = v.profile WHERE c.id = ?",
        (call,),
    ).fetchone()
    connection, profile, delivered, read = row
    for reported, until in ((Status.DELIVERED, delivered), (Status.READ, read)):
        if until is not None:
            _reach(db, connection, profile, reported, until, at)


def raise_status(db: Database, call: int, known: str, reported: Status, code: str = "", reason: str = "") -> bool:
    """Let a call's status rise, never fall; tell whether it did."""
    if rules.join(known, reported) == known:
        return False
    db.execute("UPDATE calls SET status = ? WHERE id = ?", (reported, call))
    if reported is Status.FAILED:
        db.execute("UPDATE calls SET code = ?, reason = ? WHERE id = ?", (visible(code), visible(reason), call))
    return True


def _log_status(db: Database, at: int, call: int, status: Status, conversation: int) -> None:
    log.changed(db, SYSTEM_ID, at, log.CALL, call, status, data={"conversation": conversation})


def _advance(db: Database, channel: str, connection: str, event: ReadUpTo | DeliveredUpTo) -> None:
    """Raise the statuses of what we sent to somebody up to a moment, and of the calls that are named as delivered."""
    reported, at = Status.READ if isinstance(event, ReadUpTo) else Status.DELIVERED, micros(event.occurred_at)
    for external_id in event.external_ids if isinstance(event, DeliveredUpTo) else ():
        _named(db, connection, external_id, reported, at)
    profile = _profile(db, channel, event.sender)
    if profile is not None and event.until is not None:
        _reach(db, connection, profile, reported, micros(event.until), at)


def _read(db: Database, connection: str, event: ReadUpTo) -> bool:
    """Raise the statuses of what we sent up to the call that is named, where its receipt is known."""
    at = micros(event.occurred_at)
    row = _named(db, connection, event.external_id, Status.READ, at)
    if row is None:
        return False
    sent_at, profile = row
    _reach(db, connection, profile, Status.READ, sent_at or 0, at)
    return True


def _named(db: Database, connection: str, external_id: str, reported: Status, at: int) -> tuple[int | None, int] | None:
    """Raise the status of the call that has this id; give when it was sent, and to whom."""
    row = db.execute(
        "SELECT c.id, c.status, c.sent_at, v.id, v.profile FROM receipts r JOIN calls c ON c.id = r.call"
        " JOIN conversations v ON v.id = c.conversation WHERE r.connection = ? AND r.external_id = ?",
        (connection, external_id),
    ).fetchone()
    if row is None:
        return None
    call, status, sent_at, conversation, profile = row
    if raise_status(db, call, status, reported):
        _log_status(db, at, call, reported, conversation)
    return sent_at, profile


def _reach(db: Database, connection: str, profile: int, reported: Status, until: int, at: int) -> None:
    """Raise the statuses of what we sent to somebody up to a moment, also of what is accepted only later."""
    column = "read_until" if reported is Status.READ else "delivered_until"
    db.execute(f"UPDATE profiles SET {column} = ?1 WHERE id = ?2 AND coalesce({column}, 0) < ?1", (until, profile))
    rows = db.execute(
        "SELECT c.id, c.status, v.id FROM conversations v JOIN calls c ON c.conversation = v.id"
        " WHERE v.profile = ? AND v.connection = ? AND c.state = 'accepted' AND c.sent_at <= ?",
        (profile, connection, until),
    ).fetchall()
    for call, status, conversation in rows:
        if raise_status(db, call, status, reported):
            _log_status(db, at, call, reported, conversation)


def _react(db: Database, connection: str, event: ReactionChanged, at: int) -> None:
    actor = "\x1f".join((event.sender.scheme, event.sender.value, event.sender.scope))
    db.execute(
        "INSERT INTO reactions (connection, external_id, actor, emoji, active, occurred_at, reaction_id)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT (connection, external_id, actor, emoji) DO UPDATE SET"
        " active = excluded.active, occurred_at = excluded.occurred_at, reaction_id = excluded.reaction_id"
        " WHERE excluded.occurred_at >= reactions.occurred_at",
        (connection, event.external_id, actor, event.emoji, int(event.on), at, event.reaction_id),
    )
    found = find_message(db, connection, event.external_id)
    if found is not None:
        _log(db, at, found[0], "reacted", found[1])


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


def _own_echo(db: Database, connection: str, event: EchoSent) -> bool:
    """Tell whether we wrote what an echo tells, by our receipt; one that was shown before that came goes again."""
    row = db.execute(
        "SELECT 1 FROM receipts WHERE connection = ? AND external_id = ?", (connection, event.external_id)
    ).fetchone()
    if row is None:
        return False
    where = "connection = ? AND key = ? AND direction = 'echo'"
    for message, conversation in db.execute(
        f"SELECT id, conversation FROM messages WHERE {where}", (connection, event.key)
    ).fetchall():
        fulltext.forget(db, message, conversation)
        db.execute("DELETE FROM messages WHERE id = ?", (message,))
    return True


def _echo(db: Database, channel: str, connection: str, event: EchoSent, at: int, journal: int | None) -> None:
    """Show what the business wrote elsewhere in the open conversation that it belongs to, if there is one."""
    conversation = _conversation(db, channel, connection, event)
    if conversation is not None:
        number = db.insert(
            "INSERT INTO messages (conversation, connection, key, external_id, direction, author, occurred_at,"
            " recorded_at, text, payload, journal) VALUES (?,?,?,?,'echo','',?,?,?,?,?) ON CONFLICT DO NOTHING",
            (conversation, connection, event.key, event.external_id, at, at, visible(event.text),
             json_of(event, Event), journal),
        )  # fmt: skip
        if number:
            _log(db, at, number, "echoed", conversation)


def _conversation(db: Database, channel: str, connection: str, event: EchoSent) -> int | None:
    """Find where an echo belongs: at the place that its thread names, else with its recipient in private."""
    if event.thread is not None:
        _, found = joined(db, connection, event.thread.root if event.thread.private else event.thread.parent)
        return found and found[0]
    profile = None if event.recipient is None else _profile(db, channel, event.recipient)
    row = db.execute(
        "SELECT id FROM conversations WHERE profile = ? AND connection = ? AND place = '' AND ended_at IS NULL",
        (profile, connection),
    ).fetchone()
    return None if row is None else row[0]


def joined(db: Database, connection: str, place: str, otherwise: str = "") -> tuple[str, Open | None]:
    """Find the conversation that what is written below a comment joins: at the first-level comment, which is named,
    or which the answer that is named stands below. Give that place, and the conversation if it is open; `otherwise`:
    the place where nothing is known of what is named."""
    found = _at_place(db, connection, place)
    if found is not None:
        return place, found
    answered = find_message(db, connection, place)
    if answered is None:
        return otherwise or place, None
    (place,) = db.execute("SELECT place FROM conversations WHERE id = ?", (answered[1],)).fetchone()
    return place, _at_place(db, connection, place)


def _at_place(db: Database, connection: str, place: str) -> Open | None:
    found: Open | None = db.execute(
        "SELECT id, state, open_for, expires_at FROM conversations WHERE connection = ? AND place = ? AND place <> ''"
        " AND ended_at IS NULL ORDER BY id LIMIT 1",
        (connection, place),
    ).fetchone()
    return found
