"""A channel whose import takes its time."""

import time

from acme import Acme

from channelry import plugin

began = time.process_time()
while time.process_time() - began < 1.2:
    pass


@plugin
class Slow(Acme):
    """Acme, slowly."""
