"""The X channel: its hooks, each where its work is done."""

from channelry import plugin
from channelry_webapi import files

from . import account, receive, send
from .connection import Account


@plugin
class Twitter(Account):
    """X, once Twitter: one connection is one account, its messages, what mentions it, and what answers its posts."""

    verify, parse = receive.verify, receive.parse
    compose, send, reconcile = send.compose, send.send, send.reconcile
    setup, check, profile, fetch = account.setup, account.check, account.profile, files.fetch
