"""What Slack carries, and within which limits, and the methods that do it."""

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, Surface

from .emoji import NAMES
from .receive import SCHEME

POST, UPDATE, DELETE, DELETE_FILE = "chat.postMessage", "chat.update", "chat.delete", "files.delete"
SHARE, REACT, UNREACT = "files.completeUploadExternal", "reactions.add", "reactions.remove"

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
    # https://docs.slack.dev/reference/block-kit/blocks/actions-block, …/section-block,
    # https://docs.slack.dev/reference/block-kit/block-elements/button-element
    buttons=ButtonLimit(count=25, title=75, payload=2000, text=3000, urls=True),
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
