"""What Messenger carries and within which limits, and what a Page is asked to tell.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting
(2026-03-23) and …/send-messages
"""

from attrs import evolve

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Resend, Status
from channelry_meta import messages
from channelry_meta.conversations import REFERENCE
from channelry_meta.limits import LARGEST, MIB, file

OBJECT = "page"
"""What a webhook of Messenger is about."""
SCHEME = "messenger"
"""The scheme of people's addresses, whose ids are scoped to the Page."""

_BOTH_WAYS = frozenset(
    {Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.DOCUMENT, Kind.STICKER, Kind.BUTTONS, Kind.REACTION}
)
_ASIDE = Capabilities(text=2000, window=messages.HUMAN_AGENT_WINDOW, resend=Resend.NEVER, rates=messages.ASIDE_RATES)
CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.LOCATION, Kind.EDIT, Kind.DELETE},
    sends=_BOTH_WAYS | {Kind.VOICE, Kind.READ, Kind.TYPING},
    text=2000,
    media={
        Kind.IMAGE: file(8 * MIB, "image/jpeg", "image/png", "image/gif", "image/webp"),
        Kind.AUDIO: file(25 * MIB),
        Kind.VOICE: file(25 * MIB),
        Kind.VIDEO: file(25 * MIB),
        Kind.DOCUMENT: file(25 * MIB),
        Kind.STICKER: MediaLimit(fetch=LARGEST),
    },
    buttons=ButtonLimit(count=13, title=20, payload=1000, text=640, urls=True),
    window=messages.WINDOW,
    statuses=frozenset({Status.SENT, Status.DELIVERED, Status.READ}),
    resend=Resend.CALLBACK,  # the echo of a message bears its `metadata`, which is our key
    rates=messages.RATES,
    quotes=True,
    schemes=(SCHEME, SCHEME + REFERENCE),
    aside=_ASIDE,
)
HUMAN_AGENT = evolve(CAPABILITIES, window=messages.HUMAN_AGENT_WINDOW)
"""With the right to answer for seven days by hand."""
FIELDS = (
    "messages", "message_edits", "message_reactions", "message_deliveries", "message_reads", "message_echoes",
    "messaging_postbacks", "messaging_optins", "messaging_referrals", "messaging_handovers",
    "messaging_policy_enforcement", "standby",
)  # fmt: skip
"""What a Page is asked to tell of its conversations."""
