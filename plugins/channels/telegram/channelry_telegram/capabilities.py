"""What Telegram carries, and within which limits."""

from datetime import timedelta

from channelry.model import ButtonLimit, Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, TextUnit

SCHEME = "telegram"

ALBUM, ALBUM_SIZE = frozenset({Kind.IMAGE, Kind.VIDEO}), 10
"""What an album shows, and how many files at most. Source: https://core.telegram.org/bots/api#sendmediagroup"""
ANSWER_TEXT = 200
"""Longest text that answers a pressed button. Source: https://core.telegram.org/bots/api#answercallbackquery"""

UNHANDLED = frozenset({
    "channel_post", "edited_channel_post", "message_reaction_count", "inline_query",
    "chosen_inline_result", "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll",
    "poll_answer", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
})  # fmt: skip
"""Kinds of updates that no customer's message is in; none of them is asked for."""

FORWARDED = frozenset({
    "forward_origin", "forward_date", "forward_from", "forward_from_chat", "forward_from_message_id",
    "forward_signature", "forward_sender_name",
})  # fmt: skip
"""Fields of messages that were forwarded; all but the first are from before Bot API 7.0."""
BESIDE = FORWARDED | frozenset({
    "message_id", "message_thread_id", "date", "chat", "from", "sender_chat", "sender_boost_count",
    "sender_business_bot", "sender_tag", "business_connection_id", "direct_messages_topic",
    "is_topic_message", "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story",
    "reply_to_checklist_task_id", "via_bot", "edit_date", "has_protected_content", "is_from_offline",
    "guest_query_id", "guest_bot_caller_user", "guest_bot_caller_chat", "receiver_user", "ephemeral_message_id",
    "reply_to_poll_option_id", "is_paid_post", "media_group_id", "author_signature", "paid_star_count", "text",
    "entities", "link_preview_options", "suggested_post_info", "effect_id", "caption", "caption_entities",
    "show_caption_above_media", "has_media_spoiler", "reply_markup",
})  # fmt: skip
"""Fields of messages that are beside what was said."""

SERVICE = frozenset({
    "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo",
    "group_chat_created", "supergroup_chat_created", "channel_chat_created", "migrate_from_chat_id",
    "message_auto_delete_timer_changed", "pinned_message", "forum_topic_created", "forum_topic_edited",
    "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden",
    "video_chat_scheduled", "video_chat_started", "video_chat_ended", "video_chat_participants_invited",
    "boost_added", "chat_background_set",
})  # fmt: skip
"""Fields of messages that a chat writes by itself: nobody said anything."""

PRESENT, GONE = frozenset({"creator", "administrator", "member", "restricted"}), frozenset({"left", "kicked"})
"""Statuses of who is in a chat and of who is not. Source: https://core.telegram.org/bots/api#chatmember"""

CAPTIONED = frozenset({"sendPhoto", "sendAudio", "sendVoice", "sendVideo", "sendDocument", "sendMediaGroup"})
"""Methods whose files bear a text."""

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
