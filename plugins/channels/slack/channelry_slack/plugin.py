"""The Slack channel: its hooks, each where its work is done."""

from channelry import plugin

from . import account, receive, send
from .connection import Workspace


@plugin
class Slack(Workspace):
    """Slack by its Events and Web API: one connection is one app in one workspace."""

    verify, parse = receive.verify, receive.parse
    compose, send, reconcile = send.compose, send.send, send.reconcile
    open, check, profile, fetch = account.open, account.check, account.profile, account.fetch
