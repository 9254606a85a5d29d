"""What is read: named queries, each on a connection that cannot write. Cursors are ids; the newest come first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

import orjson
from attrs import evolve

from channelry import codec
from channelry.model import Address, Call, Event, MessageReceived, Outbound, Status, Surface, Target

from . import grants
from .calls import OURS
from .conversations import Filter, among, takeable, with_same_customer
from .database import Database, Row
from .errors import IncompleteError, NotFoundError
from .grants import Access, User
from .journal import request_of
from .moments import moment, moment_or_none
from .rules import CallState
from .states import Center, ConversationState, Hold, InteractionType
from .values import (
    Conversation,
    Customer,
    DeadLetter,
    Delivery,
    File,
    Interval,
    JournalEntry,
    Message,
    Named,
    Page,
    Reaction,
    Uncertain,
    person,
)


class Stream(StrEnum):
    """An agent's three lists: what is theirs, what they may take, and what is closed."""

    MINE = "mine"
    OPEN = "open"
    CLOSED = "closed"


_CONVERSATIONS = """
SELECT c.*, p.scheme, p.value, p.scope, p.display, p.name, p.candidate, p.opted_out_at,
    u.id AS customer_id, u.first_name, u.last_name, u.email, u.phone, u.company, k.name AS company_name, u.address,
    u.version AS customer_version, u.barred_at AS customer_barred_at,
    a.first_name AS assignee_first, a.last_name AS assignee_last, q.name AS queue_name,
    o.first_name AS opener_first, o.last_name AS opener_last,
    (SELECT text FROM messages m WHERE m.conversation = c.id AND m.direction <> 'act' ORDER BY m.id DESC LIMIT 1)
        AS last_text,
    (SELECT status FROM calls s WHERE s.conversation = c.id ORDER BY s.id DESC LIMIT 1) AS delivery
FROM conversations c JOIN profiles p ON p.id = c.profile LEFT JOIN customers u ON u.id = p.customer
LEFT JOIN companies k ON k.id = u.company LEFT JOIN users a ON a.id = c.assignee
LEFT JOIN users o ON o.id = c.opened_by LEFT JOIN queues q ON q.id = c.queue
"""


def those(db: Database, ids: Sequence[int]) -> list[Conversation]:
    """Read the conversations of some ids, in their order."""
    where, values = among("c.id", ids)
    rows = {row["id"]: _conversation(row) for row in db.rows(f"{_CONVERSATIONS} WHERE {where}", values)}
    return [rows[one] for one in ids]


def stream(db: Database, by: User, which: Stream, center: Center | None, limit: int, cursor: str) -> Page[Conversation]:
    """List what is a user's, what they may take, or what is closed of what they may read."""
    where: list[Filter] = []
    if center is not None:
        where.append((SOCIAL if center is Center.SOCIAL else f"NOT {SOCIAL}", ()))
    if which is Stream.CLOSED and not grants.has(by, Access.DASHBOARD):
        return _page(db, [_closed(by, where, limit, cursor)], limit, cursor)
    all_closed: Filter = ("c.closed_at IS NOT NULL", ())
    which_ones = {Stream.MINE: _mine(by), Stream.OPEN: takeable(by)}.get(which, all_closed)
    return _page(db, [which_ones, *where], limit, cursor)


SOCIAL = "c.surface IN ('comment', 'mention')"
"""What `states.center` calls social, in the words of an index."""


def _mine(by: User) -> Filter:
    return "c.assignee = ? AND c.closed_at IS NULL", (by.id,)


def _closed(by: User, where: Sequence[Filter], limit: int, cursor: str) -> Filter:
    """Ask for what was theirs, of which no more than a page is looked at, or is shared with them."""
    also = "".join(f" AND {condition}" for condition, _ in where)
    mine = f"SELECT c.id FROM conversations c WHERE c.assignee = ? AND c.closed_at IS NOT NULL AND c.id < ?{also}"
    shared = "SELECT c.id FROM shares s JOIN conversations c ON c.id = s.conversation WHERE s.member = ?"
    page = f"SELECT id FROM ({mine} ORDER BY c.id DESC LIMIT ?) AS page"
    return (f"c.id IN ({page} UNION {shared} AND c.closed_at IS NOT NULL{also})", (by.id, before(cursor), limit, by.id))


