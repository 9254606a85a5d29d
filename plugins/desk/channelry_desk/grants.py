"""Who may do what: pure functions on the acting user, deny by default."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from attrs import frozen

from .errors import NotGrantedError
from .states import ConversationState, Standing, Step


class Access(StrEnum):
    """The sections that a user may enter; none by default.

    - `ADMINISTRATION`: users, and what the organisation defines. `CHAT_CENTER`: to work on conversations.
    - `DASHBOARD`: to read all of them, to see to it that somebody has them, and be escalated to: a supervisor's.
    """

    ADMINISTRATION = "administration"
    CHAT_CENTER = "chat-center"
    DASHBOARD = "dashboard"


@frozen(kw_only=True)
class User:
    """Somebody who acts, with all that they are granted.

    - `connections`: whose conversations they may take; `queues`, `groups`: those they are members of, by id.
    - `version`: rises with every change of what they are granted.
    - `present`: at work now, so that a customer's message finds them; `disabled`: may do nothing any more.
    """

    id: int
    name: str
    email: str = ""
    short_code: str = ""
    access: frozenset[Access] = frozenset()
    connections: frozenset[str] = frozenset()
    queues: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    present: bool = False
    disabled: bool = False
    version: int = 0

    @property
    def is_system(self) -> bool:
        """Whether a program acts on its own account, which has every right."""
        return self.id == SYSTEM_ID


SYSTEM_ID = 0
SYSTEM = User(id=SYSTEM_ID, name="system", access=frozenset(Access), present=True)
"""The user of programs: of the clock, of commands, of an answering program."""


def has(by: User, access: Access) -> bool:
    """Tell whether a user may enter a section."""
    return by.is_system or (access in by.access and not by.disabled)


def may_take(by: User, connection: str, queue: int | None) -> bool:
    """Tell whether a user may take a conversation: as a member of its queue, or of none by its connection's grant."""
    if by.is_system:
        return True
    return has(by, Access.CHAT_CENTER) and (connection in by.connections if queue is None else queue in by.queues)


def may_be_given(to: User, connection: str) -> bool:
    """Tell whether a conversation may be assigned to a user: whoever is granted its connection."""
    return has(to, Access.CHAT_CENTER) and (to.is_system or connection in to.connections)


def may_act(by: User, seen: Standing) -> bool:
    """Tell whether a user may work on a conversation: only its assignee."""
    return by.is_system or (has(by, Access.CHAT_CENTER) and seen.assignee == by.id)


def may_direct(by: User, seen: Standing) -> bool:
    """Tell whether a user may say who has a conversation: its assignee, a supervisor, and who may take it."""
    if seen.state is ConversationState.PENDING and may_take(by, seen.connection, seen.queue):
        return True
    return may_act(by, seen) or has(by, Access.DASHBOARD)


def may_read(by: User, seen: Standing, shared: bool) -> bool:
    """Tell whether a user may read a conversation: its assignee, whom it is shared with, supervisors; a pending one
    also whoever may take it."""
    if seen.state is ConversationState.PENDING and may_take(by, seen.connection, seen.queue):
        return True
    mine = has(by, Access.CHAT_CENTER) and (seen.assignee == by.id or shared)
    return mine or has(by, Access.DASHBOARD)


def _may_take(by: User, seen: Standing) -> bool:
    return may_take(by, seen.connection, seen.queue)


def _is_system(by: User, seen: Standing) -> bool:
    return by.is_system


STEPS: Mapping[Step, Callable[[User, Standing], bool]] = {
    Step.ACCEPT: _may_take,
    Step.REJECT: _may_take,
    Step.ABANDON: _is_system,
    Step.RELEASE: may_direct,
    Step.ASSIGN: may_direct,
    Step.ESCALATE: may_direct,
    Step.ROUTE: may_direct,
    Step.HOLD: may_act,
    Step.RESUME: may_act,
    Step.END: may_act,
    Step.CLOSE: may_act,
}
"""Who may take each step; what is not here is the clock's and the customers'."""


def may_step(by: User, step: Step, seen: Standing) -> bool:
    """Tell whether a user may take a step."""
    return STEPS.get(step, _is_system)(by, seen)


def require(allowed: bool, by: User, what: str) -> None:
    """Raise NotGrantedError, which says what was not allowed to whom, unless it is."""
    if not allowed:
        raise NotGrantedError(f"{by.name} may not {what}")


def require_access(by: User, access: Access) -> None:
    """Raise NotGrantedError unless the user may enter a section."""
    require(has(by, access), by, f"enter {access}")


def require_inside(by: User) -> None:
    """Raise NotGrantedError for a user who may enter no section at all."""
    require(any(has(by, access) for access in Access), by, "enter any section")
