"""How large files may be at Meta."""

from channelry.model import MediaLimit

MIB = 1024 * 1024
LARGEST = 100 * MIB
"""Bytes of a customer's file; it is not held to the limits of what we send."""


def file(most: int, *types: str) -> MediaLimit:
    """Give the limits of a kind of file: its bytes, uploaded or linked, and its media types (none named: any)."""
    return MediaLimit(types=frozenset(types), upload=most, link=most, fetch=LARGEST)
