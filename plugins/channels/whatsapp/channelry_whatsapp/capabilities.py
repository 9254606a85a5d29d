"""What WhatsApp carries, and within which limits.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages and …/throughput
"""

from collections.abc import Mapping
from datetime import timedelta

from channelry.model import (
    ButtonLimit,
    CallState,
    Capabilities,
    Kind,
    OptedIn,
    OptedOut,
    Rate,
    RateScope,
    Resend,
    Status,
)
from channelry_meta.limits import MIB, file

SCHEME, PHONE = "whatsapp", "phone"
"""The schemes of people's addresses: a business-scoped user id, or digits; a number as it is written."""
MESSAGE, MARK = "message", "mark"
"""The actions: what a customer gets to see, and the marks that may be repeated."""

REPLIES, TITLE = 3, 20
"""Most buttons that stand under a message, and most characters of their titles; more of them become the rows of a list,
which a button opens."""

STATUSES = {name: Status(name) for name in ("sent", "delivered", "read", "played", "failed")}
CALLS = {
    "connect": CallState.RINGING,
    "RINGING": CallState.RINGING,
    "ACCEPTED": CallState.ANSWERED,
    "REJECTED": CallState.MISSED,
    "COMPLETED": CallState.COMPLETED,
    "FAILED": CallState.FAILED,
}
PREFERENCES: Mapping[str, type[OptedIn | OptedOut]] = {"stop": OptedOut, "resume": OptedIn}
"""WhatsApp's words for how far a message or a call has got, and for what a customer wants. Those of calls and of
preferences are not confirmed by Meta's pages.
https://developers.facebook.com/documentation/business-messaging/whatsapp/calling"""

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
        Kind.IMAGE: file(5 * MIB, "image/jpeg", "image/png"),
        Kind.AUDIO: file(16 * MIB, "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
        Kind.VOICE: file(16 * MIB, "audio/ogg"),
        Kind.VIDEO: file(16 * MIB, "video/mp4", "video/3gpp"),
        Kind.DOCUMENT: file(100 * MIB),
        Kind.STICKER: file(500 * 1024, "image/webp"),  # animated; a still one has 100 KiB
    },
    buttons=ButtonLimit(count=10, title=24, payload=200, text=1024, urls=True),  # from 4 on the rows of a list
    window=timedelta(hours=24),
    statuses=frozenset(STATUSES.values()),
    resend=Resend.CALLBACK,  # every status echoes `biz_opaque_callback_data`, which is our key
    rates=(
        Rate(RateScope.CONNECTION, 80, 1),
        Rate(RateScope.RECIPIENT, 10, 60),  # stated as 1 in 6 s, with bursts: an answer in parts goes out at once
    ),
    quotes=True,
    schemes=(SCHEME, PHONE),
    initiates=True,  # by a template, to any number
)