def _page(db: Database, wanted: Sequence[Filter], limit: int, cursor: str) -> Page[Conversation]:
    where = "".join(f"{condition} AND " for condition, _ in wanted)
    values = [value for _, given in wanted for value in given]
    rows = db.rows(
        f"{_CONVERSATIONS} WHERE {where}c.id < ? ORDER BY c.id DESC LIMIT ?", (*values, before(cursor), limit)
    )
    found = [_conversation(row) for row in rows]
    return Page(found, next_cursor([one.id for one in found], limit))


def conversation(db: Database, number: int) -> Conversation:
    """Read one conversation."""
    for row in db.rows(f"{_CONVERSATIONS} WHERE c.id = ?", (number,)):
        return _conversation(row)
    raise NotFoundError(f"there is no conversation {number}")


def history(db: Database, by: User, number: int, ongoing: bool, limit: int, cursor: str) -> Page[Conversation]:
    """List the closed (or `ongoing`: and the open) conversations with the same customer as one, without that one, that
    a user may read."""
    others = "c.id <> ?" if ongoing else "c.id <> ? AND c.closed_at IS NOT NULL"
    return _page(db, [(others, (number,)), with_same_customer(db, by, number)], limit, cursor)


def intervals(db: Database, conversation: int) -> list[Interval]:
    """Give who has worked on a conversation, when."""
    rows = db.rows(
        "SELECT i.*, u.first_name, u.last_name FROM intervals i LEFT JOIN users u ON u.id = i.member"
        " WHERE i.conversation = ? ORDER BY i.id",
        (conversation,),
    )
    return [
        Interval(
            by=person(row["member"], row["first_name"], row["last_name"]), began_at=moment(row["began_at"]),
            ended_at=moment(row["ended_at"]),
        )
        for row in rows
    ]  # fmt: skip


def messages(db: Database, conversation: int, limit: int, cursor: str) -> Page[Message]:
    """List the messages of a conversation, with their deliveries, files and reactions."""
    rows = db.rows(
        "SELECT * FROM messages WHERE conversation = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (conversation, before(cursor), limit),
    )
    found = _messages(db, conversation, rows)
    return Page(found, next_cursor([one.id for one in found], limit))


def target(db: Database, number: int) -> tuple[str, Target]:
    """Give the connection of a conversation, and where an answer to its customer's last message goes."""
    row = _row(
        db,
        "SELECT c.connection, c.last_inbound_at, p.scheme, p.value, p.scope, p.display FROM conversations c"
        " JOIN profiles p ON p.id = c.profile WHERE c.id = ?",
        number,
    )
    if row is None:
        raise NotFoundError(f"there is no conversation {number}")
    to = Address(row["scheme"], row["value"], row["scope"], row["display"])
    window = moment_or_none(row["last_inbound_at"])
    last = _row(
        db,
        "SELECT key, external_id, occurred_at, payload FROM messages WHERE conversation = ? AND direction = 'in'"
        " AND deleted_at IS NULL ORDER BY id DESC LIMIT 1",
        number,
    )
    if last is None:
        return row["connection"], Target(to=to, last_inbound_at=window)
    if last["payload"] is None:
        answered, at = last["external_id"] or last["key"], moment(last["occurred_at"])
        return row["connection"], Target(to=to, reply_to=answered, reply_to_at=at, last_inbound_at=window)
    event = codec.from_json(orjson.loads(last["payload"]), Event)
    assert isinstance(event, MessageReceived)
    aimed = Target.answering(event)
    return row["connection"], evolve(aimed, to=event.reply_address or to, last_inbound_at=window)


def dead_letters(db: Database, settled: bool, limit: int, cursor: str) -> Page[DeadLetter]:
    """List what could not be understood or applied."""
    rows = db.rows(
        "SELECT * FROM dead_letters WHERE (settled_at IS NOT NULL) = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (settled, before(cursor), limit),
    )
    found = [
        DeadLetter(
            id=row["id"], connection=row["connection"], key=row["key"], type=row["type"], reason=row["reason"],
            recorded_at=moment(row["recorded_at"]), settled_at=moment_or_none(row["settled_at"]),
            journal=row["journal"],
        )
        for row in rows
    ]  # fmt: skip
    return Page(found, next_cursor([one.id for one in found], limit))


def dead_letter(db: Database, number: int) -> tuple[str, JournalEntry]:
    """Give the key of a dead letter and the request that brought it."""
    row = _row(db, "SELECT key, journal FROM dead_letters WHERE id = ?", number)
    if row is None:
        raise NotFoundError(f"there is no dead letter {number}")
    for entry in db.rows("SELECT * FROM journal WHERE id = ?", (row["journal"],)):
        return row["key"], JournalEntry(id=entry["id"], connection=entry["connection"], request=request_of(entry))
    raise NotFoundError(f"the request of dead letter {number} has left the journal")


