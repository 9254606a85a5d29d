"""The token that the API is called with: one that lasts, or one of twelve hours that is renewed before it ends.

Source: https://docs.slack.dev/authentication/using-token-rotation
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import orjson
from attrs import frozen

from channelry.errors import AuthError, RetryableError
from channelry.secrets import Secret, one_line
from channelry.services import Services

KEY = "token"
"""The key in the connection's state: the tokens, when the access token ends, and who is renewing them until when."""
_PASSING = frozenset({"internal_error", "fatal_error", "ratelimited", "request_timeout", "service_unavailable"})
_SHAPE = {"access_token": str, "refresh_token": str, "expires_in": int}
_EARLY = timedelta(hours=1)
_LEASE = timedelta(minutes=1)


@frozen
class Tokens:
    """Where a connection's token comes from.

    - `lasting`: one that does not end, or None: then one is had for `refresh`, which is good once and brings the next.
    - `client_id`, `client_secret`: the app's, for renewing.
    """

    lasting: Secret | None
    refresh: Secret | None
    client_id: str
    client_secret: Secret | None

    async def token(self, base_url: str, services: Services) -> Secret:
        """Give the token; renew it first where it ends within an hour, in one process only."""
        if self.lasting is not None:
            return self.lasting
        if self.refresh is None or self.client_secret is None:
            raise AuthError("set bot_token, or refresh_token, client_id and client_secret", code="no_token")
        chain, now = hashlib.sha256(self.refresh.encode()).hexdigest(), services.clock.now()
        kept = await services.state.get(KEY)
        found = orjson.loads(kept) if kept else {}
        if found.get("chain") != chain:  # the app was installed anew
            found = {"chain": chain, "refresh": self.refresh.reveal(), "token": "", "until": now.isoformat()}
        left = datetime.fromisoformat(found["until"]) - now
        leased = "lease" in found and now < datetime.fromisoformat(found["lease"])
        if found["token"] and (left > _EARLY or (leased and left > timedelta())):
            return Secret(found["token"])
        held = orjson.dumps({**found, "lease": (now + _LEASE).isoformat()}).decode()
        if leased or not await services.state.compare_and_set(KEY, kept, held):
            raise RetryableError("the token is just being renewed", code="renewing", retry_after=1.0)
        renewed = await self._renewed(base_url, Secret(found["refresh"]), services)
        until = (now + timedelta(seconds=renewed["expires_in"])).isoformat()
        found = {"chain": chain, "refresh": renewed["refresh_token"], "token": renewed["access_token"], "until": until}
        await services.state.compare_and_set(KEY, held, orjson.dumps(found).decode())
        return Secret(renewed["access_token"])

    async def _renewed(self, base_url: str, refresh: Secret, services: Services) -> dict[str, Any]:
        assert self.client_secret is not None
        form = [
            ("client_id", self.client_id),
            ("client_secret", self.client_secret.reveal()),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.reveal()),
        ]
        url = f"{base_url}/oauth.v2.access"
        answer = (await services.http.request("POST", url, form=form, repeatable=True)).json()
        found: dict[str, Any] = answer if isinstance(answer, dict) else {}
        if found.get("error", "internal_error") not in _PASSING:
            said = one_line(str(found["error"]))
            raise AuthError(f"Slack renews no token ({said}); install the app again", code=said)
        if not all(isinstance(found.get(name), kind) for name, kind in _SHAPE.items()):
            raise RetryableError("Slack's answer has no token", code="unreadable")
        return found
