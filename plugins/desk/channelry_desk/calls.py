"""The outbox as operations: calls are queued, claimed, settled. Who settles shows the token of the claim.

A call is the head of its conversation until it is settled; only heads are sent, which keeps their order.
"""

from collections.abc import Sequence

import orjson
from attrs import frozen

from channelry import codec
from channelry.model import Call, Outbound, Receipt, Resend, SendMessage, Status

from . import attachments, changes, log, rules, sql
from .database import Database, Row
from .errors import ConflictError, NotFoundError
from .grants import SYSTEM_ID, User
from .moments import MILLISECOND
from .rules import SETTLED, CallState, Decision
from .texts import json_of

OURS = "out:"
"""Stands before the keys of what we write: callers choose these, and none may be that of a message still to come."""


@frozen
class Due:
    """A call that something has to be done about now; its lane is its conversation."""

    id: int
    conversation: int
    connection: str
    payload: str
    state: str
    token: int
    attempt: int
    lookups: int
    window_until: int | None
    due_at: int
    created_at: int
    doubted_at: int | None

    @property
    def call(self) -> Call:
        """The call itself."""
        call: Call = codec.from_json(orjson.loads(self.payload), Call)
        return call


def queue(
    db: Database, conversation: int, connection: str, author: str, outbound: Outbound,
    calls: Sequence[Call], window_until: int | None, now: int,
) -> int:  # fmt: skip
    """Append what an agent writes, and the calls it takes, in the transaction of both; give the message's id."""
    text = getattr(outbound, "text", "")
    message = db.insert(
        "INSERT INTO messages (conversation, connection, key, direction, author, occurred_at, recorded_at, text,"
        " payload) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        (
            conversation,
            connection,
            f"{OURS}{outbound.key}",
            "out" if isinstance(outbound, SendMessage) else "act",
            author,
            now,
            now,
            text,
            json_of(outbound, Outbound),
        ),
    )
    if not message:
        raise ConflictError(f"there is a message with the key {outbound.key!r} already")
    attachments.attach(db, message, connection, getattr(outbound, "parts", ()))
    for call in calls:
        db.execute(
            "INSERT INTO calls (message, conversation, connection, key, payload, state, head, due_at, attempt, token,"
            " lookups, window_until, status, code, reason, decided_by, created_at)"
            " VALUES (?1,?2,?3,?4,?5,'ready',"
            " CASE WHEN EXISTS (SELECT 1 FROM calls WHERE conversation = ?2 AND head = 1) THEN 0 ELSE 1 END,"
            " ?6,0,0,0,?7,'queued','','','',?6)",
            (message, conversation, connection, call.key, json_of(call), now, window_until),
        )
    db.execute("UPDATE conversations SET last_message_at = ? WHERE id = ?", (now, conversation))
    return message


def due(db: Database, connection: str, now: int, limit: int) -> list[Due]:
    """Give the heads of a connection that are due, those that have waited longest first."""
    return [Due(*row) for row in db.execute(sql.DUE, (connection, now, limit))]


def next_due(db: Database, connection: str, now: int) -> int | None:
    """Give when the next head of a connection is due that is not due yet."""
    row: tuple[int | None] = db.execute(
        "SELECT min(due_at) FROM calls WHERE head = 1 AND connection = ? AND due_at > ?", (connection, now)
    ).fetchone()
    return row[0]


def claim(db: Database, calls: Sequence[Due], lease_until: int, now: int) -> set[int]:
    """Make calls ours to send, before any socket opens; give those that nobody else was faster with."""
    sent_at = now - now % MILLISECOND  # what is read up to a moment is told in milliseconds, of which the rest is lost
    return {one.id for one in calls if db.execute(sql.CLAIM, (lease_until, sent_at, one.id, one.token)).rowcount}


@frozen
class Taken:
    """A call that the provider took: by the claim of `token`, on a connection of `channel`, with this receipt, then."""

    due: Due
    token: int
    channel: str
    receipt: Receipt
    at: int


