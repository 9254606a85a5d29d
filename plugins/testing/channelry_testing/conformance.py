"""What every set of conformance rules is made of: rules with codes and grades, exemptions with reasons, one runner."""

import difflib
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import StrEnum
from functools import cache, partial
from traceback import format_stack
from typing import Any, ClassVar, NoReturn, TypeVar

import anyio
import pytest
from attrs import field, frozen

from channelry.errors import PluginError
from channelry.registry import examine

EXEMPT = "exempt: "
WAITS = "waits: "
SHORTEST_REASON = 12
"""Characters of a written reason; fewer say nothing."""
MOST_SECONDS = 20.0
"""A rule that is not through by then hangs."""

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Result = TypeVar("_Result")


class Grade(StrEnum):
    """How far a plugin is proved; each grade includes those before it."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


@frozen
class Rule:
    """One thing that the kit checks.

    - `code`: its stable name, for exemptions and reports; `grade`: the grade that needs it.
    - `test`: the name of the test; `manual`: what it checks, why, and how to mend a failure.
    - `reason`: why the author's own test stands in its place, or `""`.
    """

    code: str
    grade: Grade
    test: str = ""
    manual: str = ""
    reason: str = field(default="", kw_only=True)


def rule(code: str, grade: Grade) -> Callable[[_Function], _Function]:
    """Make a test of the kit the rule `code`, which `grade` needs."""

    def mark(test: _Function) -> _Function:
        test.__dict__["rule"] = Rule(code, grade, test.__name__, inspect.cleandoc(test.__doc__ or ""))
        return test

    return mark


def overrides(reason: str) -> Callable[[_Function], _Function]:
    """Let a test of the author's stand in the place of the kit's test of the same name, for a written reason."""

    def mark(test: _Function) -> _Function:
        test.__dict__["reason"] = reason
        return test

    return mark


def exempt(reason: str) -> NoReturn:
    """End a rule that does not apply to this plugin, which counts as done."""
    pytest.skip(EXEMPT + reason)


def not_declared(what: str) -> NoReturn:
    """End a rule about something that the plugin does not declare."""
    exempt(f"not declared: {what}")


def fail(broken: str, expected: str, mend: str = "read the rule below") -> NoReturn:
    """Fail a rule: what was found, what was expected, and the next step (the report prints the rule's manual)."""
    pytest.fail(f"{broken}\n  expected: {expected}\n  next step: {mend}", pytrace=False)


class Conformance:
    """A set of rules that one plugin is held to; its tests come from the kit.

    - `exempt`: rules that cannot hold for this plugin, by code, each with the written reason that the report shows.
      A rule can also be proved in another way: a test of the same name under `@overrides("reason")`.

    A subclass gives the fixture `plugin`: the plugin, made with a working configuration.
    """

    exempt: ClassVar[Mapping[str, str]] = {}
    rules: ClassVar[Mapping[str, Rule]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.rules = {one.code: one for one in (_rule(cls, name) for name in dir(cls)) if one is not None}
        for code, reason in cls.exempt.items():
            if code not in cls.rules:
                close = difflib.get_close_matches(code, cls.rules, n=1)
                hint = f"did you mean {close[0]}?" if close else f"the rules are {', '.join(sorted(cls.rules))}"
                raise TypeError(f"{cls.__name__}.exempt: there is no rule {code!r}; {hint}")
            _demand_reason(f"{cls.__name__}.exempt[{code!r}]", reason)

    @pytest.fixture
    def plugin(self) -> Any:
        """Give the plugin under test, made with a working configuration."""
        fail(
            f"{type(self).__name__} names no plugin",
            "a fixture `plugin` that gives the plugin with a configuration",
            f"add to {type(self).__name__}: @pytest.fixture def plugin(self): return Acme(Acme.Config(…))",
        )

    @pytest.fixture(autouse=True)
    def _applies(self, request: pytest.FixtureRequest) -> None:
        """Skip a rule that this plugin is exempt from, and all but the first two where the contract is broken."""
        one = self.rules.get(getattr(getattr(request.function, "rule", None), "code", ""))
        if one is None:
            return
        if one.code in self.exempt:
            exempt(self.exempt[one.code])
        if one.code not in ("contract", "loads") and (broken := _breach(request.getfixturevalue("plugin").__class__)):
            pytest.skip(f"{WAITS}the rule contract is broken: {broken}")


@cache
def _breach(cls: type) -> str:
    """Tell what a plugin's class breaks of the contract, or `""`."""
    try:
        examine(cls.__name__, cls)
    except PluginError as error:
        return str(error)
    return ""


def _rule(cls: type[Conformance], name: str) -> Rule | None:
    """Give the rule that a test of a class is; TypeError where it was replaced without a reason."""
    bases = (getattr(base.__dict__.get(name), "rule", None) for base in cls.__mro__[1:])
    inherited: Rule | None = next(filter(None, bases), None)
    test: Any = inspect.getattr_static(cls, name)
    if inherited is None or name not in cls.__dict__:
        return getattr(test, "rule", None)
    where = f"{cls.__name__}.{name}"
    if not hasattr(test, "reason"):
        raise TypeError(
            f"{where} takes the place of the kit's rule {inherited.code!r}: say why, with "
            f'@overrides("…"), or give it another name'
        )
    _demand_reason(f"@overrides of {where}", test.reason)
    test.rule = Rule(inherited.code, inherited.grade, name, inherited.manual, reason=test.reason)
    return test.rule  # type: ignore[no-any-return]


def _demand_reason(where: str, reason: Any) -> None:
    if not isinstance(reason, str) or len(reason.strip()) < SHORTEST_REASON:
        raise TypeError(f"{where} needs a written reason of at least {SHORTEST_REASON} characters")


def inline(function: Callable[..., _Result], *args: Any, doing: str | Callable[[], str]) -> _Result:
    """Call a plain function in a thread of its own, and fail with the place where it stands if it hangs.

    In a thread, because a hook that never comes back could not be told of otherwise. `doing` names the hook that runs.
    """
    __tracebackhide__ = True
    results: list[_Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function(*args))
        except BaseException as error:  # whatever it is: it is raised in the test's own thread
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(MOST_SECONDS)
    if thread.is_alive():
        fail(
            f"{doing if isinstance(doing, str) else doing()} does not come back: "
            f"after {MOST_SECONDS:g} s it stands at\n{place(thread)}",
            "an answer, or an error",
            "give what waits there a limit, and let a cancellation through",
        )
    if errors:
        raise _verdict(errors[0])
    return results[0]


def run(main: Callable[[], Awaitable[_Result]], *, doing: Callable[[], str], backend: str = "asyncio") -> _Result:
    """Run `main` on an event loop, in a thread of its own (`inline`)."""
    __tracebackhide__ = True
    return inline(partial(anyio.run, main, backend=backend), doing=doing)


def place(thread: threading.Thread) -> str:
    """Tell where a thread stands: its innermost frames."""
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(format_stack(frame, 6) if frame else [])


def _verdict(error: BaseException) -> BaseException:
    """Take the verdict of a rule, else the first error, out of the groups that task groups make of it."""
    leaves = list(_leaves(error))
    verdicts = (one for one in leaves if isinstance(one, pytest.fail.Exception | pytest.skip.Exception))
    return next(verdicts, leaves[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
