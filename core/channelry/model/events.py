"""What happens on a channel: one frozen class per kind of event, in one tagged union.

What is common to a request (connection, time of arrival, raw bytes) stands once, on `Received`.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, get_args

from attrs import field, frozen

from .address import Address, Profile
from .content import Media, Part
from .receipts import Status


class Surface(StrEnum):
    """Where a customer wrote; direct surfaces are the Chat Center's, comments and mentions the Social Center's."""

    DIRECT = "direct"
    COMMENT = "comment"
    MENTION = "mention"
    EMAIL = "email"
    CALL = "call"
    WALK_UP = "walk-up"


@frozen(kw_only=True, slots=False)
class Thread:
    """Where in a tree of messages one stands.

    - `root`: id of the post, topic, group chat or first message; `parent`: id of what it answers, or `""`.
    - `depth`: 1 for a first-level comment; `permalink`: its public page, or `""`.
    - `private`: False where everybody can read it.
    """

    root: str
    parent: str = ""
    depth: int = 0
    permalink: str = ""
    private: bool = True


@frozen(kw_only=True, slots=False)
class Quote:
    """The message (or story) that a customer's message answers; `text` and `url` where the provider gives them."""

    external_id: str
    text: str = ""
    url: str = ""


@frozen(kw_only=True, slots=False)
class Referral:
    """What led the customer here: an ad, a link, a QR code."""

    source: str
    ref: str = ""
    url: str = ""
    title: str = ""


@frozen(kw_only=True, slots=False)
class Occurrence:
    """What every event has. (Without slots a frozen value of twenty fields is made in three quarters of the time.)

    - `account`: the provider's id of *our* account (phone number id, page id), which the hub maps to a
      connection; `""` stands for the connection that the event came in by.
    - `key`: the dedupe key, the same on every redelivery, distinct for distinct events of a connection.
    - `occurred_at`: aware, UTC, by the provider's clock (`request.received_at` where it gives no time).
    """

    account: str = ""
    key: str
    occurred_at: datetime


@frozen(kw_only=True, slots=False)
class MessageReceived(Occurrence):
    """A customer wrote. Captions are `text`; `reply_address` is where an answer goes when not to the sender.

    `html` is the same text as it came, unsafe; `copies` are others who got it (Cc); `automatic`: a program wrote it
    (out of office, newsletter, bot), so no program may answer. `album` joins parts that arrive in several webhooks;
    `context` is the channel's own, opaque to everybody else, and comes back with the answer (`Target.context`).
    """

    sender: Profile
    external_id: str
    subject: str = ""
    text: str = ""
    html: str = ""
    parts: tuple[Part, ...] = ()
    reply_to: Quote | None = None
    referral: Referral | None = None
    surface: Surface = Surface.DIRECT
    thread: Thread | None = None
    reply_address: Address | None = None
    copies: tuple[Address, ...] = ()
    automatic: bool = False
    album: str = ""
    forwarded: bool = False
    context: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True, slots=False)
class MessageEdited(Occurrence):
    """A customer changed a message of theirs; `text` and `parts` replace the old ones."""

    sender: Address
    external_id: str
    text: str = ""
    parts: tuple[Part, ...] = ()


@frozen(kw_only=True, slots=False)
class MessageDeleted(Occurrence):
    """A customer (or somebody unnamed: a moderator) took a message back: every copy of it must go."""

    external_id: str
    sender: Address | None = None


@frozen(kw_only=True, slots=False)
class ReactionChanged(Occurrence):
    """A customer reacted to the message `external_id`, or (`on` False) took `emoji` back; `""`: all of theirs.

    Where `Capabilities.reactions` is 1 a new reaction replaces the old. `reaction_id`: its own id, where it has one
    that a later MessageDeleted may name.
    """

    sender: Address
    external_id: str
    emoji: str
    on: bool = True
    reaction_id: str = ""


@frozen(kw_only=True, slots=False)
class Typing(Occurrence):
    """A customer began (`on`) or ceased to write."""

    sender: Address
    on: bool = True


@frozen(kw_only=True, slots=False)
class ReadUpTo(Occurrence):
    """A customer has read everything that we sent up to `until`, or up to the message `external_id`."""

    sender: Address
    until: datetime | None = None
    external_id: str = ""