def accept_all(db: Database, taken: Sequence[Taken]) -> list[bool]:
    """Settle calls that the provider took; the usual ones (ours still, one id, nothing came early) together."""
    receipts, accepted, next_heads, changed, unusual = [], [], [], [], []
    for one in taken:
        call, ids = one.due, one.receipt.external_ids
        row = db.execute(sql.ACCEPTED, (call.id, ids[0] if ids else "")).fetchone()
        early, acted, ours = row[8], row[10], (row[0], row[1]) == ("sending", one.token)
        if early or acted is not None or not ours or len(ids) != 1 or one.receipt.address is not None:
            unusual.append(one)
            continue
        receipts.append((call.connection, ids[0], call.id))
        accepted.append((_reached(row), call.id))
        if row[9]:
            next_heads.append((call.conversation,))
        changed.append(log.row(SYSTEM_ID, one.at, log.CALL, call.id, CallState.ACCEPTED, data=_where(call)))
    db.executemany(sql.RECEIPT, receipts)
    db.executemany(sql.ACCEPT, accepted)
    db.executemany(sql.NEXT_HEAD, next_heads)
    db.executemany(sql.LOG, changed)
    for one in unusual:
        accept(db, one.due, one.token, one.channel, one.receipt, one.at)
    return [True] * len(taken)


def _reached(row: Row) -> str:
    """Give how far an accepted call has got, by what its customer has read and received meanwhile."""
    _, _, known, sent_at, _, _, read_until, delivered_until, *_ = row
    status = rules.join(known, Status.ACCEPTED)
    for reported, until in ((Status.DELIVERED, delivered_until), (Status.READ, read_until)):
        if until is not None and sent_at is not None and sent_at <= until:
            status = rules.join(status, reported)
    return status


def accept(db: Database, one: Due, token: int, channel: str, receipt: Receipt, now: int) -> bool:
    """The provider took it: keep the receipt, let early statuses count, make way for the next one.

    An answer that comes after its lease still counts, as long as nobody has sent the call again.
    """
    for external_id in receipt.external_ids:
        db.execute(sql.RECEIPT, (one.connection, external_id, one.id))
    first = receipt.external_ids[0] if receipt.external_ids else ""
    row = db.execute(sql.ACCEPTED, (one.id, first)).fetchone()
    key, profile, early, acted, status = row[4], row[5], row[8], row[10], _reached(row)
    settled = _settle(db, one, token, CallState.ACCEPTED, now, status=status)
    if not settled and db.execute(sql.ACCEPT_LATE, (status, one.id, token)).rowcount:
        settled = True
        db.execute(sql.NEXT_HEAD, (one.conversation,))
    if settled and acted is not None:
        changes.took_effect(db, one.connection, acted, now)
    if early or len(receipt.external_ids) > 1:
        for external_id in receipt.external_ids:
            changes.catch_up(db, one.connection, external_id)
        changes.catch_up(db, one.connection, "", key)
    if settled and receipt.address is not None:
        changes.readdress(db, channel, profile, receipt.address)
    return settled


def postpone(db: Database, one: Due, token: int, until: int, code: str, reason: str, now: int) -> bool:
    """It was certainly not taken: again at `until`."""
    return _settle(db, one, token, CallState.RETRY, now, until, code, reason)


def refuse(db: Database, one: Due, token: int, state: CallState, code: str, reason: str, now: int) -> bool:
    """It will never be taken (`failed`), or nobody tries any more (`dead`)."""
    _take_back(db, one, token)
    settled = _settle(db, one, token, state, now, None, code, reason)
    if settled:
        changes.raise_status(db, one.id, _status(db, one.id), Status.FAILED, code, reason)
    return settled


def doubt(
    db: Database, one: Due, token: int, resend: Resend, again_at: int, give_up_at: int, reason: str, now: int
) -> CallState:
    """The answer was lost: by the channel's word send it again at `again_at`, ask then, wait until `give_up_at` for
    the provider's status, or leave it to a person. A status that came already settles it."""
    if db.execute("SELECT 1 FROM receipts WHERE call = ?", (one.id,)).fetchone():
        accept(db, one, token, "", Receipt(), now)
        return CallState.ACCEPTED
    state = rules.after_lost_answer(resend)
    if state is CallState.READY:
        since = "UPDATE calls SET doubted_at = coalesce(doubted_at, sent_at) WHERE id = ? AND token = ?"
        db.execute(since, (one.id, token))
    when = {CallState.READY: again_at, CallState.UNCERTAIN: None}.get(
        state, again_at if resend is Resend.LOOKUP else give_up_at
    )
    _settle(db, one, token, state, now, when, "ambiguous", reason)
    changes.catch_up(db, one.connection, "", one.call.key)
    return state


