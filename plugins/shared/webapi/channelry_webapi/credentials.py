"""What makes requests the account's."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Protocol

from attrs import frozen

from channelry.errors import AuthError
from channelry.secrets import Secret
from channelry.services import Services

AUTHORIZATION, BEARER = "authorization", "Bearer "


class Credentials(Protocol):
    """Headers for each request; AuthError where nothing is configured, or a person has to act."""

    async def headers(self, services: Services, method: str, url: str) -> Mapping[str, str]:
        """Give the headers for one request; `url` has its query."""

    async def replace(self, services: Services, refused: Mapping[str, str]) -> bool:
        """Replace what the headers `refused` bore; tell whether another attempt is worth while."""


@frozen
class Shown:
    """A secret that never ends: a token, a key; `prefix` stands before it in the header `name`."""

    secret: Secret
    name: str = AUTHORIZATION
    prefix: str = BEARER

    async def headers(self, services: Services, method: str, url: str) -> Mapping[str, str]:
        return {self.name: self.prefix + self.secret.reveal()}

    async def replace(self, services: Services, refused: Mapping[str, str]) -> bool:
        return False


def basic(user: str, password: Secret) -> Shown:
    """Give the credentials of a user and a password (RFC 7617)."""
    return Shown(Secret(b64encode(f"{user}:{password.reveal()}".encode()).decode()), prefix="Basic ")


@frozen
class Missing:
    """What should have been configured: `"set bot_token, or …"`."""

    wanted: str

    async def headers(self, services: Services, method: str, url: str) -> Mapping[str, str]:
        raise AuthError(self.wanted, code="token")

    async def replace(self, services: Services, refused: Mapping[str, str]) -> bool:
        return False
