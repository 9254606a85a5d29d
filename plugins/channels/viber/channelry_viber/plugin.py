"""The Viber channel: its hooks, each where its work is done."""

from channelry import plugin
from channelry_webapi import fetch

from . import account, receive, send
from .connection import Bot


@plugin
class Viber(Bot):
    """Viber by its REST bot API: one connection is one bot."""

    verify, parse = receive.verify, receive.parse
    compose, send = send.compose, send.send
    setup, check, fetch = account.setup, account.check, fetch
