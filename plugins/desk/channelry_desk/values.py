"""What the desk shows, as frozen values."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from attrs import frozen

from channelry.model import Address, Part, Request, Status, Surface

from .rules import CallState
from .states import Center, ConversationState, Hold, InteractionType, center

_Row = TypeVar("_Row")

ANONYMOUS = "Anonymous"


@frozen
class Page(Generic[_Row]):
    """Some rows, newest first; `cursor` leads to the next ones, `""` at the end."""

    rows: Sequence[_Row]
    cursor: str = ""


@frozen
class Named:
    """A user, a queue or the like, by its id and its name."""

    id: int
    name: str


def person(number: int, first_name: str | None, last_name: str | None) -> Named:
    """Give a user by the names on record; who has none there is a program."""
    return Named(number, "system" if first_name is None else f"{first_name} {last_name}".strip())


@frozen(kw_only=True)
class Change:
    """One entry of the log: `who` (0: a program, or a customer) changed the `subject` of a `kind`."""

    number: int
    at: datetime
    who: Named
    kind: str
    subject: int
    what: str
    why: str
    data: Mapping[str, Any]


@frozen(kw_only=True)
class Interval:
    """A time in which a user worked on a conversation."""

    by: Named
    began_at: datetime
    ended_at: datetime


@frozen(kw_only=True)
class Task:
    """An incident, a case or a request that a conversation is about; `how`: it was viewed, or created, there.

    - `store`, `reference`, `url`: the plugin that keeps it, its id there, and where to see it; `""` where we keep it.
    """

    id: int
    kind: str
    title: str
    how: str
    by: Named
    at: datetime
    store: str
    reference: str
    url: str


@frozen(kw_only=True)
class Customer:
    """A person over all channels; `version` rises with every change; `barred_at`: since when they are ignored."""

    id: int
    first_name: str
    last_name: str
    email: str
    phone: str
    company: Named | None
    address: str
    version: int
    barred_at: datetime | None

    @property
    def name(self) -> str:
        """What they are called, by their e-mail address where they have no name."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.email


@frozen(kw_only=True)
class Company:
    """A business that customers belong to; `contact`: the customer who speaks for it."""

    id: int
    name: str
    phone: str
    address: str
    contact: int | None
    version: int


@frozen(kw_only=True)
class KnownProfile:
    """One person on one channel.

    - `dropped`: how many events of theirs were ignored while they were barred.
    """

    id: int
    channel: str
    address: Address
    name: str
    customer: int | None
    barred_at: datetime | None
    dropped: int
    opted_out_at: datetime | None


@frozen(kw_only=True)
class Candidate:
    """A customer whom a profile may belong to: what speaks for it, and whether that is certain."""

    customer: Customer
    evidence: tuple[str, ...]
    certain: bool
    weight: int


@frozen(kw_only=True)
class Visit:
    """One step of a customer before they wrote: a page visited, a phrase searched, an article viewed, or the like."""

    name: str
    at: datetime
    told: Mapping[str, str]


@frozen(kw_only=True)
class Visitor:
    """What a web chat knows of who is there; `authenticated`: they had signed in."""

    authenticated: bool
    browser: str
    system: str
    location: str
    language: str


@frozen(kw_only=True)
class Subject:
    """What conversations are about: one entry of a level, 1 to 3, below its `parent`, None: of the first level."""

    id: int
    name: str
    level: int
    parent: int | None


@frozen(kw_only=True)
class Field:
    """A custom field of conversations: `kind` is text, number, date, flag (yes, no) or choice, of its `choices`."""

    id: int
    name: str
    kind: str
    choices: tuple[str, ...]
    initial: str
    editable: bool


@frozen
class FieldValue:
    """What a conversation has of a field: what was saved, else the field's default."""

    field: Field
    value: str


@frozen(kw_only=True)
class Answer:
    """A quick answer: a text with placeholders, and files by the names they are kept under; `language` "": of any.
    `version` rises with every change."""

    id: int = 0
    version: int = 0
    category: str
    title: str
    language: str = ""
    text: str = ""
    files: tuple[str, ...] = ()


@frozen(kw_only=True)
class Note:
    """What a colleague left for whoever works on a conversation next."""

    id: int
    by: Named
    at: datetime
    text: str


