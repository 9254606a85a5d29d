"""What an application asks a channel to do, and the calls that a channel makes of it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from attrs import field, frozen

from .address import Address
from .content import Button, Contact, Kind, Location, Media, Sticker, Template
from .events import MessageReceived, Thread
from .receipts import Resend


class Audience(StrEnum):
    """Who may read it: the customer only, or everybody (a public answer to a comment)."""

    PRIVATE = "private"
    PUBLIC = "public"


@frozen(kw_only=True)
class Target:
    """Where an action goes and what it follows.

    - `to`: the recipient; `copies`: who gets a copy (Cc); `thread`: the tree to write in, where there is one.
    - `reply_to`, `reply_to_at`: external id and time of the message that is answered, or `""` and None.
    - `context`: what the channel stored with that message, handed back untouched.
    - `last_inbound_at`: when the customer last wrote, for session windows; None if never.
    """

    to: Address
    copies: tuple[Address, ...] = ()
    reply_to: str = ""
    reply_to_at: datetime | None = None
    context: Mapping[str, str] = field(factory=dict)
    last_inbound_at: datetime | None = None
    audience: Audience = Audience.PRIVATE
    thread: Thread | None = None

    @classmethod
    def answering(cls, message: MessageReceived) -> "Target":
        """Aim at the place where `message` was written, by its own audience."""
        return cls(
            to=message.reply_address or message.sender.address,
            copies=message.copies,
            reply_to=message.external_id,
            reply_to_at=message.occurred_at,
            context=message.context,
            last_inbound_at=message.occurred_at,
            audience=Audience.PRIVATE if message.thread is None or message.thread.private else Audience.PUBLIC,
            thread=message.thread,
        )


SendablePart: TypeAlias = Media | Location | Contact | Sticker


@frozen(kw_only=True)
class Action:
    """What every outbound action has: `key`, the application's own id of it, and where it goes."""

    kind: ClassVar[Kind]

    key: str
    target: Target

    def kinds(self) -> tuple[Kind, ...]:
        """Name every kind that a channel must be able to send for this."""
        return (self.kind,)


@frozen(kw_only=True)
class SendMessage(Action):
    """Write to somebody: text, parts, buttons or a template; `quote` shows what it answers.

    A template has no `text`; `parts` and `buttons` beside it fill its header and its buttons. `automatic`: a program
    wrote it, and says so where the channel can, so that two programs never answer each other.
    """

    subject: str = ""
    text: str = ""
    parts: tuple[SendablePart, ...] = ()
    buttons: tuple[Button, ...] = ()
    template: Template | None = None
    quote: bool = False
    automatic: bool = False

    def kinds(self) -> tuple[Kind, ...]:
        """Name every kind of content in it; text of nothing but white space is none."""
        found = [part.kind if isinstance(part, Media) else _PART_KINDS[type(part)] for part in self.parts]
        found += [Kind.TEXT] * bool(self.text.strip()) + [Kind.BUTTONS] * bool(self.buttons)
        return (*found, Kind.TEMPLATE) if self.template else tuple(found)


_PART_KINDS: dict[type, Kind] = {Location: Kind.LOCATION, Contact: Kind.CONTACT, Sticker: Kind.STICKER}


@frozen(kw_only=True)
class Edit(Action):
    """Replace the text of the message `external_id` of ours, or (`caption`) what stands under its file."""

    kind = Kind.EDIT
    external_id: str
    text: str
    caption: bool = False


@frozen(kw_only=True)
class Delete(Action):
    """Remove a message (ours, or on social channels a comment)."""

    kind = Kind.DELETE
    external_id: str


@frozen(kw_only=True)
class React(Action):
    """React to a message, or (`on` False) take it back: `reaction_id` is then the id from the reaction's receipt."""

    kind = Kind.REACTION
    external_id: str
    emoji: str
    on: bool = True
    reaction_id: str = ""


@frozen(kw_only=True)
class Hide(Action):
    """Hide a comment from the public, or (`on` False) show it again."""

    kind = Kind.HIDE
    external_id: str
    on: bool = True


@frozen(kw_only=True)
class MarkRead(Action):
    """Tell the customer that the message `external_id` was read. Bypasses the outbox."""

    kind = Kind.READ
    external_id: str


@frozen(kw_only=True)
class ShowTyping(Action):
    """Show the customer that somebody is writing. Bypasses the outbox."""

    kind = Kind.TYPING
    on: bool = True


@frozen(kw_only=True)
class AnswerButton(Action):
    """End the wait that a pressed button shows (`Postback.id`), with a short `text` perhaps. Bypasses the outbox."""

    kind = Kind.ANSWER
    postback_id: str
    text: str = ""


Outbound: TypeAlias = SendMessage | Edit | Delete | React | Hide | MarkRead | ShowTyping | AnswerButton


@frozen(kw_only=True)
class Call:
    """One provider-visible call, ready to be stored and sent: plain JSON, no secrets, no open files.

    - `key`: stable and unique; the provider's idempotency key or reference where it takes one.
    - `to`: the recipient (the lane and the rate of scope recipient); `group`: True for a group chat.
    - `action`: the channel's own name of the call; `body`: its JSON.
    - `uploads`: files that `send` uploads first, in order (an album, e-mail's attachments); uploading is repeatable
      and never makes the call ambiguous.
    - `resend`: what may be done when its answer was lost, where that differs from the channel's (an edit is `SAFE`).
    """

    key: str
    to: Address
    action: str
    body: Mapping[str, Any]
    uploads: tuple[Media, ...] = ()
    group: bool = False
    resend: Resend | None = None
