"""The life of a conversation: its states, the steps between them, and how other products name them.

Pure functions on a frozen `Standing`; every time is given, in microseconds since 1970, UTC.
"""

from collections.abc import Mapping
from enum import StrEnum

from attrs import evolve, frozen

from channelry.model import Surface

from .errors import ClosedError, ConflictError, UndescribedError, UnsupportedError


class ConversationState(StrEnum):
    """Where a conversation stands; closed is terminal."""

    PENDING = "pending"
    ACTIVE = "active"
    WAITING = "waiting"
    WRAP_UP = "wrap-up"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a conversation is closed: an agent's word (`DONE`, `REJECTED`, `BARRED`), or the customer went silent
    (`INACTIVE`) or away (`ABANDONED`)."""

    DONE = "done"
    REJECTED = "rejected"
    ABANDONED = "abandoned"
    BARRED = "barred"
    INACTIVE = "inactive"


class Hold(StrEnum):
    """What a waiting conversation waits for; only messaging tells."""

    NONE = ""
    CUSTOMER = "customer"
    INTERNAL = "internal"


class InteractionType(StrEnum):
    """How customer and business meet."""

    CHAT = "chat"
    PHONE = "phone"
    WALK_UP = "walk-up"
    MESSAGING = "messaging"


class Center(StrEnum):
    """Which center a conversation belongs to."""

    CHAT = "chat"
    SOCIAL = "social"


class Step(StrEnum):
    """What moves a conversation on; the log has the same words."""

    ACCEPT = "accepted"
    REJECT = "rejected"
    ABANDON = "abandoned"
    RELEASE = "released"
    ASSIGN = "assigned"
    ESCALATE = "escalated"
    ROUTE = "routed"
    HOLD = "held"
    RESUME = "resumed"
    RETURN = "returned"
    END = "ended"
    CLOSE = "closed"
    BAR = "barred"
    EXPIRE = "expired"


class Vocabulary(StrEnum):
    """Whose words name a state: those of two centers, of an interaction record, or of streams of work items."""

    CENTERS = "centers"
    RECORD = "record"
    STREAMS = "streams"


_PENDING, _ACTIVE, _WAITING, _WRAP_UP, _CLOSED = ConversationState
_OPEN = tuple(state for state in ConversationState if state is not _CLOSED)
_HELD = (_ACTIVE, _WAITING)

NEXT: Mapping[Step, Mapping[ConversationState, ConversationState]] = {
    Step.ACCEPT: {_PENDING: _ACTIVE},
    Step.REJECT: {_PENDING: _CLOSED},
    Step.ABANDON: {_PENDING: _CLOSED},
    Step.RELEASE: dict.fromkeys(_HELD, _PENDING),
    Step.ASSIGN: dict.fromkeys((_PENDING, *_HELD), _ACTIVE),
    Step.ESCALATE: dict.fromkeys((_PENDING, *_HELD), _ACTIVE),
    Step.ROUTE: dict.fromkeys((_PENDING, *_HELD), _PENDING),
    Step.HOLD: {_ACTIVE: _WAITING},
    Step.RESUME: {_WAITING: _ACTIVE},
    Step.RETURN: {_WAITING: _PENDING},
    Step.END: dict.fromkeys(_HELD, _WRAP_UP),
    Step.CLOSE: dict.fromkeys(_OPEN, _CLOSED),
    Step.BAR: dict.fromkeys(_OPEN, _CLOSED),
    Step.EXPIRE: dict.fromkeys((_PENDING, *_HELD), _CLOSED),
}
"""Where each step leads, from each state that it is possible in."""

NAMES: Mapping[Vocabulary, Mapping[ConversationState, str]] = {
    Vocabulary.CENTERS: {
        _PENDING: "Pending", _ACTIVE: "Active", _WAITING: "Active", _WRAP_UP: "Active", _CLOSED: "Closed",
    },
    Vocabulary.RECORD: {
        _PENDING: "New", _ACTIVE: "Work in Progress", _WAITING: "On Hold", _WRAP_UP: "Wrap Up",
        _CLOSED: "Closed Complete",
    },
    Vocabulary.STREAMS: {
        _PENDING: "Open", _ACTIVE: "Active", _WAITING: "Waiting", _WRAP_UP: "Wrap-up", _CLOSED: "Closed",
    },
}  # fmt: skip
LEFT = frozenset({Reason.ABANDONED, Reason.INACTIVE})
"""Reasons by which a record counts as Closed Abandoned."""

_CLOCKED = frozenset({_ACTIVE, _WRAP_UP})
"""States in which an agent works: the duration runs."""
_REASONS = {
    Step.REJECT: Reason.REJECTED, Step.ABANDON: Reason.ABANDONED, Step.CLOSE: Reason.DONE, Step.BAR: Reason.BARRED,
    Step.EXPIRE: Reason.INACTIVE,
}  # fmt: skip
_SOCIAL = frozenset({Surface.COMMENT, Surface.MENTION})
_TYPES = {Surface.CALL: InteractionType.PHONE, Surface.WALK_UP: InteractionType.WALK_UP}
CHAT_SCHEME = "webchat"
"""The scheme of addresses that live as long as a visit: what is written there is chat, all else messaging."""


@frozen(kw_only=True)
class Standing:
    """What the rules need to know of a conversation, and all that they change.

    - `assignee`: whose it is, closed ones included (0: a program); `assignee_name`: for people to read.
    - `open_for`: how long it stays open without a message from the customer; `expires_at`: the moment that makes.
    - `due_at`: when the clock looks at it next: in wrap-up its end, else never later than `expires_at`; None if closed.
    - `assigned_at`: when it was first somebody's. `worked`: how long it was worked on before `working_since`.
    - `ended_at`: since when the customer's next message belongs to another conversation.
    """

    id: int
    connection: str
    surface: Surface
    type: InteractionType
    state: ConversationState
    assignee: int | None
    assignee_name: str = ""
    queue: int | None
    hold: Hold
    description: str
    version: int
    open_for: int
    expires_at: int
    due_at: int | None
    assigned_at: int | None
    worked: int
    working_since: int | None
    ended_at: int | None
    closed_at: int | None
    reason: str


def center(surface: Surface) -> Center:
    """Tell a center from where the customer wrote."""
    return Center.SOCIAL if surface in _SOCIAL else Center.CHAT


def interaction_type(surface: Surface, scheme: str) -> InteractionType:
    """Tell the type of an interaction from where it happens and the scheme of the customer's address."""
    return _TYPES.get(surface, InteractionType.CHAT if scheme == CHAT_SCHEME else InteractionType.MESSAGING)


