"""Slack's markup and its names for emoji, there and back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channelry_slack.emoji import NAMES, emoji_of
from channelry_slack.markup import escape, plain


@given(st.text())
@example("&lt;@U1|mo&gt; <https://a.example|this> &amp;amp;")
def test_what_is_escaped_is_shown_as_it_was_written(text: str) -> None:
    assert plain(escape(text)) == text


@pytest.mark.parametrize("emoji", sorted(NAMES))
def test_a_name_leads_back_to_its_emoji(emoji: str) -> None:
    assert emoji_of(NAMES[emoji]) == emoji
