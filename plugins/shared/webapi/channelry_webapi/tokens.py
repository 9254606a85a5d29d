"""Access tokens that end: had for something that lasts, or for a refresh token that is good once."""

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import TypeAlias

import anyio
import orjson
from attrs import define, evolve, field, frozen

from channelry.errors import RetryableError
from channelry.secrets import Secret
from channelry.services import Services

from .credentials import AUTHORIZATION, BEARER

EARLY = 60.0
"""Seconds before its end at which a token is replaced."""
PATIENCE = 10.0
"""Seconds that the provider has for the answer with a new token."""
LEASE = 60.0
"""Seconds for which one process may be about replacing it; a refresh token is good once."""


@frozen
class Issued:
    """An access token, the seconds that it lives, and the next refresh token; None: the last one is good again."""

    access: Secret
    seconds: float
    refresh: Secret | None = None


Renew: TypeAlias = Callable[[Secret, Services], Awaitable[Issued]]
"""Has a new token issued for a refresh token; RetryableError, or AuthError where a person has to act."""


_NONE = Secret("")


@frozen
class _Held:
    """What is kept: the access token, when it ends, the refresh token, and until when somebody is renewing them."""

    access: Secret = _NONE
    until: float = 0.0
    refresh: Secret = _NONE
    lease: float = 0.0

    @classmethod
    def of(cls, text: str | None) -> "_Held":
        if text is None:
            return cls()
        access, until, refresh, lease = orjson.loads(text)
        return cls(Secret(access), until, Secret(refresh), lease)

    def text(self) -> str:
        return orjson.dumps([self.access.reveal(), self.until, self.refresh.reveal(), self.lease]).decode()


@define(eq=False)
class Tokens:
    """Credentials of a chain of tokens, kept in `state`, where all processes find them.

    - `origin`: what the chain begins with, a refresh token or an app's secret; another one begins another chain.
    - `renew`: has the next token issued; of all processes one at a time calls it.
    - `early`: seconds before its end at which a token is replaced; until then it serves on where that fails.
    """

    origin: Secret
    renew: Renew = field(repr=False)
    early: float = EARLY
    _key: str = field(init=False, repr=False)
    _renewing: anyio.Event | None = field(default=None, init=False, repr=False)
    """Set once this process is no longer renewing. (A lock would belong to the event loop that it was made in.)"""
    _last: _Held = field(factory=_Held, init=False, repr=False)
    """What was read from `state` last: alive here, so that it is masked in every text."""

    def __attrs_post_init__(self) -> None:
        self._key = f"token:{sha256(self.origin.encode()).hexdigest()}"

    async def headers(self, services: Services, method: str, url: str) -> Mapping[str, str]:
        return {AUTHORIZATION: f"{BEARER}{(await self.access(services)).reveal()}"}

    async def replace(self, services: Services, refused: Mapping[str, str]) -> bool:
        await self.access(services, Secret(refused[AUTHORIZATION].removeprefix(BEARER)))
        return True

    async def access(self, services: Services, refused: Secret | None = None) -> Secret:
        """Give an access token that is good and is not the `refused` one; of many who ask at once one renews it."""
        while True:
            held = await self._read(services)
            if self._serves(held, refused, services):
                return held.access
            if self._renewing is None:
                break
            await self._renewing.wait()
        self._renewing = done = anyio.Event()
        try:
            return (await self._current(refused, services)).access
        finally:
            self._renewing = None
            done.set()

    async def _read(self, services: Services) -> _Held:
        self._last = _Held.of(await services.state.get(self._key))
        return self._last

    def _serves(self, held: _Held, refused: Secret | None, services: Services) -> bool:
        """Tell whether a token may be used: it lives, and is not to be renewed yet, or is just being renewed."""
        now = services.clock.now().timestamp()
        return held.access != refused and now < held.until and (now < held.until - self.early or now < held.lease)

    async def _current(self, refused: Secret | None, services: Services) -> _Held:
        held, now = await self._read(services), services.clock.now().timestamp()
        if self._serves(held, refused, services):
            return held
        leased = evolve(held, lease=now + LEASE)
        if now < held.lease or not await self._keep(held, leased, services):
            raise RetryableError("another process renews the access token", code="token", retry_after=1.0)
        try:
            # not cancelled with its caller: once the refresh token is taken, only the answer has the next one
            with anyio.move_on_after(PATIENCE, shield=True):
                return await self._renewed(leased, services)
            raise RetryableError("no new access token in time", code="token")
        except BaseException as error:
            if isinstance(error, RetryableError) and held.access != refused and now < held.until:
                return held  # leased on, so that nobody tries again at once
            with anyio.CancelScope(shield=True):
                await self._keep(leased, held, services)
            raise

    async def _renewed(self, held: _Held, services: Services) -> _Held:
        refresh = self.origin if held.refresh == _NONE else held.refresh
        issued = await self.renew(refresh, services)
        until = services.clock.now().timestamp() + issued.seconds
        self._last = _Held(issued.access, until, issued.refresh or held.refresh)
        if not await self._keep(held, self._last, services):
            raise RetryableError("another process has renewed the access token", code="token", retry_after=1.0)
        return self._last

    async def _keep(self, old: _Held, new: _Held, services: Services) -> bool:
        before = None if old == _Held() else old.text()
        return await services.state.compare_and_set(self._key, before, None if new == _Held() else new.text())
