"""A channel whose import is heard."""

from acme import Acme

from channelry import plugin

print("Acme is loaded")


@plugin
class Loud(Acme):
    """Acme, loudly."""
