"""Plain functions in threads, in so many and no more, also when they hang."""

import inspect
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
from attrs import define, field

MOST = 8
"""Threads that one synchronous hook of one plugin may occupy, those that were given up included."""


@define(eq=False)
class Threads:
    """The threads of one hook.

    One that was given up keeps its place until it ends: anyio's own accounting would let a plugin that hangs start
    another at each call. A thread never waits for the event loop in order to give its place back, because the loop
    may be ending; whoever needs a place looks.
    """

    _places: anyio.CapacityLimiter = field(factory=lambda: anyio.CapacityLimiter(MOST), init=False)
    _given_up: dict[object, threading.Event] = field(factory=dict, init=False)

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run it; its asynchronous arguments (`deliver`, `save`) become blocking ones."""
        token, began, ended = object(), threading.Event(), threading.Event()

        def call() -> Any:
            began.set()
            try:
                return function(*map(_blocking, args))
            finally:
                ended.set()

        await self._take(token)
        try:
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
        finally:
            if began.is_set() and not ended.is_set():
                self._given_up[token] = ended
            else:
                self._places.release_on_behalf_of(token)

    async def settle(self, seconds: float) -> None:
        """Wait until those that were given up have ended, at most so long for each."""
        for ended in self._given_up.values():
            await anyio.to_thread.run_sync(ended.wait, seconds)

    async def _take(self, token: object) -> None:
        while True:
            for other in [other for other, ended in self._given_up.items() if ended.is_set()]:
                del self._given_up[other]
                self._places.release_on_behalf_of(other)
            with anyio.move_on_after(0.1):
                return await self._places.acquire_on_behalf_of(token)


def _blocking(argument: Any) -> Any:
    return partial(anyio.from_thread.run, argument) if inspect.iscoroutinefunction(argument) else argument
