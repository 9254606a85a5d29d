"""The pytest plugin: the options of the kit, a rule's manual beside its failure, and the graded report."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from attrs import define, field

from .conformance import EXEMPT, WAITS, Conformance, Grade, Rule

DONE, EXEMPTED, FAILED, WAITING, NOT_RUN = "done", "exempt", "failed", "waits", "not run"


@define
class Result:
    """What became of one rule: its state, and the reason of an exemption or the first line of a failure."""

    rule: Rule
    state: str = NOT_RUN
    reason: str = ""


@define
class Card:
    """One plugin's results, by code; `test` is the class that holds it to the rules."""

    test: str
    plugin: str
    results: dict[str, Result] = field(factory=dict)

    def grade(self) -> str:
        """Give the highest grade of which, and of those before which, all rules are done or exempt; "none" else."""
        reached = "none"
        for grade in Grade:
            if any(one.rule.grade is grade and one.state not in (DONE, EXEMPTED) for one in self.results.values()):
                break
            reached = grade.value
        return reached


_cards = pytest.StashKey[dict[str, Card]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("channelry", "conformance of channelry plugins")
    group.addoption("--channelry-report", action="store_true", help="print the graded report of each plugin")
    group.addoption(
        "--channelry-report-json", metavar="FILE", type=Path, help="write the graded report of each plugin to FILE"
    )
    group.addoption(
        "--channelry-mutants", metavar="N", type=int, default=1000, help="mutated bodies per channel (default: 1000)"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_cards] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        cls = getattr(item, "cls", None)
        if isinstance(cls, type) and issubclass(cls, Conformance):
            card = config.stash[_cards].setdefault(_key(item), Card(cls.__name__, cls.__name__))
            for code, one in cls.rules.items():
                card.results.setdefault(code, Result(one))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]
    rule = _rule_of(item)
    if rule is None:
        return
    card = item.config.stash[_cards][_key(item)]
    plugin = getattr(item, "funcargs", {}).get("plugin")
    if plugin is not None:
        card.plugin = f"{type(plugin).__module__}:{type(plugin).__qualname__}"
    result = card.results[rule.code]
    reason = str(call.excinfo.value) if call.excinfo else ""
    if report.failed:
        result.state, result.reason = FAILED, reason or report.longreprtext.splitlines()[-1]
        report.sections.append((f"rule {rule.code} ({rule.grade})", rule.manual))
    elif report.skipped:
        state = EXEMPTED if reason.startswith(EXEMPT) else WAITING if reason.startswith(WAITS) else NOT_RUN
        result.state, result.reason = state, reason.removeprefix(EXEMPT).removeprefix(WAITS)
    elif report.when == "call" and result.state == NOT_RUN:
        result.state, result.reason = DONE, rule.reason and f"by a test of its own: {rule.reason}"


def _key(item: pytest.Item) -> str:
    return item.nodeid.rpartition("::")[0]


def _rule_of(item: pytest.Item) -> Rule | None:
    cls, found = getattr(item, "cls", None), getattr(getattr(item, "function", None), "rule", None)
    is_ours = isinstance(cls, type) and issubclass(cls, Conformance)
    return cls.rules.get(found.code) if is_ours and found is not None else None  # type: ignore[union-attr]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    cards = config.stash[_cards]
    file: Path | None = config.getoption("--channelry-report-json")
    if file is not None:
        file.write_bytes(orjson.dumps([as_json(card) for card in cards.values()], option=orjson.OPT_INDENT_2))
    if config.getoption("--channelry-report"):
        for card in cards.values():
            terminalreporter.section(f"{card.plugin}: {card.grade()}")
            for line in lines(card):
                terminalreporter.write_line(line)


def lines(card: Card) -> Iterator[str]:
    """Write a card for people, grade by grade."""
    for grade in Grade:
        for code, result in sorted(card.results.items()):
            if result.rule.grade is grade:
                first = result.reason.partition("\n")[0]
                yield f"{grade.value:7} {code:16} {result.state}{': ' * bool(first)}{first}"


def as_json(card: Card) -> dict[str, Any]:
    """Write a card for programs."""
    rules = {
        code: {"grade": result.rule.grade.value, "state": result.state, "reason": result.reason}
        for code, result in sorted(card.results.items())
    }
    return {"test": card.test, "plugin": card.plugin, "grade": card.grade(), "rules": rules}
