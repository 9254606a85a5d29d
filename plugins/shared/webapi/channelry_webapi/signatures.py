"""Signatures of webhooks."""

from collections.abc import Callable, Iterable
from hmac import compare_digest, digest

from channelry.errors import RejectedError
from channelry.secrets import Secrets


def require(given: bytes, expected: Iterable[bytes], provider: str) -> None:
    """Raise RejectedError unless `given` is one of the `expected`: one for each secret, none where there is none.

    An empty one is never right. Bytes are compared (of `str`, non-ASCII raises), in constant time.
    """
    for one in expected:
        if one and compare_digest(given, one):
            return
    raise RejectedError(f"the request bears no valid signature or token of {provider}")


def require_hmac(
    given: bytes,
    signed: bytes,
    secrets: Secrets,
    form: Callable[[bytes], bytes],
    provider: str,
    algorithm: str = "sha256",
) -> None:
    """Raise RejectedError unless `given` is the HMAC of the bytes `signed` by one secret, written in `form` (`hexlify`,
    `b64encode`); a secret that is empty signs nothing."""
    for secret in secrets:
        key = secret.encode()
        if key and compare_digest(given, form(digest(key, signed, algorithm))):
            return
    raise RejectedError(f"the request bears no valid signature or token of {provider}")
