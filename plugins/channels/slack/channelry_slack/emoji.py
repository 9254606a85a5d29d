"""The names that Slack has for emoji: reactions go by them. The first name of each is the one that Slack tells.

Source: the short names of https://github.com/iamcal/emoji-data, which Slack uses; custom ones have no emoji.
"""

from channelry.model.capabilities import plain_emoji

_NAMES = """
👍 +1 thumbsup | 👎 -1 thumbsdown | ❤️ heart | 😂 joy | 😀 grinning | 😄 smile | 😃 smiley | 😁 grin | 😊 blush |
🙂 slightly_smiling_face | 😉 wink | 😍 heart_eyes | 😘 kissing_heart | 😎 sunglasses |
🤔 thinking_face thinking | 😅 sweat_smile | 😆 laughing satisfied | 🤣 rolling_on_the_floor_laughing |
😢 cry | 😭 sob | 😡 rage | 😠 angry | 😮 open_mouth | 😱 scream | 😕 confused | 🙁 slightly_frowning_face |
😞 disappointed | 😴 sleeping | 🙄 face_with_rolling_eyes | 🎉 tada | 🔥 fire | 💯 100 | 👀 eyes | 🙏 pray |
👏 clap | 🙌 raised_hands | 👋 wave | 👌 ok_hand | 💪 muscle | 🤝 handshake | 🤞 crossed_fingers |
✅ white_check_mark | ✔️ heavy_check_mark | ❌ x | ❓ question | ❗ exclamation heavy_exclamation_mark |
⚠️ warning | ➕ heavy_plus_sign | ➖ heavy_minus_sign | 🚀 rocket | ⭐ star | 🌟 star2 | ✨ sparkles | 💡 bulb |
🐛 bug | 🎂 birthday | ☕ coffee | 🍕 pizza | 🍻 beers | 🌹 rose | 💔 broken_heart | 💙 blue_heart |
💚 green_heart | 🧡 orange_heart | 💜 purple_heart | 🫡 saluting_face | 🤷 shrug | 🤦 face_palm |
⏳ hourglass_flowing_sand | 📌 pushpin | 🔴 red_circle | 🟢 large_green_circle | 🎁 gift |
🤗 hugging_face hugs | 😇 innocent | 🥳 partying_face | 😬 grimacing | 💩 hankey poop
"""

_ROWS = [row.split() for row in _NAMES.split("|")]
_EMOJI = {name: emoji for emoji, *names in _ROWS for name in names}
NAMES: dict[str, str] = {emoji: names[0] for emoji, *names in _ROWS}
"""The name by emoji."""
_PLAIN = {plain_emoji(emoji): name for emoji, name in NAMES.items()}
_SKINS = dict.fromkeys(range(0x1F3FB, 0x1F400))


def name_of(emoji: str) -> str:
    """Give the name of an emoji, whatever its spelling and its skin; `""` for one without."""
    return _PLAIN.get(plain_emoji(emoji).translate(_SKINS), "")


def emoji_of(name: str) -> str:
    """Give the emoji of a name, whatever its skin; a name without one (a workspace's own) as `:name:`."""
    bare = name.partition("::")[0]
    return _EMOJI.get(bare) or f":{bare}:"
