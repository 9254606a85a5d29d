"""Signatures of webhooks."""

from collections.abc import Callable, Iterable
from hmac import compare_digest, digest

from channelry.errors import RejectedError
from channelry.secrets import Secrets


def require(given: bytes, expected: Iterable[bytes], provider: str) -> None:
    """Raise RejectedError unless `given` is one of the `expected`: one for each secret, none where there is none.

    Bytes are compared (of `str`, non-ASCII raises), in constant time.
    """
    for one in expected:
        if compare_digest(given, one):
            return
    raise RejectedError(f"the request bears no valid signature or token of {provider}")


def require_hmac(given: bytes, signed: bytes, secrets: Secrets, form: Callable[[bytes], bytes], provider: str) -> None:
    """Raise RejectedError unless `given` is the HMAC-SHA-256 of the bytes `signed` by one secret, written in `form`."""
    for secret in secrets:
        if compare_digest(given, form(digest(secret.encode(), signed, "sha256"))):
            return
    raise RejectedError(f"the request bears no valid signature or token of {provider}")