def journal(db: Database, limit: int, cursor: str) -> Page[JournalEntry]:
    """List the raw requests."""
    rows = db.rows("SELECT * FROM journal WHERE id < ? ORDER BY id DESC LIMIT ?", (before(cursor), limit))
    found = [JournalEntry(id=row["id"], connection=row["connection"], request=request_of(row)) for row in rows]
    return Page(found, next_cursor([one.id for one in found], limit))


def uncertain(db: Database, limit: int, cursor: str) -> Page[Uncertain]:
    """List the calls that a person has to decide about."""
    rows = db.rows(
        "SELECT c.*, m.text FROM calls c JOIN messages m ON m.id = c.message WHERE c.state = 'uncertain' AND c.id < ?"
        " ORDER BY c.id DESC LIMIT ?",
        (before(cursor), limit),
    )
    found = [
        Uncertain(
            call=row["id"], conversation=row["conversation"], connection=row["connection"],
            to=codec.from_json(orjson.loads(row["payload"]), Call).to, text=row["text"], reason=row["reason"],
            since=moment_or_none(row["sent_at"]),
        )
        for row in rows
    ]  # fmt: skip
    return Page(found, next_cursor([one.call for one in found], limit))


def _row(db: Database, statement: str, number: int) -> Row | None:
    return next(iter(db.rows(statement, (number,))), None)


def before(cursor: str) -> int:
    """Give the id that a cursor stands for; IncompleteError where it is none."""
    if not cursor:
        return 2**63 - 1
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise IncompleteError("the cursor is none: give back the one that the last page had")
    return int(cursor)


def next_cursor(ids: Sequence[int], limit: int) -> str:
    """Give the cursor that leads on from a page."""
    return str(ids[-1]) if ids and len(ids) == limit else ""


def _conversation(row: Row) -> Conversation:
    known = row["customer_id"] is not None
    return Conversation(
        id=row["id"], connection=row["connection"], profile=row["profile"],
        address=Address(row["scheme"], row["value"], row["scope"], row["display"]), name=row["name"],
        customer=_customer(row) if known else None, candidate=row["candidate"] or "",
        opted_out_at=moment_or_none(row["opted_out_at"]), place=row["place"], surface=Surface(row["surface"]),
        type=InteractionType(row["type"]), state=ConversationState(row["state"]), hold=Hold(row["hold"]),
        assignee=_user(row["assignee"], row["assignee_first"], row["assignee_last"]),
        queue=None if row["queue"] is None else Named(row["queue"], row["queue_name"]),
        description=row["description"], version=row["version"],
        opened_by=_user(row["opened_by"], row["opener_first"], row["opener_last"]),
        opened_at=moment(row["opened_at"]), expires_at=moment(row["expires_at"]),
        last_customer_at=moment_or_none(row["last_customer_at"]), last_message_at=moment(row["last_message_at"]),
        assigned_at=moment_or_none(row["assigned_at"]), responded_at=moment_or_none(row["responded_at"]),
        worked=timedelta(microseconds=row["worked"]), working_since=moment_or_none(row["working_since"]),
        closed_at=moment_or_none(row["closed_at"]), archived_at=moment_or_none(row["archived_at"]),
        reason=row["reason"], language=row["language"],
        sentiment=row["sentiment"], last_text=(row["last_text"] or "")[:200],
        delivery=None if row["delivery"] is None else Status(row["delivery"]),
    )  # fmt: skip


def _user(number: int | None, first_name: str | None, last_name: str | None) -> Named | None:
    return None if number is None else person(number, first_name, last_name)


def _customer(row: Row) -> Customer:
    return Customer(
        id=row["customer_id"], first_name=row["first_name"], last_name=row["last_name"], email=row["email"],
        phone=row["phone"], company=None if row["company"] is None else Named(row["company"], row["company_name"]),
        address=row["address"], version=row["customer_version"], barred_at=moment_or_none(row["customer_barred_at"]),
    )  # fmt: skip


def _messages(db: Database, conversation: int, rows: Sequence[Row]) -> list[Message]:
    """Make messages of rows, which follow on each other, the newest first; what belongs to them is read at once."""
    if not rows:
        return []
    span = (conversation, rows[-1]["id"], rows[0]["id"])
    deliveries, files, reactions = _deliveries(db, span), _files(db, span), _reactions(db, span)
    return [_message(row, deliveries[row["id"]], files[row["id"]], reactions) for row in rows]


