"""What administrators set for a connection, a queue, both, or all: how long conversations stay open, and more."""

from collections.abc import Sequence

from attrs import frozen

from .database import Database
from .errors import IncompleteError, expect
from .moments import MINUTE

WRAP_UP = (1, 60)
"""Minutes that a wrap-up may last, at least and at most."""


@frozen(kw_only=True)
class Policy:
    """What holds for conversations of a connection (`""`: of any) and a queue (0: of any); None: what is wider says.

    - `open_for`: microseconds without a message from the customer after which it closes by itself.
    - `wrap_up`: microseconds of the wrap-up, 1 to 60 minutes; 0: there is none.
    - `route_to`: the queue that new direct conversations of the connection go to; 0: none.
    - `version`: rises with every change; whoever sets a policy need not give it here.
    """

    connection: str = ""
    queue: int = 0
    open_for: int | None = None
    wrap_up: int | None = None
    route_to: int | None = None
    version: int = 0

    def __attrs_post_init__(self) -> None:
        low, high = WRAP_UP
        if self.wrap_up and not low * MINUTE <= self.wrap_up <= high * MINUTE:
            raise IncompleteError(f"a wrap-up lasts {low} to {high} minutes, or there is none")
        if self.open_for is not None and self.open_for <= 0:
            raise IncompleteError("a conversation stays open for longer than nothing")


@frozen(kw_only=True)
class Terms:
    """What holds for one conversation; times in microseconds, `wrap_up` 0 and `route_to` None where there is none."""

    open_for: int
    wrap_up: int
    route_to: int | None


def terms(policies: Sequence[Policy], open_for: int) -> Terms:
    """Give what holds, from all policies that apply: the one of the connection and the queue goes before that of the
    connection, that before the queue's, that before the one for all; `open_for` where none says."""

    def first(name: str, otherwise: int) -> int:
        said = (getattr(one, name) for one in ranked)
        return next((value for value in said if value is not None), otherwise)

    ranked = sorted(policies, key=lambda one: (not one.connection, not one.queue))
    return Terms(
        open_for=first("open_for", open_for), wrap_up=first("wrap_up", 0), route_to=first("route_to", 0) or None
    )


def applying(db: Database, connection: str, queue: int | None) -> list[Policy]:
    """Read the policies that apply to a connection and a queue."""
    rows = db.rows("SELECT * FROM policies WHERE connection IN ('', ?) AND queue IN (0, ?)", (connection, queue or 0))
    return [Policy(**dict(row)) for row in rows]


def listed(db: Database) -> list[Policy]:
    """Read all policies."""
    return [Policy(**dict(row)) for row in db.rows("SELECT * FROM policies ORDER BY connection, queue")]


def save(db: Database, policy: Policy, version: int | None) -> None:
    """Set the policy of its connection and queue; it holds for conversations that open, or change their queue, from
    now on, and for wrap-ups that begin. ConflictError where there is another version (0: none yet)."""
    where = (policy.connection, policy.queue)
    row = db.execute("SELECT version FROM policies WHERE connection = ? AND queue = ?", where).fetchone()
    expect("the policy", row[0] if row else 0, version)
    db.execute(
        "INSERT INTO policies (connection, queue, open_for, wrap_up, route_to, version) VALUES (?,?,?,?,?,1)"
        " ON CONFLICT (connection, queue) DO UPDATE SET open_for = excluded.open_for, wrap_up = excluded.wrap_up,"
        " route_to = excluded.route_to, version = policies.version + 1",
        (*where, policy.open_for, policy.wrap_up, policy.route_to),
    )