def ask_later(db: Database, one: Due, until: int | None, reason: str, now: int) -> bool:
    """The provider could not tell: ask again at `until`, or (None) leave it to a person."""
    db.execute("UPDATE calls SET lookups = lookups + 1 WHERE id = ? AND token = ?", (one.id, one.token))
    state = CallState.UNCERTAIN if until is None else CallState.AMBIGUOUS
    return _settle(db, one, one.token, state, now, until, "ambiguous", reason)


def leave(db: Database, one: Due, reason: str, now: int) -> bool:
    """It cannot be sent again any more: a person decides."""
    _take_back(db, one, one.token)
    return _settle(db, one, one.token, CallState.UNCERTAIN, now, None, "ambiguous", reason)


def again(db: Database, one: Due, now: int) -> bool:
    """The provider never took it: it can be sent."""
    return _settle(db, one, one.token, CallState.READY, now, now)


def conversation(db: Database, call: int) -> int:
    """Give the conversation of a call; NotFoundError."""
    row = db.execute("SELECT conversation FROM calls WHERE id = ?", (call,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no call {call}")
    return int(row[0])


def decide(db: Database, by: User, call: int, decision: Decision, now: int) -> None:
    """Let a person settle an uncertain call; ConflictError where it is not, or no longer, uncertain."""
    row = db.execute("SELECT state, conversation, decided_by FROM calls WHERE id = ?", (call,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no call {call}")
    state, conversation, decided_by = row
    if state != CallState.UNCERTAIN:
        whose = f", decided by {decided_by}" if decided_by else ""
        raise ConflictError(f"call {call} is {state}{whose}, not uncertain")
    resend = decision is Decision.RESEND
    db.execute(
        "UPDATE calls SET state = ?1, decided_by = ?2, due_at = ?3, doubted_at = NULL,"
        " head = CASE WHEN ?4 = 0 THEN NULL"
        " WHEN EXISTS (SELECT 1 FROM calls WHERE conversation = ?5 AND head = 1) THEN 0 ELSE 1 END WHERE id = ?6",
        (rules.DECIDED[decision], by.name, now if resend else None, int(resend), conversation, call),
    )
    if decision is Decision.SENT:
        changes.raise_status(db, call, _status(db, call), Status.ACCEPTED)
    elif decision is Decision.GIVE_UP:
        changes.raise_status(db, call, _status(db, call), Status.FAILED, "given_up", f"given up by {by.name}")
    log.changed(db, by.id, now, log.CALL, call, "decided", decision, {"conversation": conversation})


def _take_back(db: Database, one: Due, token: int) -> None:
    """Make a call that waits one that can be settled."""
    db.execute(
        "UPDATE calls SET state = 'sending' WHERE id = ? AND token = ? AND state IN ('ready', 'retry')", (one.id, token)
    )


def _settle(
    db: Database, one: Due, token: int, state: CallState, now: int, due_at: int | None = None, code: str = "",
    reason: str = "", status: str | None = None,
) -> bool:  # fmt: skip
    """Move a call that is ours to another state; nothing happens where the token is not the last one's."""
    head = None if state in SETTLED else 1
    moved = db.execute(sql.SETTLE, (state, due_at, code, reason, head, status, one.id, token)).rowcount
    if moved and head is None:
        db.execute(sql.NEXT_HEAD, (one.conversation,))
    if moved:
        log.changed(db, SYSTEM_ID, now, log.CALL, one.id, state, data=_where(one))
    return bool(moved)


def _where(one: Due) -> dict[str, int]:
    return {"conversation": one.conversation}


def _status(db: Database, call: int) -> str:
    (status,) = db.execute("SELECT status FROM calls WHERE id = ?", (call,)).fetchone()
    return str(status)
