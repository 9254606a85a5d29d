"""The log: every change, in order, with who made it and why: what live pages, other systems and an audit read."""

from collections.abc import Mapping
from typing import Any

import orjson

from . import sql
from .database import Database, Row
from .moments import moment
from .values import Change, person

MESSAGE, CALL, CONVERSATION = "message", "call", "conversation"
USER, GROUP, QUEUE, POLICY, LETTER = "user", "group", "queue", "policy", "letter"
CUSTOMER, COMPANY, PROFILE = "customer", "company", "profile"
TAG, SUBJECT, SKILL, FIELD, ANSWER, SETTING = "tag", "subject", "skill", "field", "answer", "setting"
"""Kinds of subjects."""
NONE: Mapping[str, Any] = {}


def changed(
    db: Database, who: int, at: int, kind: str, subject: int, what: str, why: str = "", data: Mapping[str, Any] = NONE
) -> None:
    """Append a change, in its own transaction.

    - `who`: the user's id (0: a program or a customer); `kind`, `subject`: what changed, by its kind and id.
    - `what`: the change, as a past participle; `why`: the user's words; `data`: ids, states and times, never what a
      customer wrote or is called: nothing here is ever erased.
    """
    db.execute(sql.LOG, row(who, at, kind, subject, what, why, data))


def row(
    who: int, at: int, kind: str, subject: int, what: str, why: str = "", data: Mapping[str, Any] = NONE
) -> tuple[Any, ...]:
    """Give the values of `sql.LOG`, for who appends many changes at once."""
    return at, who, kind, subject, what, why, orjson.dumps(data).decode()


def after(db: Database, number: int, limit: int) -> list[Change]:
    """Give the changes after one, in order."""
    return [_change(row) for row in db.rows(f"{_CHANGES} WHERE g.id > ? ORDER BY g.id LIMIT ?", (number, limit))]


def of(db: Database, kind: str, subject: int) -> list[Change]:
    """Give the changes of one subject (no message, and no call), in order."""
    where = "WHERE g.kind = ? AND g.subject = ? AND g.kind NOT IN ('message', 'call') ORDER BY g.id"
    return [_change(row) for row in db.rows(f"{_CHANGES} {where}", (kind, subject))]


_CHANGES = "SELECT g.*, u.first_name, u.last_name FROM log g LEFT JOIN users u ON u.id = g.who"


def _change(row: Row) -> Change:
    return Change(
        number=row["id"], at=moment(row["at"]), who=person(row["who"], row["first_name"], row["last_name"]),
        kind=row["kind"], subject=row["subject"], what=row["what"], why=row["why"], data=orjson.loads(row["data"]),
    )  # fmt: skip
