"""What Telegram carries, and within which limits."""

from datetime import timedelta

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, TextUnit

SCHEME = "telegram"

ALBUM, ALBUM_SIZE = frozenset({Kind.IMAGE, Kind.VIDEO}), 10
"""What an album shows, and how many files at most. Source: https://core.telegram.org/bots/api#sendmediagroup"""
ANSWER_TEXT = 200
"""Longest text that answers a pressed button. Source: https://core.telegram.org/bots/api#answercallbackquery"""

_MB = 1_000_000
FETCH = 20 * _MB
"""Largest file of a customer that a bot gets. Source: https://core.telegram.org/bots/api#getfile"""
_FILE = MediaLimit(upload=50 * _MB, link=20 * _MB, fetch=FETCH)
_CARRIED = frozenset({
    Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VOICE, Kind.VIDEO, Kind.DOCUMENT, Kind.STICKER, Kind.LOCATION,
    Kind.CONTACT, Kind.BUTTONS, Kind.REACTION, Kind.EDIT, Kind.DELETE,
})  # fmt: skip

_EMOJI = (
    "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u200d🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 "
    "🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 "
    "🤷\u200d♂ 🤷 🤷\u200d♀ 😡"
)  # https://core.telegram.org/bots/api#reactiontypeemoji

CAPABILITIES = Capabilities(
    receives=_CARRIED,  # deletions from business chats only
    sends=_CARRIED | {Kind.TYPING, Kind.ANSWER, Kind.READ},  # read marks in business chats only
    text=4096,
    caption=1024,
    unit=TextUnit.UTF16,
    # https://core.telegram.org/bots/api#sending-files; what Telegram can play it says at each method
    media={
        Kind.IMAGE: MediaLimit(upload=10 * _MB, link=5 * _MB, fetch=FETCH),
        Kind.AUDIO: _FILE,
        Kind.VOICE: _FILE,
        Kind.VIDEO: _FILE,
        Kind.DOCUMENT: _FILE,
        Kind.STICKER: _FILE,
    },
    # https://core.telegram.org/bots/api#inlinekeyboardbutton; it names no longest title, the apps cut it off
    buttons=ButtonLimit(count=100, title=128, payload=64, text=4096, payload_unit=TextUnit.BYTES, urls=True),
    delete_within=timedelta(hours=48),  # https://core.telegram.org/bots/api#deletemessage
    resend=Resend.NEVER,  # it takes no key of ours, cannot be asked, and reports nothing later
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    rates=(Rate(RateScope.CONNECTION, 30, 1), Rate(RateScope.RECIPIENT, 1, 1), Rate(RateScope.GROUP, 20, 60)),
    quotes=True,
    emoji=frozenset(_EMOJI.split()),
    reactions=3,  # of a customer with Telegram Premium; a bot leaves one
    schemes=(SCHEME,),
)
