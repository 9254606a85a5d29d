"""What is done with conversations: operations, each with its guard inside the transaction.

Each reads how the conversation stands, asks `grants` and `states`, writes what they say and appends it to the log.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from channelry.model import Address, Call, Outbound, SendMessage, Surface

from . import calls, changes, grants, log, people, policies, sql, states
from .database import Database, Row
from .errors import ClosedError, ConflictError, NotFoundError, NotGrantedError
from .grants import SYSTEM, User
from .states import Center, ConversationState, Hold, InteractionType, Standing, Step
from .values import person

Filter: TypeAlias = tuple[str, Sequence[Any]]
"""A condition on conversations (`c`), and its values."""


@frozen(kw_only=True)
class Place:
    """Where a conversation is held: the person's profile and its address scheme, on a connection, and the comment,
    group or topic there."""

    connection: str
    profile: int
    scheme: str
    surface: Surface
    place: str = ""


def standing(db: Database, conversation: int) -> Standing:
    """Read how a conversation stands; NotFoundError."""
    for row in db.rows(_STANDING, (conversation,)):
        return _standing(row)
    raise NotFoundError(f"there is no conversation {conversation}")


_STANDING = """
SELECT c.id, c.connection, c.surface, c.type, c.state, c.assignee, u.first_name, u.last_name, c.queue, c.hold,
    c.description, c.version, c.open_for, c.expires_at, c.due_at, c.assigned_at, c.worked, c.working_since, c.ended_at,
    c.closed_at, c.reason
FROM conversations c LEFT JOIN users u ON u.id = c.assignee WHERE c.id = ?
"""


def _standing(row: Row) -> Standing:
    given = dict(row)
    names = given.pop("first_name"), given.pop("last_name")
    name = "" if row["assignee"] is None else person(row["assignee"], *names).name
    given |= {
        "surface": Surface(row["surface"]), "type": InteractionType(row["type"]),
        "state": ConversationState(row["state"]), "hold": Hold(row["hold"]),
    }  # fmt: skip
    return Standing(**given, assignee_name=name)


# Beginning


def begin(
    db: Database, at: int, where: Place, open_for: int, by: User = SYSTEM, opened_by: int | None = None
) -> tuple[int, int]:
    """Open a conversation, pending, in the queue and for the time that the policies say, and have asked whose its
    profile is, where that is not on record; give its id and that time.

    `open_for`: how long it stays open where no policy says; `opened_by`: the agent who writes first.
    """
    direct = states.center(where.surface) is Center.CHAT
    held = policies.terms(policies.applying(db, where.connection, None), open_for)
    queue = held.route_to if direct else None
    if queue is not None:
        held = policies.terms(policies.applying(db, where.connection, queue), open_for)
    kind = states.interaction_type(where.surface, where.scheme)
    number = db.insert(
        sql.OPEN,
        (where.connection, where.profile, where.place, str(where.surface), str(kind), queue, opened_by, at,
         held.open_for, at + held.open_for),
    )  # fmt: skip
    db.execute(sql.RECOGNIZE, (where.connection, at, where.profile))
    log.changed(db, by.id, at, log.CONVERSATION, number, "opened", data={"queue": queue})
    return number, held.open_for


def heard(db: Database, channel: str, connection: str, address: Address) -> int | None:
    """Tell when somebody last wrote in person to a connection, in whatever conversation."""
    row = db.execute(
        "SELECT max(c.last_inbound_at) FROM addresses a JOIN conversations c ON c.profile = a.profile"
        " WHERE a.channel = ? AND a.scheme = ? AND a.value = ? AND a.scope = ? AND c.connection = ? AND c.place = ''",
        (channel, address.scheme, address.value, address.scope, connection),
    ).fetchone()
    return None if row is None else row[0]


def start(db: Database, by: User, where: Place, open_for: int, heard: int | None, now: int) -> int:
    """Open a conversation that an agent begins, theirs at once; ConflictError where one is open there already.

    `heard`: when the customer last wrote, for the channel's window of replies.
    """
    row = db.execute(
        "SELECT id FROM conversations WHERE profile = ? AND connection = ? AND place = '' AND ended_at IS NULL",
        (where.profile, where.connection),
    ).fetchone()
    if row is not None:
        close_over(db, row[0], now)
        if standing(db, row[0]).ended_at is None:
            raise ConflictError(f"conversation {row[0]} with this address is open: reply there")
    number, _ = begin(db, now, where, open_for, by, by.id)
    db.execute("UPDATE conversations SET last_inbound_at = ? WHERE id = ?", (heard, number))
    seen = standing(db, number)
    _save(db, seen, states.moved(seen, Step.ACCEPT, now, assignee=by.id), by, Step.ACCEPT, now)
    return number


# Steps


def step(
    db: Database, by: User, conversation: int, what: Step, now: int, *, version: int | None = None, why: str = "",
    **given: Any,
) -> Standing:  # fmt: skip
    """Take a step; give how the conversation stands then.

    Raises NotFoundError, NotGrantedError, ClosedError, ConflictError (it has changed, or the step does not lead on
    from its state). `given` goes to `states.moved`.
    """
    seen = expected(db, by, conversation, now, version, lambda seen: grants.may_step(by, what, seen), what)
    after = states.moved(seen, what, now, **given)
    if after.state is ConversationState.CLOSED and what in _DESCRIBED:
        require_described(by, seen, "closed")
    _save(db, seen, after, by, what, now, why)
    return after


_DESCRIBED = frozenset({Step.END, Step.CLOSE})


def expected(
    db: Database, by: User, conversation: int, now: int, version: int | None,
    allowed: Callable[[Standing], bool], what: str,
) -> Standing:  # fmt: skip
    """Read an open conversation, of the version that the caller saw, that the user is allowed to change."""
    seen = standing(db, conversation)
    _permit(allowed(seen), by, seen, what)
    states.require_open(seen, now)
    states.expect(seen, version)
    return seen


def require_described(by: User, seen: Standing, what: str) -> None:
    """Raise UndescribedError where an agent still owes the short description; a program owes none."""
    if not by.is_system:
        states.require_described(seen, what)


def accept(db: Database, by: User, conversation: int, version: int | None, now: int) -> Standing:
    """Take a pending conversation; ConflictError names who was faster. Taking one's own again changes nothing."""
    seen = standing(db, conversation)
    if seen.state is ConversationState.ACTIVE and seen.assignee == by.id and not states.is_over(seen, now):
        return seen
    if seen.state is not ConversationState.PENDING:
        version = None  # whose it is says more than that it has changed
    return step(db, by, conversation, Step.ACCEPT, now, version=version, assignee=by.id)


