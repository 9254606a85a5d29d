"""The Messenger channel: its hooks, each where its work is done."""

from channelry import plugin

from . import receive, send
from .connection import Page


@plugin
class Messenger(Page):
    """Messenger: one connection is one Facebook Page and its conversations."""

    parse, profile = receive.parse, receive.profile
    compose, send = send.compose, send.send
