"""The Telegram channel: its hooks, each where its work is done."""

from channelry import plugin

from . import account, receive, send
from .connection import Bot


@plugin
class Telegram(Bot):
    """Telegram by its Bot API: one connection is one bot."""

    verify, parse, listen = receive.verify, receive.parse, receive.listen
    compose, send = send.compose, send.send
    setup, check, fetch = account.setup, account.check, account.fetch
