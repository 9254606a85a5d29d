"""What comments of a Page carry and within which limits, and what a Page is asked to tell.

https://developers.facebook.com/docs/graph-api/reference/comment and
https://developers.facebook.com/documentation/business-messaging/messenger-platform/discovery/private-replies
"""

from channelry.model import Capabilities, Kind, MediaLimit, Resend, Surface
from channelry_meta import messages
from channelry_meta.limits import LARGEST, MIB

OBJECT = "page"
"""What a webhook of a Page is about."""
SCHEME = "facebook"
"""The scheme of people's addresses, whose ids are scoped to the Page."""
LIKE = "👍"
"""The only reaction that a Page can leave on a comment."""

REACTIONS = {"like": LIKE, "love": "❤️", "haha": "😆", "wow": "😮", "sad": "😢", "angry": "😠", "care": "🤗"}
"""What people react with, by Meta's names [k]."""

_TEXT = 8000  # [k]
_PICTURE = MediaLimit(
    types=frozenset({"image/jpeg", "image/png", "image/gif"}),
    link=4 * MIB,  # of a photo, as the Graph API states it [k]
    fetch=LARGEST,
)
CAPABILITIES = Capabilities(
    receives=frozenset({Kind.TEXT, Kind.IMAGE, Kind.VIDEO, Kind.REACTION, Kind.EDIT, Kind.DELETE}),
    sends=frozenset(),  # conversations are Messenger's
    text=_TEXT,
    media={Kind.IMAGE: _PICTURE, Kind.VIDEO: MediaLimit(fetch=LARGEST)},
    resend=Resend.LOOKUP,
    rates=messages.ASIDE_RATES,
    surfaces=frozenset({Surface.COMMENT, Surface.MENTION}),
    schemes=(SCHEME,),
    public=Capabilities(
        sends=frozenset({Kind.TEXT, Kind.IMAGE, Kind.EDIT, Kind.DELETE, Kind.HIDE, Kind.REACTION}),
        text=_TEXT,
        caption=_TEXT,
        media={Kind.IMAGE: _PICTURE},
        resend=Resend.LOOKUP,
        emoji=frozenset({LIKE}),
    ),
    aside=Capabilities(text=2000, window=messages.HUMAN_AGENT_WINDOW, resend=Resend.NEVER, rates=messages.ASIDE_RATES),
)
FIELDS = ("feed", "mention")
"""What a Page is asked to tell of its feed."""