def assign(
    db: Database, by: User, conversation: int, to: int, version: int | None, why: str, now: int, escalate: bool = False
) -> Standing:
    """Give a conversation to a user who is granted its connection: to a supervisor, to escalate."""
    recipient = people.member(db, to)
    seen = standing(db, conversation)
    able = grants.may_be_given(recipient, seen.connection)
    grants.require(able, recipient, f"be given conversations of {seen.connection}")
    if escalate:
        grants.require(grants.has(recipient, grants.Access.DASHBOARD), recipient, "be escalated to")
    what = Step.ESCALATE if escalate else Step.ASSIGN
    return step(db, by, conversation, what, now, version=version, why=why, assignee=to)


def route(
    db: Database, by: User, conversation: int, queue: int, version: int | None, why: str, open_for: int, now: int
) -> Standing:
    """Put a conversation of the Chat Center into a queue, for its members to accept."""
    people.named_queue(db, queue)
    seen = standing(db, conversation)
    states.require_center(seen, Center.CHAT, "queues")
    held = policies.terms(policies.applying(db, seen.connection, queue), open_for)
    given = {"queue": queue, "open_for": held.open_for}
    return step(db, by, conversation, Step.ROUTE, now, version=version, why=why, **given)


def end(db: Database, by: User, conversation: int, version: int | None, why: str, open_for: int, now: int) -> Standing:
    """End the talk: into wrap-up where a policy has one, else closed, which needs a short description."""
    seen = standing(db, conversation)
    held = policies.terms(policies.applying(db, seen.connection, seen.queue), open_for)
    return step(db, by, conversation, Step.END, now, version=version, why=why, wrap_up=held.wrap_up)


def conclude(db: Database, by: User, profile: int, what: Step, why: str, now: int) -> None:
    """Close what is open with somebody because the user may bar, or erase, them."""
    rows = db.execute("SELECT id FROM conversations WHERE profile = ? AND closed_at IS NULL ORDER BY id", (profile,))
    for (number,) in rows.fetchall():
        seen = standing(db, number)
        _save(db, seen, states.moved(seen, what, now), by, what, now, why)


