"""The right to act for an account: OAuth 1.0a keys that never expire, or OAuth 2.0 tokens that rotate.

Source: RFC 5849, 3.4, and https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import digest
from secrets import token_hex
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlsplit

import anyio
import orjson
from attrs import define, field, frozen

from channelry.errors import AuthError, RetryableError
from channelry.secrets import Secret, one_line
from channelry.services import Services

TOKEN_PATH = "/2/oauth2/token"
EARLY = 60.0
"""Seconds before its end at which a token is replaced."""
LIFE = 7200.0
"""Seconds that an access token lives where X does not say."""
PATIENCE = 10.0
"""Seconds that X has for the answer with new tokens."""
LEASE = 60.0
"""Seconds for which one process may be about replacing it; a refresh token is good once."""
_STATE, _LEASE_STATE = "token", "token lease"


class Authority(Protocol):
    """What makes requests the account's."""

    async def header(self, method: str, url: str, services: Services) -> dict[str, str]:
        """Give the header for one request; `url` has its query."""

    async def renew(self, refused: Mapping[str, str], services: Services) -> bool:
        """Replace what the header `refused` bore; tell whether that is possible."""


def signature(method: str, url: str, oauth: Mapping[str, str], consumer_secret: str, token_secret: str) -> str:
    """Sign a request whose body is no form, with HMAC-SHA1."""
    parts = urlsplit(url)
    pairs = sorted(
        (_escape(name), _escape(value))
        for name, value in [*oauth.items(), *parse_qsl(parts.query, keep_blank_values=True)]
    )
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

    async def header(self, method: str, url: str, services: Services) -> dict[str, str]:
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
        return {"authorization": "OAuth " + ", ".join(f'{name}="{_escape(value)}"' for name, value in pairs.items())}

    async def renew(self, refused: Mapping[str, str], services: Services) -> bool:
        return False


@define(eq=False)
class Tokens:
    """OAuth 2.0: an access token for two hours, replaced by a refresh token that is good once, both kept in `state`.

    `refresh_token` begins the chain; another one in the configuration begins a new chain.
    """

    url: str
    client_id: str
    client_secret: Secret | None
    refresh_token: Secret
    _replacing: anyio.Event | None = field(default=None, init=False, repr=False)
    """Set once the tokens are replaced that this process is replacing."""
    _masked: tuple[Secret, ...] = field(default=(), init=False, repr=False)
    """What was read from `state` last: alive here, so that it is masked in every text."""

    async def header(self, method: str, url: str, services: Services) -> dict[str, str]:
        return {"authorization": f"Bearer {await self._access('', services)}"}

    async def renew(self, refused: Mapping[str, str], services: Services) -> bool:
        await self._access(refused["authorization"].removeprefix("Bearer "), services)
        return True

    async def _access(self, refused: str, services: Services) -> str:
        """Give an access token that is good and is not the `refused` one; of many who ask at once one replaces it."""
        while True:
            held, _ = await self._held(services)
            good = held["until"] - EARLY > services.clock.now().timestamp()
            if good and held["access"] != refused:
                return str(held["access"])
            if self._replacing is None:
                break
            await self._replacing.wait()
        self._replacing = replaced = anyio.Event()
        try:
            return str((await self._replace(held, services))["access"])
        finally:
            self._replacing = None
            replaced.set()

    async def _held(self, services: Services) -> tuple[dict[str, Any], str | None]:
        """Give the tokens that are kept, or the beginning of the chain, and how they are kept."""
        text = await services.state.get(_STATE)
        origin = sha256(self.refresh_token.encode()).hexdigest()
        held = orjson.loads(text) if text else {}
        if held.get("origin") != origin:
            held = {"origin": origin, "access": "", "refresh": self.refresh_token.reveal(), "until": 0.0}
        self._masked = (Secret(held["access"]), Secret(held["refresh"]))
        return held, text

    async def _replace(self, stale: Mapping[str, Any], services: Services) -> dict[str, Any]:
        """Replace the tokens, alone among all processes; who comes second takes what the first one got."""
        now = services.clock.now().timestamp()
        lease = await services.state.get(_LEASE_STATE)
        free = lease is None or float(lease) <= now
        if not free or not await services.state.compare_and_set(_LEASE_STATE, lease, str(now + LEASE)):
            raise RetryableError("another process replaces the access token", code="token", retry_after=1.0)
        try:
            # not cancelled with its caller: once X has taken the refresh token, only its answer has the next one
            with anyio.move_on_after(PATIENCE, shield=True):
                return await self._exchange(stale, services)
            raise RetryableError("no new access token: X does not answer", code="token")
        finally:
            with anyio.CancelScope(shield=True):
                await services.state.compare_and_set(_LEASE_STATE, str(now + LEASE), None)

    async def _exchange(self, stale: Mapping[str, Any], services: Services) -> dict[str, Any]:
        held, text = await self._held(services)
        if held["access"] != stale["access"]:
            return held
        answer = await self._ask(held["refresh"], services)
        until = services.clock.now().timestamp() + float(answer.get("expires_in", LIFE))
        refresh = answer.get("refresh_token") or held["refresh"]
        fresh = {**held, "access": answer["access_token"], "refresh": refresh, "until": until}
        await services.state.compare_and_set(_STATE, text, orjson.dumps(fresh).decode())
        return (await self._held(services))[0]

    async def _ask(self, refresh_token: str, services: Services) -> Mapping[str, Any]:
        form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", self.client_id)]
        headers = {}
        if self.client_secret is not None:
            credentials = b64encode(f"{self.client_id}:{self.client_secret.reveal()}".encode()).decode()
            headers = {"authorization": f"Basic {credentials}"}
        response = await services.http.request("POST", self.url, headers=headers, form=form, repeatable=True)
        answer = response.json()
        if response.status == 200 and isinstance(answer, dict) and answer.get("access_token"):
            return answer
        if response.status == 429 or response.status >= 500 or response.status == 200:
            raise RetryableError(f"no new access token: HTTP {response.status}", code="token")
        said = one_line(str(answer.get("error_description", ""))) if isinstance(answer, dict) else ""
        raise AuthError(f"no new access token; authorize the app again: {said}", code="token")


@frozen
class NoAuthority:
    """Neither keys nor tokens are configured."""

    async def header(self, method: str, url: str, services: Services) -> dict[str, str]:
        raise AuthError("neither access_token and its secret nor client_id and refresh_token are set", code="token")

    async def renew(self, refused: Mapping[str, str], services: Services) -> bool:
        return False
