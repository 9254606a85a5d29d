"""What Viber carries, and within which limits.

Sources: https://developers.viber.com/docs/api/rest-bot-api/#message-types,
https://creators.viber.com/docs/bots-api/resources/messaging/send-message and …/messaging/keyboards
"""

from attrs import evolve

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, Status

SCHEME = "viber"
SEND = "send_message"

SENDER_NAME = 28
"""Most characters of the name that customers see."""
REQUEST = 30_000
"""Most bytes of a request. Source: https://developers.viber.com/docs/faq/ (30kb)"""
CONTACT_NAME, CONTACT_PHONE, FILE_NAME, VIDEO_SECONDS = 28, 18, 256, 180
"""What Viber takes at most, in characters and seconds; the contact's and the video's are not confirmed."""
TRACKING = 4000
"""Most characters of `tracking_data`.
Source: https://creators.viber.com/docs/bots-api/resources/messaging/send-message"""

_MB = 1_000_000
_LARGEST = 200 * _MB
"""What Viber's apps let a customer send, as general knowledge has it; larger than what a bot may send."""


def _file(most: int, *types: str) -> MediaLimit:
    return MediaLimit(types=frozenset(types), link=most, fetch=_LARGEST)


_BOTH_WAYS = frozenset({
    Kind.TEXT, Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT, Kind.STICKER, Kind.LOCATION, Kind.CONTACT, Kind.BUTTONS,
})  # fmt: skip

RICH_MEDIA_API = 7
"""The version of the API, and so of the customers' apps, that can show a card (rich media)."""
COLUMNS, TEXT_ROWS = 6, 2
"""The width of a keyboard and of a card, and how much of a card its text takes; a button has a row of its own."""
_KEYBOARD_ROWS = 12  # on a phone held upright, one button each; https://developers.viber.com/docs/faq/
CARD_TEXT = 250
"""Most characters on one button, and so of a card's text, which is a button that does nothing."""
_TITLE, _PAYLOAD = 100, 200  # fewer than Viber takes, for those of all rows have to fit into tracking_data
_CARD_ROWS = 7 - TEXT_ROWS  # a card has 7 in all

KEYBOARD = Capabilities(
    receives=_BOTH_WAYS,
    sends=_BOTH_WAYS | {Kind.AUDIO, Kind.VOICE},  # which travel as files
    text=7000,
    caption=512,  # of pictures only; older pages of Viber's say 120 and 768
    media={
        Kind.IMAGE: _file(_MB, "image/jpeg", "image/png", "image/gif"),
        Kind.VIDEO: _file(26 * _MB, "video/mp4"),
        Kind.AUDIO: _file(50 * _MB),
        Kind.VOICE: _file(50 * _MB),
        Kind.DOCUMENT: _file(50 * _MB),
        Kind.STICKER: MediaLimit(fetch=_LARGEST),
    },
    buttons=ButtonLimit(count=_KEYBOARD_ROWS, title=_TITLE, payload=_PAYLOAD, text=7000, urls=True),
    statuses=frozenset({Status.DELIVERED, Status.READ, Status.FAILED}),
    resend=Resend.NEVER,  # it takes no key of ours and cannot be asked
    rates=(Rate(RateScope.RECIPIENT, 100, 3600),),  # the count starts again when the customer answers
    schemes=(SCHEME,),
    initiates=True,  # to who subscribed without a word
)
CARD = evolve(
    KEYBOARD, buttons=ButtonLimit(count=_CARD_ROWS, title=_TITLE, payload=_PAYLOAD, text=CARD_TEXT, urls=True)
)
"""The same, with buttons on a card of the chat (rich media) instead of below it."""
