"""All Conversations: found by any of what is known of them, the newest first.

A page is found as ids first, by one index, then read: what the page does not show is never looked at closely.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial

from attrs import field, frozen

from . import catalogue, customers, fulltext, people, queries
from .database import Database
from .errors import IncompleteError
from .moments import micros
from .queries import Filter, among
from .recognition import folded
from .states import ConversationState
from .values import Conversation, Page, numbered

AT_ONCE = 500
"""Entries of the word index that are read at once."""

MANY = 20_000
"""Conversations of a time that are not worth counting further."""


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
    hide = False
    if wanted.number:
        yield "c.id = ?", (numbered(wanted.number) or 0,)
    if wanted.customer is not None:
        yield among("c.profile", [one.id for one in customers.profiles(db, wanted.customer)])
        hide = True
    for tag in wanted.tags:
        yield "EXISTS (SELECT 1 FROM conversation_tags t WHERE t.tag = ? AND t.conversation = c.id)", (tag,)
    if wanted.subject is not None:
        subjects = catalogue.below(db, wanted.subject)
        hide = hide or len(subjects) > 1  # of several an index gives no order
        yield among("c.subject + 0" if hide else "c.subject", subjects)
        hide = True
    if folded(wanted.user):
        those = people.beginning(db, wanted.user)
        hide = hide or len(those) > 1
        yield among("c.assignee + 0" if hide else "c.assignee", those)
        hide = True
    if wanted.state is not None:
        open_ = "IS NOT NULL" if wanted.state is ConversationState.CLOSED else "IS NULL"
        yield f"c.state = '{wanted.state.value}' AND c.closed_at {open_}", ()
    if wanted.connections:
        yield among("(c.connection || '')" if hide else "c.connection", sorted(wanted.connections))
    if wanted.opened_from is not None or wanted.opened_to is not None:
        yield "c.opened_at + 0 >= ? AND c.opened_at + 0 <= ?", _times(wanted)


def _times(wanted: Wanted) -> tuple[int, int]:
    begin, end = wanted.opened_from, wanted.opened_to
    if any(one is not None and one.tzinfo is None for one in (begin, end)):
        raise IncompleteError("a time needs its zone")
    return (0 if begin is None else micros(begin)), (2**63 - 1 if end is None else micros(end))


def _bounds(db: Database, wanted: Wanted, before: int) -> tuple[int, int]:
    """Give the first id, and the one after the last, that a time comprises: ids lead to a page, and have the order of
    the times but for what was replayed. Where many are comprised, only an end is worth the look: the newest would all
    be passed over."""
    if wanted.opened_from is None and wanted.opened_to is None:
        return 0, before
    times = _times(wanted)
    where = "FROM conversations WHERE opened_at >= ? AND opened_at <= ?"
    (many,) = db.execute(f"SELECT count(*) FROM (SELECT 1 {where} LIMIT ?) AS counted", (*times, MANY)).fetchone()
    few = wanted.number or wanted.customer is not None
    if many == MANY and (few or wanted.opened_to is None):
        return 0, before
    first, last = db.execute(f"SELECT min(id), max(id) {where}", times).fetchone()
    return first or 0, min(before, (last or 0) + 1)


def _has_words(db: Database, text: str) -> Filter:
    """Ask for words, where other conditions leave few conversations to look at."""
    number, shift = db.full_text.id, fulltext.SHIFT
    where = f"{db.full_text.matches} AND {number} >= c.id << {shift} AND {number} < (c.id + 1) << {shift}"
    return f"EXISTS (SELECT 1 FROM words WHERE {where})", (fulltext.asked(db, text),)


def _by_rows(db: Database, filters: Sequence[Filter], first: int, before: int, limit: int) -> list[int]:
    bound: list[Filter] = [("c.id >= ?", (first,))] if first else []  # two bounds would make an index of ids look best
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
    below = min(before << fulltext.SHIFT, 2**63 - 1)
    while len(found) < limit:
        rows = db.execute(
            f"SELECT {number}, c.id FROM words JOIN conversations c ON c.id = {number} >> {fulltext.SHIFT}"
            f" WHERE {db.full_text.matches} AND {where}{number} >= ? AND {number} < ? ORDER BY {number} DESC LIMIT ?",
            (query, *values, first << fulltext.SHIFT, below, AT_ONCE),
        ).fetchall()
        found |= dict.fromkeys(conversation for _, conversation in rows)
        if len(rows) < AT_ONCE:
            break
        below = rows[-1][0]
    return list(found)[:limit]


def _joined(filters: Sequence[Filter]) -> tuple[str, list[object]]:
    return "".join(f"{condition} AND " for condition, _ in filters), [value for _, given in filters for value in given]
