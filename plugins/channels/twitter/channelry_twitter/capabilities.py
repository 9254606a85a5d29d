"""What X carries, in direct messages and in posts, and within which limits."""

import re
from unicodedata import normalize

from attrs import evolve

from channelry.model import Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, Status, Surface, TextUnit

SCHEME = "x"
LIKE = "❤"
DM, POST, CHANGE = "dm", "post", "change"
"""The actions: two whose rates X counts, and one that sets what is so after it: a deletion, a like, a hidden reply."""

DM_TEXT = 10_000
"""Longest direct message; not in X's present pages, from the older ones."""
IMAGE_BYTES, GIF_BYTES, VIDEO_BYTES = 5_000_000, 15_000_000, 512_000_000
"""Source: https://docs.x.com/x-api/media/quickstart/best-practices"""
PIECE = 4 * 1024 * 1024
"""Bytes uploaded at once, of at most 5 MB."""
POST_IMAGES = 4
GIF = "image/gif"
LISTED = 100
"""Entries of a list that are looked through; the most that X gives at once."""
QUARTER, DAY = 900, 86_400
DMS_A_QUARTER, DMS_A_DAY, POSTS_A_QUARTER, POSTS_A_DAY = 15, 1440, 100, 10_000
"""Source: https://docs.x.com/x-api/fundamentals/rate-limits"""

EVENTS = (
    "dm.received", "dm.sent", "dm.read", "dm.indicate_typing", "chat.received",
    "post.create", "post.mention.create", "post.reply.create", "post.quote.create", "like.create",
)  # fmt: skip
"""What is subscribed to. Source: https://docs.x.com/x-api/activity/introduction"""

ROWS = {"dm.read": "direct_message_mark_read_events", "dm.indicate_typing": "direct_message_indicate_typing_events"}
"""The array of the older API that an event of the newer one comes in."""
FILES = {"photo": Kind.IMAGE, "video": Kind.VIDEO, "animated_gif": Kind.VIDEO}
"""What a file is, by its type."""
RELATED = {
    "replied_to": ("in_reply_to_tweet_id", "in_reply_to_status_id_str", "in_reply_to_status_id"),
    "quoted": ("quoted_status_id_str", "quoted_status_id"),
}
"""How a post names another one: the newer API's word for it, and the fields of its own row."""

_MEDIA = {
    Kind.IMAGE: MediaLimit(
        types=frozenset({"image/jpeg", "image/png", "image/webp", GIF}), upload=GIF_BYTES, fetch=GIF_BYTES
    ),
    Kind.VIDEO: MediaLimit(types=frozenset({"video/mp4", "video/quicktime"}), upload=VIDEO_BYTES, fetch=VIDEO_BYTES),
}
_SHOWN = frozenset({Kind.TEXT, Kind.IMAGE, Kind.VIDEO})


def of(post_length: int, direct_messages: int) -> Capabilities:
    """Give those of an account whose posts may be so long, and which may send so many messages in 15 minutes."""
    direct = Capabilities(
        receives=_SHOWN | {Kind.BUTTONS, Kind.TYPING, Kind.DELETE, Kind.REACTION},  # the last two of posts
        sends=_SHOWN | {Kind.DELETE},
        text=DM_TEXT,
        caption=DM_TEXT,
        media=_MEDIA,
        statuses=frozenset({Status.READ}),
        resend=Resend.LOOKUP,  # X takes no key of ours, but tells what we wrote
        schemes=(SCHEME,),
        initiates=True,  # to those who follow us or let everybody write
    )
    public = evolve(
        direct,
        receives=_SHOWN | {Kind.DELETE, Kind.REACTION},
        sends=_SHOWN | {Kind.DELETE, Kind.REACTION, Kind.HIDE},
        text=post_length,
        unit=TextUnit.UTF16,  # nearest to how X counts; `weight` is exact
        caption=post_length,
        statuses=frozenset(),
        surfaces=frozenset({Surface.COMMENT, Surface.MENTION}),
        emoji=frozenset({LIKE}),
        initiates=False,
    )
    return evolve(
        direct,
        rates=(
            Rate(RateScope.CONNECTION, direct_messages, QUARTER, frozenset({DM})),
            Rate(RateScope.CONNECTION, max(DMS_A_DAY, direct_messages), DAY, frozenset({DM})),
            Rate(RateScope.APP, max(DMS_A_DAY, direct_messages), DAY, frozenset({DM})),
            Rate(RateScope.CONNECTION, POSTS_A_QUARTER, QUARTER, frozenset({POST})),
            Rate(RateScope.APP, POSTS_A_DAY, DAY, frozenset({POST})),
        ),
        surfaces=frozenset({Surface.DIRECT, Surface.COMMENT, Surface.MENTION}),
        public=public,
        aside=direct,
    )


_LINK = re.compile(
    r"https?://[!-~]*[\w/#=&%~+-]"
    r"|(?<![\w.@/-])(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|info|biz|io|co|app|dev|me|tv|ai|eu|uk|us|de|fr|es|it|nl|pl|ua|jp"
    r"|br|in|ca|au)(?![\w-])(?:/[!-~]*[\w/#=&%~+-])?",
    re.ASCII | re.IGNORECASE,
)
"""What X makes a link of; of addresses without a scheme those with usual endings."""
_LINK_WEIGHT = 23
_SIGN = r"[\u203c-\u3299\U0001f000-\U0001faff](?:\ufe0f|[\U0001f3fb-\U0001f3ff])?"
_EMOJI = re.compile(
    r"[#*0-9]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{2}|\U0001f3f4[\U000e0020-\U000e007f]+|[\xa9\xae]\ufe0f"
    rf"|{_SIGN}(?:\u200d{_SIGN})*"
)
"""One emoji, however many characters it is made of: keycaps, flags, skins, families."""
_WIDE = "あ"  # what an emoji counts as
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))


def weight(text: str) -> int:
    """Count a post as X does: links are 23, an emoji is 2, Latin, Greek, Cyrillic and their like are 1, all else is 2.

    Source: https://docs.x.com/fundamentals/counting-characters
    """
    text = normalize("NFC", text)
    links = _LINK.findall(text)
    plain = _EMOJI.sub(_WIDE, _LINK.sub("", text))
    wide = sum(not any(low <= ord(character) <= high for low, high in _LIGHT) for character in plain)
    return len(links) * _LINK_WEIGHT + len(plain) + wide