def named(state: ConversationState, reason: str, vocabulary: Vocabulary) -> str:
    """Name a state in a vocabulary."""
    if state is _CLOSED and vocabulary is Vocabulary.RECORD and reason in LEFT:
        return "Closed Abandoned"
    return NAMES[vocabulary][state]


def is_over(seen: Standing, now: int) -> bool:
    """Tell whether a conversation is closed, or would be, had the clock been looked at."""
    return seen.state is _CLOSED or now > _deadline(seen)


def _deadline(seen: Standing) -> int:
    if seen.state is _WRAP_UP and seen.due_at is not None:
        return seen.due_at
    return seen.expires_at


def require_open(seen: Standing, now: int) -> None:
    """Raise ClosedError for a conversation that is over."""
    if is_over(seen, now):
        raise ClosedError(f"conversation {seen.id} is closed")


def require_described(seen: Standing, what: str) -> None:
    """Raise UndescribedError where the short description, which agents owe, is blank."""
    if not seen.description:
        raise UndescribedError(f"conversation {seen.id} has no short description: it cannot be {what}")


def require_center(seen: Standing, needed: Center, what: str) -> None:
    """Raise UnsupportedError for what the conversation's center lacks."""
    if center(seen.surface) is not needed:
        raise UnsupportedError(f"the {center(seen.surface)} center has no {what}")


def expect(seen: Standing, version: int | None) -> None:
    """Raise ConflictError where the conversation is not as the caller saw it; None: the caller does not care."""
    if version is not None and version != seen.version:
        raise ConflictError(f"conversation {seen.id} has changed{_by(seen)}: version {seen.version}, not {version}")


def moved(
    seen: Standing, step: Step, now: int, *, assignee: int | None = None, queue: int | None = None,
    open_for: int | None = None, hold: Hold = Hold.NONE, wrap_up: int = 0,
) -> Standing:  # fmt: skip
    """Give how a conversation stands after a step; ConflictError where the step does not lead on from its state.

    - `assignee`: whose it becomes (accept, assign, escalate); `hold`: what it waits for.
    - `queue`, `open_for`: where it is routed to, and for how long it stays open there.
    - `wrap_up`: how long the wrap-up may last (end); 0: there is none, and it is closed.
    """
    state = NEXT[step].get(seen.state)
    if state is None:
        raise ConflictError(
            f"conversation {seen.id} is {seen.state}{_by(seen)} (version {seen.version}): it cannot be {step}"
        )
    if hold and seen.type is not InteractionType.MESSAGING:
        raise UnsupportedError(f"a {seen.type} conversation waits for no reason that is told")
    reason = _REASONS.get(step, "")
    if step is Step.END and not wrap_up:
        state, reason = _CLOSED, Reason.DONE
    whose = None if state is _PENDING else seen.assignee if assignee is None else assignee
    patience = seen.open_for if open_for is None else open_for
    expires_at = seen.expires_at - seen.open_for + patience
    due_at = {_CLOSED: None, _WRAP_UP: now + wrap_up}.get(state, seen.due_at if open_for is None else expires_at)
    after = evolve(
        seen, state=state, assignee=whose, queue=seen.queue if queue is None else queue, hold=hold,
        version=seen.version + 1, open_for=patience, expires_at=expires_at, due_at=due_at, reason=reason,
        assigned_at=now if seen.assigned_at is None and assignee is not None else seen.assigned_at,
        ended_at=now if state in (_WRAP_UP, _CLOSED) and seen.ended_at is None else seen.ended_at,
        closed_at=now if state is _CLOSED else None,
    )  # fmt: skip
    return _clocked(seen, after, now)


def _clocked(seen: Standing, after: Standing, now: int) -> Standing:
    """Let the duration run while somebody works, each interval one agent's."""
    runs = after.state in _CLOCKED
    if seen.working_since is not None and runs and after.assignee == seen.assignee:
        return after
    interval = 0 if seen.working_since is None else max(0, now - seen.working_since)
    return evolve(after, worked=seen.worked + interval, working_since=now if runs else None)


def answered(seen: Standing, present: bool, now: int) -> Standing:
    """Give how a waiting conversation stands when its customer writes: active if its agent is there, else pending."""
    return moved(seen, Step.RESUME if present else Step.RETURN, now)


def looked_at(seen: Standing, now: int) -> tuple[Standing, Step | None]:
    """Give how a conversation that is due stands after a look at the clock, and the step that takes it there.

    A customer's message moves only `expires_at`, which no index has to follow: so a look may find it open still.
    """
    if not is_over(seen, now):
        return evolve(seen, due_at=_deadline(seen)), None
    step = Step.CLOSE if seen.state is _WRAP_UP else Step.EXPIRE
    return moved(seen, step, now), step


def _by(seen: Standing) -> str:
    return f" and {seen.assignee_name}'s" if seen.assignee_name else ""
