"""The plugin fits the contract, is found by its entry points, and says what X carries."""

from importlib.metadata import entry_points
from typing import Any

import pytest

from channelry.model import Kind, Rate, RateScope, Resend
from channelry.registry import examine, marked
from channelry.secrets import Secret
from channelry.text import split
from channelry_twitter.capabilities import weight
from channelry_twitter.plugin import Twitter
from channelry_twitter.simulator import TwitterSimulator


def twitter(**more: Any) -> Twitter:
    return Twitter(Twitter.Config(**({"user_id": "111", "consumer_secret": (Secret("CANARY-1"),)} | more)))


def test_its_hooks_are_those_of_the_contract() -> None:
    examine("twitter", Twitter)
    hooks = {"verify", "parse", "compose", "send", "reconcile", "profile", "fetch", "setup", "check"}
    assert set(marked(Twitter)) == hooks


def test_plugin_and_simulator_are_found_by_entry_point() -> None:
    (plugin,) = entry_points(group="channelry.plugins", name="twitter")
    (simulator,) = entry_points(group="channelry.simulators", name="twitter")
    assert plugin.load() is Twitter
    assert simulator.load() is TwitterSimulator


@pytest.mark.row("F9")
def test_two_connections_with_equal_configurations_are_two() -> None:
    config = twitter().config
    assert Twitter(config) != Twitter(config)


@pytest.mark.row("F10")
def test_a_configuration_does_not_show_its_secrets() -> None:
    names = ("access_token", "access_token_secret", "client_secret", "refresh_token", "bearer_token")
    one = twitter(**{name: Secret(f"CANARY-{name}") for name in names})
    assert "CANARY" not in f"{one.config!r} {one.config} {one!r}"


@pytest.mark.parametrize("user_id", ["", "eve", "@eve", "1.5", "1" * 21])
def test_an_account_is_known_by_its_number(user_id: str) -> None:
    with pytest.raises(ValueError, match="user_id"):
        twitter(user_id=user_id)


def test_messages_and_posts_carry_different_things() -> None:
    direct, public = twitter().capabilities, twitter().capabilities.public
    assert public is not None
    assert (direct.text, public.text) == (10_000, 280)
    assert public.sends - direct.sends == {Kind.REACTION, Kind.HIDE}
    assert twitter(post_length=25_000).capabilities.public.text == 25_000  # type: ignore[union-attr]
    assert {direct.resend, public.resend} == {Resend.LOOKUP}


def test_fifteen_messages_in_fifteen_minutes_unless_x_grants_more() -> None:
    dm = frozenset({"dm"})
    assert twitter().capabilities.rates[0] == Rate(RateScope.CONNECTION, 15, 900, dm)
    rates = twitter(direct_messages=5_000).capabilities.rates
    assert [rate.count for rate in rates if rate.actions == dm] == [5_000, 5_000, 5_000]


@pytest.mark.parametrize(
    ("text", "weighs"),
    [
        ("", 0),
        ("hello", 5),
        ("λόγος", 5),
        ("“so”—", 5),
        ("日本", 4),
        ("😀", 2),
        ("👍🏽", 2),
        ("❤️", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🏳️‍🌈", 2),
        ("🇬🇷🇩🇪", 4),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("1️⃣2️⃣", 4),
        ("©", 1),
        ("©️", 2),
        ("cafe\u0301", 4),
        ("see https://shop.example/a/very/long/address/indeed ok", 30),
        ("http://a.io", 23),
        ("https://example.com/a" + "あ" * 10, 43),
        ("(https://example.com/a).", 26),
        ("example.com", 23),
        ("see shop.example.co/x?y=1, please", 35),
        ("e.g. 3.14 or v1.2", 17),
        ("me@example.com", 14),
    ],
)
def test_a_post_is_counted_as_x_counts(text: str, weighs: int) -> None:
    assert weight(text) == weighs


def test_a_text_is_not_cut_within_a_link_that_fits() -> None:
    link = "https://example.com/" + "x" * 300
    pieces = split(f"{'a' * 100} {link} {'b' * 250}", 280, weight)
    assert pieces == [f"{'a' * 100} {link}", "b" * 250]