def profile(db: Database, conversation: int) -> int:
    """Give the profile that a conversation is held with; NotFoundError."""
    row = db.execute("SELECT profile FROM conversations WHERE id = ?", (conversation,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no conversation {conversation}")
    return int(row[0])


def answered(db: Database, conversation: int, now: int) -> None:
    """Move a waiting conversation on, whose customer has written."""
    seen = standing(db, conversation)
    if seen.state is ConversationState.WAITING and seen.assignee is not None:
        present = people.user(db, seen.assignee).present
        after = states.answered(seen, present, now)
        _save(db, seen, after, SYSTEM, Step.RESUME if present else Step.RETURN, now, "the customer wrote")


def close_over(db: Database, conversation: int, now: int) -> None:
    """Close a conversation that is over, whoever finds out."""
    seen = standing(db, conversation)
    if seen.state is not ConversationState.CLOSED:
        after, what = states.looked_at(seen, now)
        if what is None:
            _write(db, after)
        else:
            _save(db, seen, after, SYSTEM, what, now)


def due(db: Database, now: int, limit: int = 500) -> list[int]:
    """Name conversations that the clock has to be looked at for."""
    rows = db.execute("SELECT id FROM conversations WHERE due_at < ? ORDER BY due_at LIMIT ?", (now, limit))
    return [number for (number,) in rows]


def look(db: Database, numbers: Sequence[int], now: int) -> None:
    """Close those of the named conversations that are over still: their customer may have written meanwhile."""
    for number in numbers:
        close_over(db, number, now)


# What is said


def require_answerable(db: Database, by: User, conversation: int, now: int) -> Standing:
    """Raise unless a user may write in a conversation now: it is theirs, and it has not ended."""
    seen = expected(db, by, conversation, now, None, lambda seen: grants.may_act(by, seen), "answered")
    if seen.ended_at is not None:
        raise ClosedError(f"conversation {conversation} has ended: it is in wrap-up")
    return seen


def reply(
    db: Database, by: User, conversation: int, outbound: Outbound, composed: Sequence[Call], window_until: int | None,
    now: int,
) -> int:  # fmt: skip
    """Queue what the assignee writes or does; give the message's id. The first answer ends the wait."""
    seen = require_answerable(db, by, conversation, now)
    require_said_here(db, seen, outbound)
    number = calls.queue(db, conversation, seen.connection, by.name, outbound, composed, window_until, now)
    if isinstance(outbound, SendMessage) and not outbound.automatic:
        db.execute(
            "UPDATE conversations SET responded_at = ? WHERE id = ? AND responded_at IS NULL", (now, conversation)
        )
    log.changed(db, by.id, now, log.MESSAGE, number, "sent", data={"conversation": conversation})
    return number


def require_said_here(db: Database, seen: Standing, outbound: Outbound) -> None:
    """Raise NotFoundError where what is to be edited, removed or the like is no message of the conversation."""
    named = getattr(outbound, "external_id", "")
    if named:
        found = changes.find_message(db, seen.connection, named)
        if found is None or found[1] != seen.id:
            raise NotFoundError(f"there is no message {named!r} in conversation {seen.id}")


# The agent's form


def describe(db: Database, by: User, conversation: int, text: str, version: int | None, now: int) -> Standing:
    """Save the short description, which may not be blank; of a closed conversation too, until it is archived."""
    seen = standing(db, conversation)
    _permit(grants.may_act(by, seen), by, seen, "edited")
    require_unarchived(db, conversation)
    states.expect(seen, version)
    after = evolve(seen, description=text.strip(), version=seen.version + 1)
    states.require_described(after, "saved")
    _write(db, after)
    log.changed(db, by.id, now, log.CONVERSATION, conversation, "described", data={"version": after.version})
    return after


def archive(db: Database, by: User, conversation: int, version: int | None, now: int) -> None:
    """Put a closed conversation away: from now on nothing about it can be changed."""
    seen = standing(db, conversation)
    _permit(grants.may_direct(by, seen), by, seen, "archived")
    require_unarchived(db, conversation)
    states.expect(seen, version)
    if seen.state is not ConversationState.CLOSED:
        raise ConflictError(f"conversation {conversation} is {seen.state}: only what is closed is archived")
    require_described(by, seen, "archived")
    db.execute("UPDATE conversations SET archived_at = ?, version = version + 1 WHERE id = ?", (now, conversation))
    log.changed(db, by.id, now, log.CONVERSATION, conversation, "archived", data={"version": seen.version + 1})


def require_unarchived(db: Database, conversation: int) -> None:
    """Raise ClosedError for a conversation that was put away."""
    row = db.execute("SELECT 1 FROM conversations WHERE id = ? AND archived_at IS NOT NULL", (conversation,)).fetchone()
    if row is not None:
        raise ClosedError(f"conversation {conversation} is archived")


def share(db: Database, by: User, conversation: int, member: int, shared: bool, now: int) -> None:
    """Let a colleague read along, or no longer."""
    seen = standing(db, conversation)
    _permit(grants.may_direct(by, seen), by, seen, "shared")
    recipient = people.member(db, member)
    grants.require(grants.has(recipient, grants.Access.CHAT_CENTER), recipient, "read conversations")
    if shared:
        db.execute(
            "INSERT INTO shares (conversation, member) VALUES (?,?) ON CONFLICT (conversation, member) DO NOTHING",
            (conversation, member),
        )
    else:
        db.execute("DELETE FROM shares WHERE conversation = ? AND member = ?", (conversation, member))
    log.changed(
        db, by.id, now, log.CONVERSATION, conversation, "shared" if shared else "unshared", data={"member": member}
    )


def require_readable(db: Database, by: User, conversation: int) -> Standing:
    """Raise NotFoundError, or NotGrantedError where a user may not read a conversation."""
    seen = standing(db, conversation)
    where = (conversation, by.id)
    shared = db.execute("SELECT 1 FROM shares WHERE conversation = ? AND member = ?", where).fetchone() is not None
    shared = shared or (seen.state is ConversationState.CLOSED and _is_past(db, by, conversation))
    _permit(grants.may_read(by, seen, shared), by, seen, "read")
    return seen


_SAME_CUSTOMER = """
c.id IN (SELECT o.id FROM conversations o WHERE o.profile IN (
    SELECT p.profile FROM conversations p WHERE p.id = ?
    UNION SELECT r.id FROM conversations v JOIN profiles q ON q.id = v.profile
        JOIN profiles r ON r.customer = q.customer WHERE v.id = ?
))
"""


def with_same_customer(db: Database, by: User, conversation: int) -> Filter:
    """Give the condition, and its values, on conversations (`c`) that are with the same customer as one that a user may
    read, that one included, and that they may read too."""
    same = (conversation, conversation)
    if grants.has(by, grants.Access.DASHBOARD):
        return _SAME_CUSTOMER, same
    past = " OR c.closed_at IS NOT NULL" if _is_past(db, by, conversation) else ""
    shared = "EXISTS (SELECT 1 FROM shares s WHERE s.conversation = c.id AND s.member = ?)"
    pending, values = takeable(by)
    mine = f"c.id = ? OR c.assignee = ? OR {shared}{past} OR {pending}"
    return f"{_SAME_CUSTOMER} AND ({mine})", (*same, conversation, by.id, by.id, *values)


def takeable(by: User) -> Filter:
    """Ask for the pending conversations that a user of the Chat Center may take."""
    if by.is_system:
        return "c.state = 'pending'", ()
    granted, granted_values = among("c.connection", by.connections)
    member, member_values = among("c.queue", by.queues)
    where = f"c.state = 'pending' AND (c.queue IS NULL AND {granted} OR {member})"
    return where, (*granted_values, *member_values)


def among(column: str, values: Collection[Any]) -> Filter:
    """Ask for one of some values."""
    return (f"{column} IN ({', '.join('?' * len(values))})", tuple(values)) if values else ("1 = 0", ())


def _is_past(db: Database, by: User, conversation: int) -> bool:
    """Tell whether a user works on a conversation with the same customer: who has to answer a customer reads what was
    said before, so that nobody is asked twice."""
    row = db.execute(
        f"SELECT 1 FROM conversations c WHERE {_SAME_CUSTOMER} AND c.assignee = ? AND c.closed_at IS NULL LIMIT 1",
        (conversation, conversation, by.id),
    ).fetchone()
    return row is not None


def _permit(allowed: bool, by: User, seen: Standing, what: str) -> None:
    if not allowed:
        whose = f", for it is {seen.assignee_name}'s" if seen.assignee_name else ""
        raise NotGrantedError(f"conversation {seen.id} may not be {what} by {by.name}{whose}")


def _save(
    db: Database, seen: Standing, after: Standing, by: User, what: Step, now: int, why: str = "",
) -> None:  # fmt: skip
    """Write how a conversation stands after a step, the interval of work that ended with it, and the log."""
    _write(db, after)
    if seen.working_since is not None and seen.working_since != after.working_since:
        db.execute(
            "INSERT INTO intervals (conversation, member, began_at, ended_at) VALUES (?,?,?,?)",
            (seen.id, seen.assignee, seen.working_since, now),
        )
    told = {"state": after.state, "assignee": after.assignee, "queue": after.queue, "version": after.version}
    log.changed(db, by.id, now, log.CONVERSATION, seen.id, what, why, told)


def _write(db: Database, after: Standing) -> None:
    db.execute(
        "UPDATE conversations SET state = ?, assignee = ?, queue = ?, hold = ?, description = ?, version = ?,"
        " open_for = ?, expires_at = ?, due_at = ?, assigned_at = ?, worked = ?, working_since = ?, ended_at = ?,"
        " closed_at = ?, reason = ? WHERE id = ?",
        (after.state, after.assignee, after.queue, after.hold, after.description, after.version, after.open_for,
         after.expires_at, after.due_at, after.assigned_at, after.worked, after.working_since, after.ended_at,
         after.closed_at, after.reason, after.id),
    )  # fmt: skip
