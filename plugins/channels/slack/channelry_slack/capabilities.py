"""What Slack carries, and within which limits, the methods that do it, and what an app has to be allowed for it."""

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, Surface

from .emoji import NAMES

SCHEME = "slack"
POST, UPDATE, DELETE, DELETE_FILE = "chat.postMessage", "chat.update", "chat.delete", "files.delete"
SHARE, REACT, UNREACT = "files.completeUploadExternal", "reactions.add", "reactions.remove"
USER = "users.info"
SCOPES = frozenset(
    {"chat:write", "files:read", "files:write", "im:history", "im:write", "reactions:write", "users:read"}
)
"""What the token must be allowed for everything that is declared; channels and mentions need further ones."""

FILES = 10
"""Most files of one message, as general knowledge has it."""
ALT_TEXT = 2000
"""Most characters of what stands for a picture. Source: https://docs.slack.dev/reference/block-kit/blocks/image-block"""
SECTION = 3000
"""Most characters of a text with buttons below it.
Source: https://docs.slack.dev/reference/block-kit/blocks/section-block"""
PAGE = 200
"""How many messages are listed at once."""
WINDOW = 300
"""Seconds that a request's time may differ from ours: an older one was perhaps recorded and is played again.
Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

HOUSEKEEPING = frozenset({
    "assistant_app_thread", "bot_add", "bot_remove", "channel_archive", "channel_canvas_updated",
    "channel_convert_to_private", "channel_join", "channel_leave", "channel_name", "channel_posting_permissions",
    "channel_purpose", "channel_topic", "channel_unarchive", "ekm_access_denied", "group_archive", "group_join",
    "group_leave", "group_name", "group_purpose", "group_topic", "group_unarchive", "huddle_thread", "message_replied",
    "pinned_item", "reminder_add", "sh_room_created", "unpinned_item",
})  # fmt: skip
"""Subtypes of messages that a channel writes by itself: nobody said anything, so they are not received.
Source: https://docs.slack.dev/reference/events/message"""
SAID = frozenset({"file_share", "thread_broadcast", "me_message", "bot_message", "reply_broadcast"})
"""Subtypes of messages that somebody wrote, which say nothing that stands nowhere else in them."""
CLIPS = {"slack_audio": Kind.VOICE, "slack_video": Kind.VIDEO}
"""What people record within Slack, by the subtype of the file."""
GONE = frozenset({"tombstone", "hidden_by_limit"})
"""Modes of files that nobody can open any more."""

_GB = 1_000_000_000
_FILE = MediaLimit(upload=_GB, fetch=_GB)  # https://slack.com/help/articles/201330736
_BOTH_WAYS = frozenset({
    Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VOICE, Kind.VIDEO, Kind.DOCUMENT, Kind.BUTTONS, Kind.REACTION, Kind.EDIT,
    Kind.DELETE,
})  # fmt: skip

CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.FORM},
    sends=_BOTH_WAYS,
    text=4000,  # https://docs.slack.dev/changelog/2018-truncating-really-long-messages: best practice; cut at 40,000
    caption=4000,
    media=dict.fromkeys((Kind.IMAGE, Kind.AUDIO, Kind.VOICE, Kind.VIDEO, Kind.DOCUMENT), _FILE),
    # https://docs.slack.dev/reference/block-kit/blocks/actions-block,
    # https://docs.slack.dev/reference/block-kit/block-elements/button-element
    buttons=ButtonLimit(count=25, title=75, payload=2000, text=SECTION, urls=True),
    resend=Resend.LOOKUP,  # our key is in the message's metadata
    # https://docs.slack.dev/apis/web-api/rate-limits: one message a second to a channel, 50 reactions a minute;
    # an answer 429 tells what is rare
    rates=(
        Rate(RateScope.RECIPIENT, 1, 1, frozenset({POST, SHARE})),
        Rate(RateScope.CONNECTION, 50, 60, frozenset({REACT})),
    ),
    surfaces=frozenset({Surface.DIRECT, Surface.MENTION}),
    quotes=True,
    emoji=frozenset(NAMES),
    reactions=23,  # of one person on one message, as general knowledge has it
    schemes=(SCHEME,),
    initiates=True,
)
