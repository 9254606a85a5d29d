"""The right to act for an account: OAuth 1.0a keys that never expire, or OAuth 2.0 tokens that rotate.

Source: RFC 5849, 3.4, and https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
"""

from base64 import b64encode
from collections.abc import Mapping
from hmac import digest
from secrets import token_hex
from urllib.parse import parse_qsl, quote, urlsplit

from attrs import frozen

from channelry.secrets import Secret
from channelry.services import Services
from channelry_webapi import Issued, granted
from channelry_webapi.credentials import AUTHORIZATION, basic

TOKEN_PATH = "/2/oauth2/token"


def signature(method: str, url: str, oauth: Mapping[str, str], consumer_secret: str, token_secret: str) -> str:
    """Sign a request whose body is no form, with HMAC-SHA1."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    pairs = sorted((_escape(name), _escape(value)) for name, value in [*oauth.items(), *query])
    parameters = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(map(_escape, (method, f"{parts.scheme}://{parts.netloc}{parts.path}", parameters)))
    key = f"{_escape(consumer_secret)}&{_escape(token_secret)}"
    return b64encode(digest(key.encode(), base.encode(), "sha1")).decode()


def _escape(text: str) -> str:
    return quote(text, safe="")


@frozen
class Keys:
    """OAuth 1.0a: the app's and the account's keys, which sign each request."""

    consumer_key: str
    consumer_secret: Secret
    token: Secret
    token_secret: Secret

    async def headers(self, services: Services, method: str, url: str) -> Mapping[str, str]:
        oauth = {
            "oauth_consumer_key": self.consumer_key,
            "oauth_nonce": token_hex(16),
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": str(int(services.clock.now().timestamp())),
            "oauth_token": self.token.reveal(),
            "oauth_version": "1.0",
        }
        signed = signature(method, url, oauth, self.consumer_secret.reveal(), self.token_secret.reveal())
        pairs = {**oauth, "oauth_signature": signed}
        return {AUTHORIZATION: "OAuth " + ", ".join(f'{name}="{_escape(value)}"' for name, value in pairs.items())}

    async def replace(self, services: Services, refused: Mapping[str, str]) -> bool:
        return False


@frozen
class App:
    """OAuth 2.0: an app that has its account's tokens renewed; a public one has no secret."""

    url: str
    client_id: str
    client_secret: Secret | None

    async def renew(self, refresh: Secret, services: Services) -> Issued:
        """Have the next access token issued, for two hours, and the next refresh token."""
        form = [("grant_type", "refresh_token"), ("refresh_token", refresh.reveal()), ("client_id", self.client_id)]
        shown = basic(self.client_id, self.client_secret) if self.client_secret else None
        headers = await shown.headers(services, "POST", self.url) if shown else None
        return await granted(services, self.url, form, headers=headers, mend="authorize the app again")