def _message(
    row: Row, deliveries: Sequence[Delivery], files: Sequence[File], reactions: Mapping[str, Sequence[Reaction]]
) -> Message:
    payload = None if row["payload"] is None else orjson.loads(row["payload"])
    inbound = row["direction"] in ("in", "echo")
    value = None if payload is None else codec.from_json(payload, Event if inbound else Outbound)
    external_id = row["external_id"] or (row["key"] if row["direction"] == "in" else "")
    named = [external_id, *(one for delivery in deliveries for one in delivery.external_ids)]
    return Message(
        id=row["id"], conversation=row["conversation"], key=row["key"] if inbound else row["key"].removeprefix(OURS),
        external_id=external_id, direction=row["direction"], author=row["author"],
        occurred_at=moment(row["occurred_at"]), text=row["text"], parts=getattr(value, "parts", ()),
        edited_at=moment_or_none(row["edited_at"]), deleted_at=moment_or_none(row["deleted_at"]),
        hidden_at=moment_or_none(row["hidden_at"]), album=getattr(value, "album", ""), language=row["language"] or "",
        sentiment=row["sentiment"], deliveries=tuple(deliveries), files=tuple(files),
        reactions=tuple(one for name in filter(None, named) for one in reactions[name]),
    )  # fmt: skip


_Span: TypeAlias = tuple[int, int, int]
"""A conversation, and the first and the last of some of its messages (`m`)."""
_WITHIN = "m.conversation = ?1 AND m.id >= ?2 AND m.id <= ?3"


def _deliveries(db: Database, span: _Span) -> Mapping[int, Sequence[Delivery]]:
    of_calls = f"FROM messages m JOIN calls c ON c.message = m.id WHERE {_WITHIN}"
    ids: defaultdict[int, list[str]] = defaultdict(list)
    receipts = f"SELECT r.call, r.external_id FROM receipts r WHERE r.call IN (SELECT c.id {of_calls})"
    for call, external_id in db.execute(f"{receipts} ORDER BY r.external_id", span):
        ids[call].append(external_id)
    found: defaultdict[int, list[Delivery]] = defaultdict(list)
    for row in db.rows(f"SELECT c.* {of_calls} ORDER BY c.id", span):
        found[row["message"]].append(Delivery(
            call=row["id"], key=row["key"], state=CallState(row["state"]), status=Status(row["status"]),
            attempts=row["attempt"], external_ids=tuple(ids[row["id"]]), code=row["code"],
            reason=row["reason"], decided_by=row["decided_by"],
        ))  # fmt: skip
    return found


def _files(db: Database, span: _Span) -> Mapping[int, Sequence[File]]:
    found: defaultdict[int, list[File]] = defaultdict(list)
    of_media = f"FROM messages m JOIN media d ON d.message = m.id WHERE {_WITHIN}"
    for row in db.rows(f"SELECT d.* {of_media} ORDER BY d.message, d.part", span):
        file = File(part=row["part"], state=row["state"], name=row["file"], reason=row["reason"])
        found[row["message"]].append(file)
    return found


def _reactions(db: Database, span: _Span) -> Mapping[str, Sequence[Reaction]]:
    """Give what holds, by the provider's ids: a word on one emoji counts unless a later one took all of that person's
    back."""
    found: defaultdict[str, list[Reaction]] = defaultdict(list)
    named = (
        f"SELECT m.connection, coalesce(m.external_id, m.key) FROM messages m WHERE {_WITHIN} UNION ALL"
        " SELECT t.connection, t.external_id FROM messages m JOIN calls c ON c.message = m.id"
        f" JOIN receipts t ON t.call = c.id WHERE {_WITHIN}"
    )
    rows = db.rows(
        "SELECT r.external_id, r.actor, r.emoji FROM reactions r LEFT JOIN reactions a ON a.connection = r.connection"
        " AND a.external_id = r.external_id AND a.actor = r.actor AND a.emoji = ''"
        f" WHERE (r.connection, r.external_id) IN ({named}) AND r.emoji <> '' AND r.active = 1"
        " AND (a.occurred_at IS NULL OR a.active = 1 OR a.occurred_at < r.occurred_at) ORDER BY r.occurred_at, r.emoji",
        span,
    )
    for row in rows:
        found[row["external_id"]].append(Reaction(actor=row["actor"].split("\x1f")[1], emoji=row["emoji"]))
    return found