@frozen(kw_only=True)
class Details:
    """What is noted about a conversation, and what is known of who is there.

    - `subject`: the path of three levels, or empty; `answers`: to the survey before the chat; `trail`: what the
      customer did before, the newest first; `context`: variables that the page passed on.
    """

    tags: tuple[Named, ...]
    skills: tuple[Named, ...]
    subject: tuple[Named, ...]
    fields: tuple[FieldValue, ...]
    notes: tuple[Note, ...]
    answers: Mapping[str, str]
    trail: tuple[Visit, ...]
    visitor: Visitor
    context: Mapping[str, str]


@frozen(kw_only=True)
class Conversation:
    """What one customer and the business say to each other at one place of one connection, until it is closed.

    - `customer`: the person, where the profile is recorded as theirs (`recognized`), else None; `candidate`: whom a
      recognizer took them for without being certain.
    - `name`: as the channel tells it, or `""`; `opted_out_at`: since when they wish to hear nothing.
    - `place`: `""` for direct messages, else the comment, group or topic.
    - `assignee`: whose it is, or was when it was closed; `opened_by`: the agent who wrote first, None: the customer.
    - `hold`: what it waits for; `reason`: why it is closed; `description`: in the agent's words, short.
    - `expires_at`: it closes by itself after this moment unless the customer writes.
    - `assigned_at`, `responded_at`: when it first was somebody's, and was first answered.
    - `worked`: how long agents worked on it, without what runs since `working_since`.
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
    surface: Surface
    type: InteractionType
    state: ConversationState
    assignee: Named | None
    queue: Named | None
    hold: Hold
    description: str
    version: int
    opened_by: Named | None
    opened_at: datetime
    expires_at: datetime
    last_customer_at: datetime | None
    last_message_at: datetime
    assigned_at: datetime | None
    responded_at: datetime | None
    worked: timedelta
    working_since: datetime | None
    closed_at: datetime | None
    archived_at: datetime | None
    reason: str
    language: str
    sentiment: float | None
    last_text: str
    delivery: Status | None

    @property
    def number(self) -> str:
        """The number that people call it by."""
        return number(self.id)

    @property
    def center(self) -> Center:
        """The center that it belongs to."""
        return center(self.surface)

    @property
    def wait_to_assignment(self) -> timedelta | None:
        """How long it waited until it was somebody's, None: it waits still."""
        return None if self.assigned_at is None else self.assigned_at - self.opened_at

    @property
    def wait_to_response(self) -> timedelta | None:
        """How long it waited for the first answer, None: it waits still."""
        return None if self.responded_at is None else self.responded_at - self.opened_at

    def duration(self, now: datetime) -> timedelta:
        """Give how long agents have worked on it until now."""
        return self.worked + (timedelta() if self.working_since is None else now - self.working_since)

    @property
    def recognized(self) -> bool:
        """Whether the customer is known."""
        return self.customer is not None

    @property
    def title(self) -> str:
        """The customer's name, or Anonymous: what a channel tells of itself proves nobody's identity."""
        return ANONYMOUS if self.customer is None else self.customer.name or ANONYMOUS


_NUMBER = re.compile(r"C-(\d{6,18})", re.ASCII | re.IGNORECASE)


def number(conversation: int) -> str:
    """Give the number of a conversation, as people read it to each other."""
    return f"C-{conversation:06}"


def numbered(text: str) -> int | None:
    """Give the id of the conversation that a text is the number of, None where it is none."""
    found = _NUMBER.fullmatch(text.strip())
    return None if found is None else int(found[1])


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
class Document:
    """One file of a conversation: `title`: as it was called, `name`: as it is kept, `""` where it is not (`state`)."""

    id: int
    conversation: int
    message: int
    direction: str
    at: datetime
    kind: str
    title: str
    media_type: str
    size: int | None
    state: str
    name: str


@frozen(kw_only=True)
class Reaction:
    """Somebody's reaction to a message."""

    actor: str
    emoji: str


@frozen(kw_only=True)
class Message:
    """One message, or what an agent did to one.

    - `direction`: in, out, echo (the business wrote it elsewhere), or act (an edit, a deletion, a reaction, …).
    - `author`: the agent; `album`: the same in all messages that belong together as one.
    """

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
    hidden_at: datetime | None
    album: str
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


class Replayed(StrEnum):
    """What came of trying a dead letter again: applied; asked about again, and settled once that succeeds; as dead as
    before."""

    SETTLED = "settled"
    ASKED = "asked"
    DEAD = "dead"


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
