"""What WhatsApp carries, and within which limits.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages and …/throughput
"""

from datetime import timedelta

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, Status

_KIB, _MIB = 1024, 1024 * 1024
_LARGEST = 100 * _MIB
"""What WhatsApp lets anybody send; what a customer sends is not held to the limits of what we send."""


def _file(most: int, *types: str) -> MediaLimit:
    return MediaLimit(types=frozenset(types), upload=most, link=most, fetch=_LARGEST)


_BOTH_WAYS = frozenset(Kind(name) for name in (
    "text", "image", "audio", "voice", "video", "document", "sticker", "location", "contact", "buttons",
    "reaction",
))  # fmt: skip

CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.FORM, Kind.ORDER, Kind.EDIT, Kind.DELETE, Kind.CALL},
    sends=_BOTH_WAYS | {Kind.TEMPLATE, Kind.READ, Kind.TYPING},
    text=4096,
    caption=1024,
    media={
        Kind.IMAGE: _file(5 * _MIB, "image/jpeg", "image/png"),
        Kind.AUDIO: _file(16 * _MIB, "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
        Kind.VOICE: _file(16 * _MIB, "audio/ogg"),
        Kind.VIDEO: _file(16 * _MIB, "video/mp4", "video/3gpp"),
        Kind.DOCUMENT: _file(_LARGEST),
        Kind.STICKER: _file(500 * _KIB, "image/webp"),  # animated; a still one has 100 KiB
    },
    buttons=ButtonLimit(count=10, title=20, payload=200, text=1024, urls=True),  # from 4 on the rows of a list
    window=timedelta(hours=24),
    statuses=frozenset({Status.SENT, Status.DELIVERED, Status.READ, Status.PLAYED, Status.FAILED}),
    resend=Resend.CALLBACK,  # every status echoes `biz_opaque_callback_data`, which is our key
    rates=(
        Rate(RateScope.CONNECTION, 80, 1),
        Rate(RateScope.RECIPIENT, 10, 60),  # stated as 1 in 6 s, with bursts: an answer in parts goes out at once
    ),
    quotes=True,
)
