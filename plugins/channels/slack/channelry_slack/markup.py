"""Slack's markup: `&`, `<` and `>` are escaped, and people, channels and links stand in angle brackets.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

import re

_REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def escape(text: str) -> str:
    """Write a text so that Slack shows it as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> str:
    """Give the words that people see."""
    if "<" in text:
        text = _REFERENCE.sub(_words, text)
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text


def _words(found: re.Match[str]) -> str:
    """Name a person, a channel, a group (`<!subteam^S1|@crew>`), a date, or a link with its label."""
    sign, target, label = found[1], found[2], found[3] or ""
    if sign == "!":
        return label or f"@{target.partition('^')[0]}"
    if sign:
        return f"{sign}{(label or target).removeprefix(sign)}"
    address = target.removeprefix("mailto:").removeprefix("tel:")
    return f"{label} ({address})" if label and label not in (address, target) else address
