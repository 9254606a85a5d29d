"""The channel of a Page's comments: its hooks, each where its work is done."""

from channelry import plugin

from . import receive, send
from .connection import Page


@plugin
class Facebook(Page):
    """Facebook's comments and mentions: one connection is one Page."""

    parse, expand = receive.parse, receive.expand
    compose, send, reconcile = send.compose, send.send, send.reconcile
