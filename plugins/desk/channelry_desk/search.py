"""All Conversations: found by any of what is known of them, the newest first.

A page is found as ids first, by one index, then read: what the page does not show is never looked at closely.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from attrs import field, frozen

from . import catalogue, fulltext, people, queries
from .database import Database
from .errors import IncompleteError
from .moments import micros
from .queries import Filter, among
from .recognition import folded
from .states import ConversationState
from .values import Conversation, Page, numbered

AT_ONCE = 500
"""Entries of the word index that are read at once."""


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
    before = queries.before(cursor)
    filters = list(_filters(db, wanted))
    ids = _by_words(db, wanted.text, filters, before, limit) if wanted.text else _by_rows(db, filters, before, limit)
    return Page(queries.those(db, ids), queries.next_cursor(ids, limit))


def _filters(db: Database, wanted: Wanted) -> Iterator[Filter]:
    if wanted.number:
        yield "c.id = ?", (numbered(wanted.number) or 0,)
    if wanted.customer is not None:
        yield "c.profile IN (SELECT id FROM profiles WHERE customer = ?)", (wanted.customer,)
    for tag in wanted.tags:
        yield "EXISTS (SELECT 1 FROM conversation_tags t WHERE t.tag = ? AND t.conversation = c.id)", (tag,)
    if wanted.subject is not None:
        yield among("c.subject", catalogue.below(db, wanted.subject))
    if folded(wanted.user):
        yield among("c.assignee", people.beginning(db, wanted.user))
    if wanted.state is not None:
        open_ = "IS NOT NULL" if wanted.state is ConversationState.CLOSED else "IS NULL"
        yield f"c.state = '{wanted.state.value}' AND c.closed_at {open_}", ()
    if wanted.connections:
        yield among("c.connection", sorted(wanted.connections))
    if wanted.opened_from is not None or wanted.opened_to is not None:
        yield _opened(db, wanted.opened_from, wanted.opened_to)


def _opened(db: Database, begin: datetime | None, end: datetime | None) -> Filter:
    """Give the range of ids that a time comprises, beside the time: ids lead to a page, whichever index finds it."""
    if any(one is not None and one.tzinfo is None for one in (begin, end)):
        raise IncompleteError("a time needs its zone")
    times = (0 if begin is None else micros(begin), 2**63 - 1 if end is None else micros(end))
    first, last = db.execute(
        "SELECT min(id), max(id) FROM conversations WHERE opened_at >= ? AND opened_at <= ?", times
    ).fetchone()
    return "c.id >= ? AND c.id <= ? AND c.opened_at >= ? AND c.opened_at <= ?", (first or 0, last or 0, *times)


def _by_rows(db: Database, filters: Sequence[Filter], before: int, limit: int) -> list[int]:
    where, values = _joined(filters)
    rows = db.execute(
        f"SELECT c.id FROM conversations c WHERE {where}c.id < ? ORDER BY c.id DESC LIMIT ?", (*values, before, limit)
    )
    return [number for (number,) in rows]


def _by_words(db: Database, text: str, filters: Sequence[Filter], before: int, limit: int) -> list[int]:
    """Follow the entries of the words down from the newest, until the page is full."""
    query, number = fulltext.asked(db, text), db.full_text.id
    where, values = _joined(filters)
    found: dict[int, None] = {}
    below = min(before << fulltext.SHIFT, 2**63 - 1)
    while len(found) < limit:
        rows = db.execute(
            f"SELECT {number}, c.id FROM words JOIN conversations c ON c.id = {number} >> {fulltext.SHIFT}"
            f" WHERE {db.full_text.matches} AND {where}{number} < ? ORDER BY {number} DESC LIMIT ?",
            (query, *values, below, AT_ONCE),
        ).fetchall()
        found |= dict.fromkeys(conversation for _, conversation in rows)
        if len(rows) < AT_ONCE:
            break
        below = rows[-1][0]
    return list(found)[:limit]


def _joined(filters: Sequence[Filter]) -> tuple[str, list[object]]:
    return "".join(f"{condition} AND " for condition, _ in filters), [value for _, given in filters for value in given]
