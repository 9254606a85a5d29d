# mypy: disable-error-code="empty-body"
"""The hooks by which a ticket system keeps the tasks that conversations are about.

A plugin marks them `@hookimpl(optionalhook=True)`, so that it also loads where no desk is installed. Where none has
them, or none answers, the desk keeps the tasks itself.
"""

from enum import StrEnum

from attrs import frozen

from channelry.plugin import hookspec


class TaskKind(StrEnum):
    """What an agent makes of a conversation."""

    INCIDENT = "incident"
    CASE = "case"
    REQUEST = "request"


@frozen(kw_only=True)
class NewTask:
    """What is to be done: `title` in one line, `text` at length; `conversation`: the number it came up in.

    - `key`: the same for the same task, also when it is asked for again because the answer was lost.
    """

    key: str
    kind: TaskKind
    title: str
    text: str
    conversation: str


@frozen(kw_only=True)
class StoredTask:
    """A task in the ticket system: its id there, its kind and title, and where people see it."""

    reference: str
    kind: TaskKind
    title: str
    url: str = ""


@hookspec
async def create_task(task: NewTask) -> StoredTask | None:
    """Create a task, once for each `key`; None leaves it to the next plugin, and in the end to the desk."""


@hookspec
async def read_task(reference: str) -> StoredTask | None:
    """Read a task, None where there is none of this id."""
