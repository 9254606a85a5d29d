"""What a channel can carry, as data: asked before a send, shown to the agent, printed in the docs."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import field, frozen

from ..errors import PermanentError, WindowClosedError
from .content import Button, Kind, Media, Sticker
from .events import Surface
from .outbound import Audience, Edit, Outbound, React, SendMessage, Target
from .receipts import Resend, Status


class TextUnit(StrEnum):
    """What a provider counts when it limits text."""

    CHARACTERS = "characters"
    UTF16 = "utf-16"
    BYTES = "bytes"

    @property
    def measure(self) -> Callable[[str], int]:
        """Give the function that counts a text in this unit."""
        return _MEASURES[self]


_MEASURES: dict[TextUnit, Callable[[str], int]] = {
    TextUnit.CHARACTERS: len,
    TextUnit.UTF16: lambda text: len(text) + sum(character > "\uffff" for character in text),
    TextUnit.BYTES: lambda text: len(text.encode("utf-8", "surrogatepass")),
}


class RateScope(StrEnum):
    """What a rate is counted over; `APP`: all connections that share an endpoint."""

    APP = "app"
    CONNECTION = "connection"
    RECIPIENT = "recipient"
    GROUP = "group"


@frozen
class Rate:
    """At most `count` calls in `seconds`, counted over `scope`; of the named `Call.action`s only, else of all."""

    scope: RateScope
    count: int
    seconds: float
    actions: frozenset[str] = frozenset()


@frozen(kw_only=True)
class MediaLimit:
    """What one kind of file may be: MIME types (none named: any), and bytes by upload, by link, and to fetch.

    Where `upload` is None files go by link only: `send` asks `services.files.link` for one.
    """

    types: frozenset[str] = frozenset()
    upload: int | None = None
    link: int | None = None
    fetch: int | None = None


@frozen(kw_only=True)
class ButtonLimit:
    """How many buttons a message has, and how long their text, their titles and their payloads are."""

    count: int
    title: int
    payload: int
    text: int
    payload_unit: TextUnit = field(default=TextUnit.CHARACTERS, converter=TextUnit)
    urls: bool = False


@frozen(kw_only=True)
class Capabilities:
    """What one channel receives and sends, with its limits.

    - `receives`, `sends`: kinds; a kind that is not in `sends` is refused before any socket opens.
    - `text`, `caption`: longest text of one call and of a file, in `unit`; longer text is split.
    - `media`: limits per kind of file; `buttons`: None where there are none.
    - `window`: how long after the customer's last message free text may be sent; None for ever.
    - `edit_within`, `delete_within`: how long after sending we may edit and delete; None for ever.
    - `statuses`: what the provider reports of a call, beside our own `accepted`.
    - `resend`, `rates`, `surfaces`: as their types say; `quotes`: an answer can show what it answers.
    - `emoji`: the only reactions it takes (none named: any); `reactions`: how many one person may leave on a message.
    - `schemes`: of the addresses it writes to, the usual one first; `initiates`: also to people who never wrote.
    - `public`: what a public answer carries (a comment); `aside`: a private answer to a public message. None: there
      is none. What stands here itself is for private conversations.
    """

    receives: frozenset[Kind] = frozenset({Kind.TEXT})
    sends: frozenset[Kind] = frozenset({Kind.TEXT})
    text: int
    caption: int = 0
    unit: TextUnit = field(default=TextUnit.CHARACTERS, converter=TextUnit)
    media: Mapping[Kind, MediaLimit] = field(factory=dict)
    buttons: ButtonLimit | None = None
    window: timedelta | None = None
    edit_within: timedelta | None = None
    delete_within: timedelta | None = None
    statuses: frozenset[Status] = frozenset()
    resend: Resend = Resend.NEVER
    rates: tuple[Rate, ...] = ()
    surfaces: frozenset[Surface] = frozenset({Surface.DIRECT})
    quotes: bool = False
    emoji: frozenset[str] = frozenset()
    reactions: int = 1
    schemes: tuple[str, ...] = ()
    initiates: bool = False
    public: "Capabilities | None" = None
    aside: "Capabilities | None" = None

    def of(self, target: Target) -> "Capabilities":
        """Give those that hold for an action at `target`; PermanentError where the channel has no such answers."""
        found: Capabilities | None = self
        if target.audience is Audience.PUBLIC:
            found = self.public
        elif target.thread is not None and not target.thread.private:
            found = self.aside
        if found is None:
            raise PermanentError(f"this channel has no {target.audience} answers here", code="unsupported")
        return found

    def admit(self, outbound: Outbound, now: datetime | None = None) -> None:
        """Refuse what this channel cannot carry: PermanentError, or (given `now`) WindowClosedError.

        Text that is merely long is admitted, since `compose` splits it; an edit's is refused, and one to nothing, but
        what stands under a file may go.
        """
        self.of(outbound.target)._admit(outbound, now)

    def _admit(self, outbound: Outbound, now: datetime | None) -> None:
        kinds = outbound.kinds()
        blank = isinstance(outbound, Edit) and not (outbound.caption or outbound.text.strip())
        if blank or not kinds:
            raise PermanentError("the message is empty", code="empty")
        if unsent := [kind for kind in kinds if kind not in self.sends]:
            raise PermanentError(f"this channel does not send {unsent[0]}", code="unsupported")
        if isinstance(outbound, Edit):
            most = self.caption if outbound.caption else self.text
            if self.unit.measure(outbound.text) > most:
                raise PermanentError(f"the text is longer than {most} {self.unit}", code="too_long")
        emoji = plain_emoji(outbound.emoji) if isinstance(outbound, React) and outbound.on else ""
        if emoji and self.emoji and emoji not in map(plain_emoji, self.emoji):
            raise PermanentError(f"this channel does not take the reaction {emoji}", code="unsupported")
        if isinstance(outbound, SendMessage):
            self._admit_message(outbound)
            if now is not None and self.window is not None and outbound.template is None:
                last = outbound.target.last_inbound_at
                if last is None or now - last > self.window:
                    late = f"the customer last wrote more than {self.window.total_seconds() / 3600:g} hours ago"
                    advice = "; send a template" if Kind.TEMPLATE in self.sends else ""
                    raise WindowClosedError(late + advice, code="window_closed")

    def _admit_message(self, message: SendMessage) -> None:
        for part in message.parts:
            media = part.media if isinstance(part, Sticker) else part
            if isinstance(media, Media):
                self._admit_media(media)
        if message.buttons and (limit := self.buttons) is not None:
            if len(message.buttons) > limit.count:
                raise PermanentError(f"at most {limit.count} buttons fit in a message", code="too_many_buttons")
            for button in message.buttons:
                _admit_button(button, limit)

    def _admit_media(self, media: Media) -> None:
        if not (media.url or media.ref or media.id):
            raise PermanentError("the file has neither url, ref nor id", code="no_file")
        if (limit := self.media.get(media.kind)) is None:
            return
        media_type = media.media_type.partition(";")[0].strip().lower()
        if limit.types and media_type and media_type not in limit.types:
            told = f"{media.kind} of type {media_type} is not taken; use {', '.join(sorted(limit.types))}"
            raise PermanentError(told, code="unsupported_type")
        most = limit.link if media.url or limit.upload is None else limit.upload
        if most is not None and media.size is not None and media.size > most:
            raise PermanentError(f"the {media.kind} is larger than {most} bytes", code="too_large")


def plain_emoji(emoji: str) -> str:
    """Write an emoji without what only asks for its picture (U+FE0F): keyboards and providers differ in that."""
    return emoji.replace("\ufe0f", "")


def _admit_button(button: Button, limit: ButtonLimit) -> None:
    if not button.title or len(button.title) > limit.title:
        raise PermanentError(f"a button's title has 1 to {limit.title} characters", code="button_title")
    if button.url and not limit.urls:
        raise PermanentError("this channel has no buttons that open a link", code="unsupported")
    if not button.url and not 0 < limit.payload_unit.measure(button.payload) <= limit.payload:
        raise PermanentError(f"a button's payload has 1 to {limit.payload} {limit.payload_unit}", code="button_payload")
