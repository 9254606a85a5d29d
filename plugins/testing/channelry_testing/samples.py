"""An example of everything that an agent can do, made for one channel and within its limits."""

from collections.abc import Iterator

from channelry.model import (
    AnswerButton,
    Button,
    Capabilities,
    Contact,
    Delete,
    Edit,
    Hide,
    Kind,
    Location,
    MarkRead,
    Media,
    MediaLimit,
    Outbound,
    React,
    SendMessage,
    ShowTyping,
    Sticker,
    Target,
    Template,
)

FILE = b"\x89PNG a file of the kit"
REF = "kit-file"
LINK = "https://files.example.com/kit-file"
MEDIA = (Kind.IMAGE, Kind.AUDIO, Kind.VOICE, Kind.VIDEO, Kind.DOCUMENT)
_USUAL_TYPES = {
    Kind.IMAGE: "image/png", Kind.AUDIO: "audio/mpeg", Kind.VOICE: "audio/ogg", Kind.VIDEO: "video/mp4",
    Kind.DOCUMENT: "application/pdf", Kind.STICKER: "image/webp",
}  # fmt: skip
SENDABLE = frozenset(Kind) - {Kind.FORM, Kind.ORDER, Kind.CALL}
"""The kinds that an action exists for."""


def sample(kind: Kind, target: Target, ours: str, capabilities: Capabilities, key: str = "kit-1") -> Outbound:
    """Give an action of a kind: a message at `target`, or something done to our message `ours` or to theirs."""
    theirs = target.reply_to
    if kind in MEDIA:
        return SendMessage(key=key, target=target, parts=(media(kind, capabilities.media.get(kind)),))
    emoji = next(iter(sorted(capabilities.emoji)), "👍")
    card = Contact(name="Gus Ray", phones=("+30210000000",), emails=("gus@example.com",))
    place = Location(latitude=40.64, longitude=22.94, name="Shop", address="1 Main St")
    made: dict[Kind, Outbound] = {
        Kind.TEXT: SendMessage(key=key, target=target, text="hello from the kit"),
        Kind.STICKER: SendMessage(
            key=key,
            target=target,
            parts=(Sticker(id="", media=media(Kind.STICKER, capabilities.media.get(Kind.STICKER))),),
        ),
        Kind.LOCATION: SendMessage(key=key, target=target, parts=(place,)),
        Kind.CONTACT: SendMessage(key=key, target=target, parts=(card,)),
        Kind.BUTTONS: SendMessage(
            key=key, target=target, text="Sure?", buttons=(Button(title="Yes", payload="kit:yes"),)
        ),
        Kind.TEMPLATE: SendMessage(key=key, target=target, template=Template(name="hello", language="en")),
        Kind.REACTION: React(key=key, target=target, external_id=theirs, emoji=emoji),
        Kind.EDIT: Edit(key=key, target=target, external_id=ours, text="hello again"),
        Kind.DELETE: Delete(key=key, target=target, external_id=ours),
        Kind.HIDE: Hide(key=key, target=target, external_id=theirs),
        Kind.READ: MarkRead(key=key, target=target, external_id=theirs),
        Kind.TYPING: ShowTyping(key=key, target=target),
        Kind.ANSWER: AnswerButton(key=key, target=target, postback_id="kit-postback"),
    }
    return made[kind]


def media(kind: Kind, limit: MediaLimit | None, *, size: int | None = len(FILE), media_type: str = "") -> Media:
    """Give a file of a kind, as the channel takes it: by upload, else by link."""
    usual = _USUAL_TYPES[kind]
    types = sorted(limit.types) if limit else []
    chosen = media_type or (usual if usual in types or not types else types[0])
    by_link = limit is not None and limit.upload is None and limit.link is not None
    name = f"kit.{chosen.rpartition('/')[2]}"
    return Media(
        kind=kind,
        url=LINK if by_link else "",
        ref="" if by_link else REF,
        media_type=chosen,
        name=name,
        size=size,
        seconds=3.0 if kind in (Kind.AUDIO, Kind.VOICE, Kind.VIDEO) else None,
    )


def excesses(capabilities: Capabilities, target: Target, key: str = "kit-1") -> Iterator[tuple[str, Outbound]]:
    """Give what is beyond the declared limits, each with its name; long text is none, for it is split."""

    def message(text: str = "", **more: object) -> SendMessage:
        return SendMessage(key=key, target=target, text=text, **more)  # type: ignore[arg-type]

    if capabilities.sends:
        yield "an empty message", message()
        yield "a message of white space", message(" \n ")
    buttons = capabilities.buttons
    if buttons and Kind.BUTTONS in capabilities.sends:
        yes = Button(title="Yes", payload="kit:yes")
        yield f"{buttons.count + 1} buttons", message("Sure?", buttons=(yes,) * (buttons.count + 1))
        long = Button(title="T" * (buttons.title + 1), payload="kit:yes")
        yield "a button's title that is too long", message("Sure?", buttons=(long,))
        yield "a button without title", message("Sure?", buttons=(Button(title="", payload="kit:yes"),))
        heavy = Button(title="Yes", payload="p" * (buttons.payload + 1))
        yield "a button's payload that is too long", message("Sure?", buttons=(heavy,))
        if not buttons.urls:
            yield "a button that opens a link", message("Sure?", buttons=(Button(title="Open", url=LINK),))
    for kind in MEDIA:
        limit = capabilities.media.get(kind)
        if kind in capabilities.sends:
            yield f"{kind} without a file", message(parts=(Media(kind=kind),))
            most = limit and (limit.link if limit.upload is None else limit.upload)
            if most:
                yield f"{kind} of {most + 1} bytes", message(parts=(media(kind, limit, size=most + 1),))
            if limit and limit.types:
                wrong = media(kind, limit, media_type="application/x-kit")
                yield f"{kind} of a type that is not declared", message(parts=(wrong,))
    if Kind.REACTION in capabilities.sends and capabilities.emoji:
        yield "another reaction", React(key=key, target=target, external_id=target.reply_to, emoji="🪗kit")
    if Kind.EDIT in capabilities.sends:
        long_text = "x" * (capabilities.text + 1)
        yield "an edit that is too long", Edit(key=key, target=target, external_id=target.reply_to, text=long_text)
