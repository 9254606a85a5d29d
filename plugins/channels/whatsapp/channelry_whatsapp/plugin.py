"""WhatsApp as a channel: its hooks, each where its work is done."""

from channelry import plugin

from . import account, receive, send
from .connection import Number


@plugin
class WhatsApp(Number):
    """One phone number of the WhatsApp Business Platform (Cloud API)."""

    parse = receive.parse
    compose, send = send.compose, send.send
    fetch, setup, check = account.fetch, account.setup, account.check
