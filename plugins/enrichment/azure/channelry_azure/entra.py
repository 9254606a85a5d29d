"""The configuration of Entra ID, which proves a resource ours without a key."""

from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from channelry.secrets import Secret


def _authority(_: Any, attribute: Any, value: str) -> None:
    parts = urlsplit(value)
    if not parts.hostname or parts.scheme != "https" or "@" in parts.netloc or parts.path.strip("/"):
        raise ValueError(f"{attribute.name!r} must be an address as https://login.microsoftonline.com")


@frozen(kw_only=True)
class Entra:
    """Entra ID in place of a key.

    - `tenant`, `client`, `secret`: an application that has the role *Cognitive Services Language Reader*. Without a
      `secret` it is the managed identity of the machine; `client` names it where there are several.
    - `authority`: where tokens are asked for; national clouds have their own.
    """

    tenant: str = ""
    client: str = ""
    secret: Secret | None = None
    authority: str = field(default="https://login.microsoftonline.com", validator=_authority)