@frozen(kw_only=True, slots=False)
class DeliveredUpTo(Occurrence):
    """Everything that we sent to a customer up to `until` has arrived, and the messages `external_ids`."""

    sender: Address
    until: datetime | None = None
    external_ids: tuple[str, ...] = ()


@frozen(kw_only=True, slots=False)
class StatusChanged(Occurrence):
    """The provider tells how far one call of ours has got.

    - `external_id`: the provider's id from the receipt; `reference`: our `Call.key` where the provider echoes
      it (that settles ambiguous sends), else `""`.
    - `code`, `reason`: why it failed, in the provider's words.
    """

    external_id: str
    status: Status
    reference: str = ""
    recipient: Address | None = None
    code: str = ""
    reason: str = ""


@frozen(kw_only=True, slots=False)
class IdentityChanged(Occurrence):
    """One person's address became another one (a new phone number, a group that became a supergroup)."""

    old: Address
    new: Address
    reason: str = ""


@frozen(kw_only=True, slots=False)
class OptedIn(Occurrence):
    """A customer subscribed, unblocked us, or agreed to `topic`."""

    sender: Address
    topic: str = ""
    referral: Referral | None = None


@frozen(kw_only=True, slots=False)
class OptedOut(Occurrence):
    """A customer unsubscribed, blocked us, or withdrew from `topic`: nothing more may be sent."""

    sender: Address
    topic: str = ""


class CallState(StrEnum):
    """Where a telephone call stands."""

    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    MISSED = "missed"
    FAILED = "failed"


@frozen(kw_only=True, slots=False)
class CallRecord(Occurrence):
    """Something became known of a telephone call: its state, its recording, its transcript or a line of it.

    `caller` is the customer, also where we rang them (`inbound` False); `speaker`: `"customer"`, `"agent"` or `""`.
    """

    caller: Address
    external_id: str
    state: CallState
    inbound: bool = True
    speaker: str = ""
    seconds: float | None = None
    recording: Media | None = None
    transcript: str = ""
    context: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True, slots=False)
class EchoSent(Occurrence):
    """The business wrote: elsewhere, or (where the provider does not tell) perhaps by us, whose receipt names it.

    `recipient` is None where only the `thread` is known.
    """

    recipient: Address | None
    external_id: str
    thread: Thread | None = None
    text: str = ""
    parts: tuple[Part, ...] = ()


@frozen(kw_only=True, slots=False)
class Activity(Occurrence):
    """A customer did something else than write: opened the chat by a link, visited a page, filled in the survey.

    - `name`: `"opened"`, `"page"`, `"search"`, `"article"`, `"survey"`, `"visitor"`, `"joined"`, or the channel's own.
    - `values`: what is known of it, for people to read.
    """

    sender: Profile
    name: str
    values: Mapping[str, str] = field(factory=dict)
    referral: Referral | None = None


@frozen(kw_only=True, slots=False)
class Announced(Occurrence):
    """A webhook that only names what happened (a mention, an invitation); what `expand` gives takes its place."""

    what: str
    ids: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True, slots=False)
class AccountHealth(Occurrence):
    """The provider tells something of our account: a revoked token, a lost right, a lowered limit."""

    code: str
    detail: str = ""
    healthy: bool = False


@frozen(kw_only=True, slots=False)
class Unparsed(Occurrence):
    """A row that was signed but not understood; the application shows it and can replay it.

    - `reason`: why, without any content of the row; `raw`: the row as the provider sent it.
    """

    reason: str
    raw: bytes

    @classmethod
    def of(cls, reason: str, raw: bytes, occurred_at: datetime, account: str = "") -> "Unparsed":
        """Make one whose key is a hash of the raw bytes, so that a redelivered row stays one row."""
        key = f"unparsed:{hashlib.sha256(raw).hexdigest()}"
        return cls(account=account, key=key, occurred_at=occurred_at, reason=reason, raw=raw)


Event: TypeAlias = (
    MessageReceived | MessageEdited | MessageDeleted | ReactionChanged | Typing | ReadUpTo | DeliveredUpTo
    | StatusChanged | IdentityChanged | OptedIn | OptedOut | CallRecord | EchoSent | Activity | Announced
    | AccountHealth | Unparsed
)  # fmt: skip
EVENT_TYPES: frozenset[type] = frozenset(get_args(Event))
