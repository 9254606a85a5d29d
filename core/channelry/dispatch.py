"""How hooks are called: guarded one by one, then first answer, first answer per item, or all.

Not by `pm.hook.name()`: pluggy never awaits, takes a coroutine for an answer, lets one raiser abort the rest, and
forgets who answered (pluggy issues 235, 250, 253, 320, 705). It still does what it is best at: `registry` marks,
specifies and checks the implementations with it, and this module walks what it found.
"""

import asyncio
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from traceback import extract_tb
from types import UnionType
from typing import Any, Union

import anyio
from attrs import define, field, frozen

from .errors import PluginError, SendError
from .secrets import one_line
from .services import Clock
from .threads import Threads

FIRST_ANSWER = frozenset({"recognize", "detect_language", "score_sentiment"})
"""Hooks for which a provider that refuses or is down is passed over, and then left alone like a broken plugin."""
PER_ITEM = frozenset({"detect_language", "score_sentiment"})
"""Hooks that give as many answers as they got items."""
FAILURES = 5
"""So many failures in a row quarantine one hook of one plugin."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds of quarantine: doubled at each failure after, up to the longest."""


@frozen
class Outcome:
    """What came of one call of one plugin's hook: a value or an error, the seconds, and whether it counts as a failure
    of the hook: a refusal of the provider does so only where the next plugin is asked instead."""

    plugin: str
    value: Any = None
    error: Exception | None = None
    seconds: float = 0.0
    failed: bool = False


@frozen
class Found:
    """What was found of one item of a batch (None: nobody was sure), and the plugin that found it, or `""`."""

    answer: Any = None
    by: str = ""


class Quarantined(PluginError):
    """The hook failed too often in a row and is left alone for `seconds` more."""

    def __init__(self, plugin: str, hook: str, reason: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(plugin, hook, f"quarantined for {seconds:.0f} s more, after: {reason}")


@define(eq=False)
class Health:
    """How one hook of one plugin fares: failures in a row, the last one's reason, the quarantine's end."""

    in_a_row: int = 0
    reason: str = ""
    until: float = 0.0

    def succeeded(self) -> None:
        self.in_a_row, self.until = 0, 0.0

    def failed(self, reason: str, now: float) -> None:
        self.in_a_row += 1
        self.reason = reason
        if self.in_a_row >= FAILURES:
            self.until = now + pause(self.in_a_row - FAILURES)


def pause(times: int) -> float:
    """Give the seconds to wait before trying something again that has failed `times` times since it began to."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(times, 20)))


@define(eq=False)
class Hook:
    """One plugin's implementation of one hook that does I/O, guarded.

    A call ends within `timeout` seconds. What it raises, a wrong type, and the time-out are failures of the
    plugin; an error of the taxonomy (SendError) is an answer of the provider and none.
    """

    plugin: str
    name: str
    function: Callable[..., Any]
    returns: Any
    timeout: float
    clock: Clock
    health: Health = field(factory=Health)
    threads: Threads = field(factory=Threads, init=False)
    _call: Callable[..., Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        threaded = partial(self.threads.run, self.function)
        self._call = self.function if inspect.iscoroutinefunction(self.function) else threaded

    async def attempt(self, *args: Any) -> Outcome:
        """Call it and tell what came of it; raises nothing but cancellation and KeyboardInterrupt."""
        began = self.clock.monotonic()
        if began < self.health.until:
            remaining = self.health.until - began
            return Outcome(self.plugin, error=Quarantined(self.plugin, self.name, self.health.reason, remaining))
        value: Any = None
        error: PluginError | SendError | None = None
        try:
            with anyio.fail_after(self.timeout):
                value = await self._call(*args)
            if not conforms(value, self.returns):
                error = self._broken(f"returned {type(value).__name__}, expected {describe(self.returns)}")
            elif self.name in PER_ITEM and len(value) != len(args[0]):  # it has confused them: none is believed
                error = self._broken(f"gave {len(value)} answers for {len(args[0])} items")
        except SendError as answer:
            error = answer
        except BaseException as raised:
            if _must_pass(raised):
                raise
            timed_out = isinstance(raised, TimeoutError)
            error = self._broken(f"no answer in {self.timeout:g} s" if timed_out else explain(raised))
            error.__cause__ = raised
        now = self.clock.monotonic()
        if isinstance(error, PluginError) or (error is not None and self.name in FIRST_ANSWER):
            self.health.failed(error.reason if isinstance(error, PluginError) else explain(error), now)
            return Outcome(self.plugin, None, error, now - began, True)
        self.health.succeeded()
        return Outcome(self.plugin, None if error else value, error, now - began)

    def _broken(self, reason: str) -> PluginError:
        return PluginError(self.plugin, self.name, one_line(reason))


def _must_pass(error: BaseException) -> bool:
    """Tell a cancellation of ours from one that a plugin's own task or future brought along, which is its failure."""
    cancelled = anyio.get_cancelled_exc_class()
    if cancelled is asyncio.CancelledError and (task := asyncio.current_task()) is not None and not task.cancelling():
        cancelled = KeyboardInterrupt
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup((KeyboardInterrupt, cancelled)) is not None
    return isinstance(error, KeyboardInterrupt | cancelled)


def explain(error: BaseException) -> str:
    """Say what was raised, and where, in one line, without secrets."""
    place = "".join(f" ({Path(at.filename).name}:{at.lineno})" for at in extract_tb(error.__traceback__)[-1:])
    return one_line(f"{type(error).__name__}: {error}{place}")


async def first(hooks: Iterable[Hook], *args: Any) -> list[Outcome]:
    """Ask one after the other until one answers something else than None; that answer is the last outcome's."""
    outcomes = []
    for hook in hooks:
        outcomes.append(await hook.attempt(*args))
        if outcomes[-1].value is not None:
            break
    return outcomes


async def first_per_item(hooks: Iterable[Hook], items: Sequence[Any]) -> tuple[list[Found], list[Outcome]]:
    """Ask for a whole batch; what is still None goes on to the next plugin. Gives what was found of each item, and the
    outcomes."""
    found = [Found()] * len(items)
    outcomes = []
    for hook in hooks:
        open_items = [index for index, one in enumerate(found) if one.answer is None]
        if not open_items:
            break
        outcome = await hook.attempt(tuple(items[index] for index in open_items))
        outcomes.append(outcome)
        if outcome.error is None:
            for index, answer in zip(open_items, outcome.value, strict=True):
                found[index] = Found(answer, "" if answer is None else hook.plugin)
    return found, outcomes


async def every(hooks: Iterable[Hook], *args: Any) -> list[Outcome]:
    """Call all, one after the other; one that fails harms no other."""
    return [await hook.attempt(*args) for hook in hooks]


def conforms(value: Any, annotation: Any) -> bool:
    """Tell whether a value is of a hook's return annotation: classes, unions, and sequences of these."""
    if annotation.__class__ is type:  # the usual case, quickly
        return isinstance(value, annotation)
    origin = typing.get_origin(annotation)
    if origin in (Union, UnionType):
        return any(conforms(value, choice) for choice in typing.get_args(annotation))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        item = typing.get_args(annotation)[0]
        return isinstance(value, list | tuple) and all(conforms(one, item) for one in value)
    return isinstance(value, annotation)


def describe(annotation: Any) -> str:
    """Write a type as its author would, without the modules."""
    return re.sub(r"[\w.]+\.", "", inspect.formatannotation(annotation)).replace("NoneType", "None")
