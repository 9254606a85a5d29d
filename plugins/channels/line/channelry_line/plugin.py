"""The LINE channel: its hooks, each where its work is done."""

from channelry import plugin

from . import account, receive, send
from .connection import Account


@plugin
class Line(Account):
    """LINE by its Messaging API: one connection is one channel, which is one official account."""

    verify, parse = receive.verify, receive.parse
    compose, send, reconcile = send.compose, send.send, send.reconcile
    setup, check, profile, fetch = account.setup, account.check, account.profile, account.fetch
