"""What the desk shows, as frozen values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

from attrs import frozen

from channelry.model import Address, Part, Request, Status

from .rules import CallState, ConversationState

_Row = TypeVar("_Row")

ANONYMOUS = "Anonymous"


@frozen
class Page(Generic[_Row]):
    """Some rows, newest first; `cursor` leads to the next ones, `""` at the end."""

    rows: Sequence[_Row]
    cursor: str = ""


@frozen(kw_only=True)
class Customer:
    """A person over all channels."""

    id: int
    first_name: str
    last_name: str
    email: str
    phone: str
    company: str
    address: str


@frozen(kw_only=True)
class Conversation:
    """What one customer and the business say to each other at one place of one connection, until it is closed.

    - `customer`: the person, where the profile is recorded as theirs (`recognized`), else None; `candidate`: whom a
      recognizer took them for without being certain.
    - `name`: as the channel tells it, or `""`; `opted_out_at`: since when they wish to hear nothing.
    - `place`: `""` for direct messages, else the comment, group or topic.
    - `expires_at`: it closes by itself after this moment unless the customer writes.
    - `language`: of the last message that told it; `sentiment`: mean of the last six, -1 to 1; both unknown at first.
    - `last_text`: the last message, shortened; `delivery`: how far our last call has got, None where we never wrote.
    """

    id: int
    connection: str
    profile: int
    address: Address
    name: str
    customer: Customer | None
    candidate: str
    opted_out_at: datetime | None
    place: str
    surface: str
    state: ConversationState
    assignee: str
    version: int
    opened_at: datetime
    expires_at: datetime
    last_customer_at: datetime | None
    last_message_at: datetime
    closed_at: datetime | None
    reason: str
    language: str
    sentiment: float | None
    last_text: str
    delivery: Status | None

    @property
    def recognized(self) -> bool:
        """Whether the customer is known."""
        return self.customer is not None

    @property
    def title(self) -> str:
        """The customer's name, or Anonymous: what a channel tells of itself proves nobody's identity."""
        if self.customer is None:
            return ANONYMOUS
        return " ".join(filter(None, (self.customer.first_name, self.customer.last_name))) or self.customer.email


@frozen(kw_only=True)
class Delivery:
    """One call of a message that we sent: where it stands in the outbox, and how far it got at the provider."""

    call: int
    key: str
    state: CallState
    status: Status
    attempts: int
    external_ids: tuple[str, ...]
    code: str
    reason: str
    decided_by: str


@frozen(kw_only=True)
class File:
    """One file of a message: `state` is pending, stored, failed or expired; `name`: in the desk's folder of files."""

    part: int
    state: str
    name: str
    reason: str


@frozen(kw_only=True)
class Reaction:
    """Somebody's reaction to a message."""

    actor: str
    emoji: str


@frozen(kw_only=True)
class Message:
    """One message: `direction` is in, out, or echo (the business wrote it elsewhere); `author`: the agent."""

    id: int
    conversation: int
    key: str
    external_id: str
    direction: str
    author: str
    occurred_at: datetime
    text: str
    parts: tuple[Part, ...]
    edited_at: datetime | None
    deleted_at: datetime | None
    language: str
    sentiment: float | None
    deliveries: tuple[Delivery, ...]
    files: tuple[File, ...]
    reactions: tuple[Reaction, ...]


@frozen(kw_only=True)
class Uncertain:
    """A call that may or may not have been taken: a person decides."""

    call: int
    conversation: int
    connection: str
    to: Address
    text: str
    reason: str
    since: datetime | None


@frozen(kw_only=True)
class DeadLetter:
    """What could not be understood or applied; `settled_at`: when a replay succeeded."""

    id: int
    connection: str
    key: str
    type: str
    reason: str
    recorded_at: datetime
    settled_at: datetime | None
    journal: int | None


@frozen(kw_only=True)
class JournalEntry:
    """One verified raw request."""

    id: int
    connection: str
    request: Request
