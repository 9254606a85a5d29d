"""What a message is made of, in both directions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen


class Kind(StrEnum):
    """A thing that a channel can carry; `Capabilities` lists what it receives and what it sends."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VOICE = "voice"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    BUTTONS = "buttons"
    FORM = "form"
    ORDER = "order"
    TEMPLATE = "template"
    REACTION = "reaction"
    EDIT = "edit"
    DELETE = "delete"
    HIDE = "hide"
    READ = "read"
    TYPING = "typing"
    ANSWER = "answer"
    CALL = "call"


@frozen(kw_only=True)
class Media:
    """A file in a message; the message never waits for its bytes.

    - `kind`: `IMAGE`, `AUDIO`, `VOICE` (a recorded note), `VIDEO`, `DOCUMENT` or `STICKER`.
    - `id`: the provider's id to fetch it by, or `""`; `url`: a link to it, or `""`.
    - `ref`: an outbound file that the application holds, which then knows its `size` and `media_type`;
      `services.files.read(ref)` streams it.
    - `content`: the bytes, where they came with the message itself (e-mail); such a file is not fetched.
    - `media_type`: MIME type, or `""`; `size`: bytes, or None where unknown.
    - `seconds`: duration of audio and video, or None; `sha256`: as the provider states it, or `""`.
    """

    kind: Kind
    id: str = ""
    url: str = ""
    ref: str = ""
    media_type: str = ""
    name: str = ""
    size: int | None = None
    seconds: float | None = None
    sha256: str = ""
    content: bytes = field(default=b"", repr=False)


@frozen(kw_only=True)
class Location:
    """A place: degrees north and east (WGS 84), with a name and a postal address where given."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@frozen(kw_only=True)
class Contact:
    """A business card that was shared."""

    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    organisation: str = ""


@frozen(kw_only=True)
class Postback:
    """A button that was pressed: the `payload` we gave it, the `title` the customer saw.

    `id` is set where the press itself waits for an answer (Telegram's callback queries).
    """

    payload: str
    title: str = ""
    id: str = ""


@frozen(kw_only=True)
class FormReply:
    """A form that was filled in; `answers` is the provider's JSON text."""

    name: str
    answers: str
    summary: str = ""


@frozen(kw_only=True)
class Order:
    """A basket that was sent; `items` is the provider's JSON text."""

    catalog: str
    items: str
    note: str = ""


@frozen(kw_only=True)
class Sticker:
    """A sticker: its provider `id`, the `emoji` it stands for, and its picture where there is one."""

    id: str
    emoji: str = ""
    media: Media | None = None


@frozen(kw_only=True)
class Unsupported:
    """Content of a kind we do not know: the provider's name for it and its raw JSON, nothing lost."""

    kind: str
    raw: str


Part: TypeAlias = Media | Location | Contact | Postback | FormReply | Order | Sticker | Unsupported


@frozen(kw_only=True)
class Button:
    """A button or quick reply that we offer: it returns `payload`, or opens `url`."""

    title: str
    payload: str = ""
    url: str = ""


@frozen(kw_only=True)
class Template:
    """A message text approved by the provider: its name, its language, the values it is filled with."""

    name: str
    language: str
    values: tuple[str, ...] = ()
    options: Mapping[str, str] = field(factory=dict)
