"""All Conversations: found by any of what is known of them, the newest first.

A page is found as ids first, by one index, then read: what the page does not show is never looked at closely.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial

from attrs import field, frozen

from . import catalogue, customers, fulltext, people, queries
from .conversations import Filter, among
from .database import Database
from .errors import IncompleteError
from .moments import DAY, micros
from .recognition import folded
from .states import ConversationState
from .values import Conversation, Page, numbered

NEVER = 2**62
"""A time that is later than all."""
MANY = 20_000
"""Conversations that are looked through without a lower end of their ids."""
SKEW = DAY
"""By how much the clocks of the processes that open conversations may differ, at most: further apart ids and times have
the same order."""


@frozen(kw_only=True)
class Wanted:
    """What conversations are asked for; what is not said does not matter, what is said must all fit.

    - `opened_from`, `opened_to`: when they began, both included. `user`: the beginning of a name or e-mail address of
      whose they are or were. `tags`: they have all of these. `subject`: of any level. `number`: as people call it.
    - `text`: words that one of their messages has, all of them.
    """

    state: ConversationState | None = None
    connections: Collection[str] = ()
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    customer: int | None = None
    user: str = ""
    tags: Sequence[int] = field(default=(), converter=tuple)
    subject: int | None = None
    number: str = ""
    text: str = ""


def found(db: Database, wanted: Wanted, limit: int, cursor: str) -> Page[Conversation]:
    """Give a page of what is wanted."""
    db.execute(db.full_text.prepare)
    first, before = _bounds(db, wanted, queries.before(cursor))
    filters = list(_filters(db, wanted))
    few = wanted.number or wanted.customer is not None
    if wanted.text and few:
        filters.append(_has_words(db, wanted.text))
    by_words = wanted.text and not few
    find = partial(_by_words, text=wanted.text) if by_words else _by_rows
    ids = find(db, filters, first, before, limit)
    return Page(queries.those(db, ids), queries.next_cursor(ids, limit))


def _filters(db: Database, wanted: Wanted) -> Iterator[Filter]:
    """Give the conditions, the one that leaves the fewest first: only the first of those on an index may use it."""
    aside, hide = db.full_text.aside, ""
    if wanted.number:
        yield "c.id = ?", (numbered(wanted.number) or 0,)
    if wanted.customer is not None:
        yield among("c.profile", [one.id for one in customers.profiles(db, wanted.customer)])
        hide = aside
    for tag in wanted.tags:
        yield "EXISTS (SELECT 1 FROM conversation_tags t WHERE t.tag = ? AND t.conversation = c.id)", (tag,)
    if wanted.subject is not None:
        subjects = catalogue.below(db, wanted.subject)
        hide = aside if len(subjects) > 1 else hide  # of several an index gives no order
        yield among(f"{hide}c.subject", subjects)
        hide = aside
    if folded(wanted.user):
        those = people.beginning(db, wanted.user)
        hide = aside if len(those) > 1 else hide
        yield among(f"{hide}c.assignee", those)
        hide = aside
    if wanted.state is not None:
        open_ = "IS NOT NULL" if wanted.state is ConversationState.CLOSED else "IS NULL"
        yield f"c.state = '{wanted.state.value}' AND c.closed_at {open_}", ()
    if wanted.connections:
        yield among(f"{hide}c.connection", sorted(wanted.connections))
    if wanted.opened_from is not None or wanted.opened_to is not None:
        yield f"{aside}c.opened_at >= ? AND {aside}c.opened_at <= ?", _times(wanted)


def _times(wanted: Wanted) -> tuple[int, int]:
    begin, end = wanted.opened_from, wanted.opened_to
    if any(one is not None and one.tzinfo is None for one in (begin, end)):
        raise IncompleteError("a time needs its zone")
    return (0 if begin is None else micros(begin)), (NEVER if end is None else micros(end))


def _bounds(db: Database, wanted: Wanted, before: int) -> tuple[int, int]:
    """Give the first id that can be wanted, and the one after the last: ids lead to a page, and have the order of the
    times but for clocks that differ."""
    if wanted.state is not None and wanted.state is not ConversationState.CLOSED:
        low, high = _ends(db, f"FROM conversations WHERE state = '{wanted.state.value}' AND closed_at IS NULL")
    else:
        low, high = _ends(db, "FROM conversations")
    first, last = low or 0, min(before, (high or 0) + 1)
    begin, end = _times(wanted)
    if wanted.opened_from is not None:
        first = max(first, _id(db, "opened_at < ? ORDER BY opened_at DESC", begin - SKEW) or 0)
    if wanted.opened_to is not None:
        last = min(last, _id(db, "opened_at > ? ORDER BY opened_at", end + SKEW) or last)
    return first, last


def _ends(db: Database, where: str) -> tuple[int | None, int | None]:
    """Give the first and the last id; each asked for alone is one step in an index."""
    row: tuple[int | None, int | None] = db.execute(
        f"SELECT (SELECT id {where} ORDER BY id LIMIT 1), (SELECT id {where} ORDER BY id DESC LIMIT 1)"
    ).fetchone()
    return row


def _id(db: Database, where: str, *values: int) -> int | None:
    row = db.execute(f"SELECT id FROM conversations WHERE {where} LIMIT 1", values).fetchone()
    return None if row is None else int(row[0])


def _has_words(db: Database, text: str) -> Filter:
    """Ask for words, where other conditions leave few conversations to look at."""
    number, shift = db.full_text.id, fulltext.SHIFT
    where = f"{db.full_text.matches} AND {number} >= c.id << {shift} AND {number} < (c.id + 1) << {shift}"
    return f"EXISTS (SELECT 1 FROM words WHERE {where})", (fulltext.asked(db, text),)


def _by_rows(db: Database, filters: Sequence[Filter], first: int, before: int, limit: int) -> list[int]:
    # two bounds make an index of ids look best; where much is between, the page is full before the first is reached
    bound: list[Filter] = [("c.id >= ?", (first,))] if before - first < MANY else []
    where, values = _joined([*filters, *bound])
    rows = db.execute(
        f"SELECT c.id FROM conversations c WHERE {where}c.id < ? ORDER BY c.id DESC LIMIT ?", (*values, before, limit)
    )
    return [number for (number,) in rows]


def _by_words(db: Database, filters: Sequence[Filter], first: int, before: int, limit: int, *, text: str) -> list[int]:
    """Follow the entries of the words down from the newest, until the page is full."""
    query, number = fulltext.asked(db, text), db.full_text.id
    where, values = _joined(filters)
    found: dict[int, None] = {}
    below, at_once = before << fulltext.SHIFT, 2 * limit
    while len(found) < limit:
        rows = db.execute(
            f"SELECT {number}, c.id FROM words JOIN conversations c ON c.id = {number} >> {fulltext.SHIFT}"
            f" WHERE {db.full_text.matches} AND {where}{number} >= ? AND {number} < ? ORDER BY {number} DESC LIMIT ?",
            (query, *values, first << fulltext.SHIFT, below, at_once),
        ).fetchall()
        found |= dict.fromkeys(conversation for _, conversation in rows)
        if len(rows) < at_once:
            break
        below, at_once = rows[-1][0], 4 * at_once
    return list(found)[:limit]


def _joined(filters: Sequence[Filter]) -> tuple[str, list[object]]:
    return "".join(f"{condition} AND " for condition, _ in filters), [value for _, given in filters for value in given]
