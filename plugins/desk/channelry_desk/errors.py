"""What the desk refuses, each with a code that programs may rely on."""

from typing import ClassVar

from channelry.errors import ChannelryError


class DeskError(ChannelryError):
    """The root of the desk's refusals; `code` is stable."""

    code: ClassVar[str] = "desk"


class NotFoundError(DeskError):
    """There is no such row."""

    code = "not_found"


class NotGrantedError(DeskError):
    """The acting user may not do that."""

    code = "not_granted"


class ConflictError(DeskError):
    """Somebody else was faster; the message names who, and the version that holds now."""

    code = "conflict"


class ClosedError(DeskError):
    """The conversation is closed, for good: the customer's next message opens another one."""

    code = "closed"


class IncompleteError(DeskError):
    """Something that is required is missing."""

    code = "incomplete"


class UndescribedError(IncompleteError):
    """The short description is blank, and agents owe it before they save, close, relate a task or archive."""

    code = "undescribed"


class UnsupportedError(DeskError):
    """The channel, the center or the type of the conversation has no such thing; the message says why."""

    code = "unsupported"


class BarredError(DeskError):
    """The customer is barred: nothing of theirs is heard, so nothing is begun with them."""

    code = "barred"


class UnknownError(DeskError):
    """There is no such tag, subject, skill, field or quick answer among those that administrators define."""

    code = "unknown"


class UnavailableError(DeskError):
    """Another system that has to be asked gave no answer; try again later."""

    code = "unavailable"


class StoreError(DeskError):
    """The store cannot be used as it is: of a newer version, not durable, too busy, or closing."""

    code = "store"


def expect(what: str, found: int, seen: int | None) -> None:
    """Raise ConflictError where something is of another version than its caller saw; None: they do not care."""
    if seen is not None and seen != found:
        raise ConflictError(f"{what} has changed: version {found}, not {seen}")
