"""What Instagram carries and within which limits, and what an account is asked to tell.

https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/send-message
(2026-07-02) and https://developers.facebook.com/documentation/instagram-platform/private-replies (2026-06-30)
"""

from attrs import evolve

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Resend, Status, Surface, TextUnit
from channelry_meta import messages
from channelry_meta.limits import LARGEST, MIB, file

OBJECT = "instagram"
"""What a webhook of Instagram is about."""
SCHEME = "instagram"
"""The scheme of people's addresses, whose ids are scoped to the account."""
LIVE, MENTIONED_MEDIA, MENTIONED_COMMENT = "live", "media", "comment"
"""The keys of a message's context: it came during a broadcast; where a mention stands."""
HEART, LOVE = "like_heart", "❤️"
"""The one sticker, and the one reaction."""

_M4A, _WAV = ("audio/mp4", "audio/m4a", "audio/x-m4a"), ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")
_AUDIO = file(25 * MIB, "audio/aac", *_M4A, *_WAV)
_AVI = ("video/avi", "video/x-msvideo")
_VIDEO = file(25 * MIB, "video/mp4", "video/ogg", *_AVI, "video/quicktime", "video/webm")
_BOTH_WAYS = frozenset({Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.STICKER, Kind.BUTTONS, Kind.REACTION})
_ASIDE = Capabilities(text=1000, unit=TextUnit.BYTES, window=messages.HUMAN_AGENT_WINDOW, rates=messages.ASIDE_RATES)
CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.DOCUMENT, Kind.EDIT, Kind.DELETE},
    sends=_BOTH_WAYS | {Kind.VOICE, Kind.DOCUMENT, Kind.READ, Kind.TYPING},
    text=1000,
    unit=TextUnit.BYTES,
    media={
        Kind.IMAGE: file(8 * MIB, "image/png", "image/jpeg", "image/gif"),
        Kind.AUDIO: _AUDIO,
        Kind.VOICE: _AUDIO,
        Kind.VIDEO: _VIDEO,
        Kind.DOCUMENT: file(25 * MIB, "application/pdf"),
        Kind.STICKER: MediaLimit(fetch=LARGEST),
    },
    buttons=ButtonLimit(count=13, title=20, payload=1000, text=1000),
    window=messages.WINDOW,
    statuses=frozenset({Status.SENT, Status.READ}),
    resend=Resend.NEVER,  # an echo bears no key of ours
    rates=messages.RATES,
    surfaces=frozenset({Surface.DIRECT, Surface.COMMENT, Surface.MENTION}),
    quotes=True,
    emoji=frozenset({LOVE}),
    schemes=(SCHEME,),
    public=Capabilities(
        sends=frozenset({Kind.TEXT, Kind.DELETE, Kind.HIDE}),
        text=2200,  # [k]
        resend=Resend.LOOKUP,
    ),
    aside=_ASIDE,
)
HUMAN_AGENT = evolve(CAPABILITIES, window=messages.HUMAN_AGENT_WINDOW)
"""With the right to answer for seven days by hand."""
FIELDS = (
    "messages", "message_reactions", "message_edit", "messaging_postbacks", "messaging_referral", "messaging_seen",
    "messaging_handover", "standby", "comments", "live_comments", "mentions",
)  # fmt: skip
"""What an account is asked to tell, by the Instagram login."""
PAGE_FIELDS = ("messages",)
"""What its Page is asked to tell, by the Facebook login: any field of the Page makes its account's webhooks come."""
