"""The token of an Instagram login, which lives for 60 days and is renewed in time.

https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token
"""

from datetime import datetime, timedelta
from hashlib import sha256

import orjson
from attrs import frozen

from channelry.errors import SendError
from channelry.parsing import identifier, number
from channelry.secrets import Secret
from channelry.services import Services
from channelry_meta import Graph
from channelry_meta.access import Settings

_AGAIN = timedelta(hours=1)
"""After how long a renewal that failed is tried again; a token younger than 24 hours is not renewed."""


@frozen
class _Kept:
    """The token in use, and when to renew it."""

    token: Secret
    renew_at: datetime

    def text(self) -> str:
        return orjson.dumps({"token": self.token.reveal(), "renew_at": self.renew_at.isoformat()}).decode()

    @classmethod
    def read(cls, text: str) -> "_Kept":
        kept = orjson.loads(text)
        return cls(Secret(kept["token"]), datetime.fromisoformat(kept["renew_at"]))


async def current(config: Settings, services: Services) -> Graph:
    """Give the way in by the token in use; half through its life, it is renewed and kept in the connection's state.

    It is kept by the configured token that it stems from, so one that is configured anew begins anew. If renewing
    fails the old one serves on.
    """
    configured, state = config.access_token, services.state
    name = f"token:{sha256(configured.encode()).hexdigest()}"
    stored = await state.get(name)
    kept = _Kept(configured, services.clock.now()) if stored is None else _Kept.read(stored)
    if services.clock.now() >= kept.renew_at:
        kept = await _renewed(kept, config, services)
        while not await state.compare_and_set(name, stored, kept.text()):  # another process renews too
            stored = await state.get(name)
            other = None if stored is None else _Kept.read(stored)
            if other is not None and other.renew_at >= kept.renew_at:
                return config.graph(token=other.token)
    return config.graph(token=kept.token)


async def _renewed(kept: _Kept, config: Settings, services: Services) -> _Kept:
    query = {"grant_type": "ig_refresh_token", "access_token": kept.token.reveal()}
    try:
        answer = await config.graph(token=kept.token).call(services, "GET", "refresh_access_token", query=query)
        token, half = identifier(answer["access_token"]), timedelta(seconds=number(answer["expires_in"]) / 2)
        return _Kept(Secret(token), services.clock.now() + half)
    except (SendError, KeyError, ValueError, OverflowError):
        return _Kept(kept.token, services.clock.now() + _AGAIN)
