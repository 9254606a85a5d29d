"""Signatures of webhooks."""

from collections.abc import Iterable
from hmac import compare_digest

from channelry.errors import RejectedError


def require(given: bytes, expected: Iterable[bytes], provider: str) -> None:
    """Raise RejectedError unless `given` is one of the `expected`: one for each secret, none where there is none.

    Bytes are compared (of `str`, non-ASCII raises), in constant time.
    """
    for one in expected:
        if compare_digest(given, one):
            return
    raise RejectedError(f"the request is not signed by {provider}")
