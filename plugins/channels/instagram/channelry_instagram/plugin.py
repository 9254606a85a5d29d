"""The Instagram channel: its hooks, each where its work is done."""

from channelry import plugin

from . import receive, send
from .connection import Professional


@plugin
class Instagram(Professional):
    """Instagram's messages, comments and mentions: one connection is one professional account."""

    parse, expand, profile = receive.parse, receive.expand, receive.profile
    compose, send, reconcile = send.compose, send.send, send.reconcile
