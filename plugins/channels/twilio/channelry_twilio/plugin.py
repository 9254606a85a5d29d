"""The Twilio channel: its hooks, each where its work is done."""

from channelry import plugin
from channelry_webapi import fetch

from . import account, receive, send
from .connection import Sender


@plugin
class Twilio(Sender):
    """Text messages by Twilio, SMS, MMS and WhatsApp: one connection is one sender."""

    verify, parse = receive.verify, receive.parse
    compose, send, reconcile = send.compose, send.send, send.reconcile
    setup, check = account.setup, account.check
    # Twilio answers with a redirect, which gets no credentials.
    # Source: https://www.twilio.com/docs/messaging/api/media-resource
    fetch = fetch
