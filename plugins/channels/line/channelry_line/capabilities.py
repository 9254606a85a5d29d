"""What LINE carries, and within which limits.

Source: https://developers.line.biz/en/reference/messaging-api/#message-objects
"""

from datetime import timedelta

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, TextUnit

SCHEME = "line"
MESSAGE, TYPING, READ = "message", "/chat/loading/start", "/chat/markAsRead"
"""The actions: what a customer gets to see, and the marks that may be repeated, by their paths."""

GROUPS = GROUP, ROOM = "C", "R"
"""What the id of a group begins with, and that of a group without a name; a person's begins with U."""

MESSAGES = 5
"""Most messages of one call."""
REPLY_WITHIN = timedelta(seconds=50)
"""A reply token lives for about a minute; what is left is for the way."""
TYPING_SECONDS = 20
"""How long LINE shows that somebody writes: 5 to 60 seconds, or until a message comes."""
PLACE_NAME = 100
"""Most characters of a place's title and address."""
PREVIEW = 1_000_000
"""Most bytes of a picture's preview."""
NOT_READY = "202"
"""The status of a file that LINE has not made ready yet.
Source: https://developers.line.biz/en/reference/messaging-api/#get-content"""
READY_AFTER = 5.0
"""Seconds after which to look again whether LINE has made a file ready."""

_MB = 1_000_000
_LARGEST = 1_000 * _MB
"""What LINE's apps let a customer send, as general knowledge has it."""


def _file(most: int | None, *types: str) -> MediaLimit:
    return MediaLimit(types=frozenset(types), link=most, fetch=_LARGEST)


_AUDIO = _file(200 * _MB, "audio/mpeg", "audio/mp4", "audio/m4a", "audio/x-m4a")
_BOTH_WAYS = frozenset({
    Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.DOCUMENT, Kind.STICKER, Kind.LOCATION, Kind.BUTTONS,
})  # fmt: skip

CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.FORM, Kind.EDIT, Kind.DELETE},  # edits in groups only
    sends=_BOTH_WAYS | {Kind.VOICE, Kind.READ, Kind.TYPING},
    text=5000,
    unit=TextUnit.UTF16,
    media={
        Kind.IMAGE: _file(10 * _MB, "image/jpeg", "image/png"),
        Kind.AUDIO: _AUDIO,
        Kind.VOICE: _AUDIO,
        Kind.VIDEO: _file(200 * _MB, "video/mp4"),
        Kind.DOCUMENT: _file(None),  # a link in a text: LINE has no files for bots
    },
    buttons=ButtonLimit(count=13, title=20, payload=300, text=5000, urls=True),
    resend=Resend.LOOKUP,  # a push is safe by its retry key; a reply takes none
    # https://developers.line.biz/en/reference/messaging-api/#rate-limits
    rates=(Rate(RateScope.CONNECTION, 2000, 1, frozenset({MESSAGE})),),
    quotes=True,
    schemes=(SCHEME,),
    initiates=True,  # to who added the account without a word
)
