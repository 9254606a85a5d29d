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


@frozen(kw_only=True)
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


@frozen(kw_only=True)
class Quote:
    """The message (or story) that a customer's message answers; `text` and `url` where the provider gives them."""

    external_id: str
    text: str = ""
    url: str = ""


@frozen(kw_only=True)
class Referral:
    """What led the customer here: an ad, a link, a QR code."""

    source: str
    ref: str = ""
    url: str = ""
    title: str = ""


@frozen(kw_only=True)
class Occurrence:
    """What every event has.

    - `account`: the provider's id of *our* account (phone number id, page id), which the hub maps to a
      connection; `""` stands for the connection that the event came in by.
    - `key`: the dedupe key, the same on every redelivery, distinct for distinct events of a connection.
    - `occurred_at`: aware, UTC, by the provider's clock (`request.received_at` where it gives no time).
    """

    account: str = ""
    key: str
    occurred_at: datetime


@frozen(kw_only=True)
class MessageReceived(Occurrence):
    """A customer wrote. Captions are `text`; `reply_address` is where an answer goes when not to the sender.

    `album` joins parts that arrive in several webhooks; `context` is the channel's own, opaque to everybody
    else, and comes back with the answer (`Target.context`).
    """

    sender: Profile
    external_id: str
    text: str = ""
    parts: tuple[Part, ...] = ()
    reply_to: Quote | None = None
    referral: Referral | None = None
    surface: Surface = Surface.DIRECT
    thread: Thread | None = None
    reply_address: Address | None = None
    album: str = ""
    forwarded: bool = False
    context: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class MessageEdited(Occurrence):
    """A customer changed a message of theirs; `text` and `parts` replace the old ones."""

    sender: Address
    external_id: str
    text: str = ""
    parts: tuple[Part, ...] = ()


@frozen(kw_only=True)
class MessageDeleted(Occurrence):
    """A customer (or a moderator, `sender` None) took a message back: every copy of it must go."""

    external_id: str
    sender: Address | None = None


@frozen(kw_only=True)
class ReactionChanged(Occurrence):
    """A customer's reaction to the message `external_id` is now `emoji`; `""` means that it was taken back."""

    sender: Address
    external_id: str
    emoji: str


@frozen(kw_only=True)
class Typing(Occurrence):
    """A customer began (`on`) or ceased to write."""

    sender: Address
    on: bool = True


@frozen(kw_only=True)
class ReadUpTo(Occurrence):
    """A customer has read everything that we sent up to `until`, or up to the message `external_id`."""

    sender: Address
    until: datetime | None = None
    external_id: str = ""


@frozen(kw_only=True)
class DeliveredUpTo(Occurrence):
    """Everything that we sent to a customer up to `until` has arrived, and the messages `external_ids`."""

    sender: Address
    until: datetime | None = None
    external_ids: tuple[str, ...] = ()


@frozen(kw_only=True)
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


@frozen(kw_only=True)
class IdentityChanged(Occurrence):
    """One person's address became another one (a new phone number, a group that became a supergroup)."""

    old: Address
    new: Address
    reason: str = ""


@frozen(kw_only=True)
class OptedIn(Occurrence):
    """A customer subscribed, unblocked us, or agreed to `topic`."""

    sender: Address
    topic: str = ""
    referral: Referral | None = None


@frozen(kw_only=True)
class OptedOut(Occurrence):
    """A customer unsubscribed, blocked us, or withdrew from `topic`: nothing more may be sent."""

    sender: Address
    topic: str = ""


@frozen(kw_only=True)
class CallRecord(Occurrence):
    """Something became known of a telephone call: its state, its recording, its transcript."""

    caller: Address
    external_id: str
    state: str
    seconds: float | None = None
    recording: Media | None = None
    transcript: str = ""
    context: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class EchoSent(Occurrence):
    """The business wrote, but elsewhere: in the provider's own app or by another program."""

    recipient: Address
    external_id: str
    text: str = ""
    parts: tuple[Part, ...] = ()


@frozen(kw_only=True)
class AccountHealth(Occurrence):
    """The provider tells something of our account: a revoked token, a lost right, a lowered limit."""

    code: str
    detail: str = ""
    healthy: bool = False


@frozen(kw_only=True)
class Unparsed(Occurrence):
    """A row that was signed but not understood; the application shows it and can replay it.

    - `reason`: why, without any content of the row; `raw`: the row as the provider sent it.
    """

    reason: str
    raw: bytes

    @classmethod
    def of(cls, reason: str, raw: bytes, occurred_at: datetime) -> "Unparsed":
        """Make one whose key is a hash of the raw bytes, so that a redelivered row stays one row."""
        digest = hashlib.sha256(raw).hexdigest()
        return cls(key=f"unparsed:{digest}", occurred_at=occurred_at, reason=reason, raw=raw)


Event: TypeAlias = (
    MessageReceived | MessageEdited | MessageDeleted | ReactionChanged | Typing | ReadUpTo | DeliveredUpTo
    | StatusChanged | IdentityChanged | OptedIn | OptedOut | CallRecord | EchoSent | AccountHealth | Unparsed
)  # fmt: skip
EVENT_TYPES: frozenset[type] = frozenset(get_args(Event))
