"""`pytest -m row --rows` prints each row of the requirements with the tests that prove it, and what came of them."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import define, field

TABLE = Path(__file__).parents[1] / "docs" / "reference" / "requirements.md"
_ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \|", re.MULTILINE)
WORST = ("failed", "skipped", "passed")
UNPROVED = "no test"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="print each row of the requirements with its tests")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("rows"):
        config.pluginmanager.register(Rows(required(TABLE)), "rows-report")


def required(table: Path) -> dict[str, str]:
    """Give what each row says, by its name; nothing where there is no such table."""
    return dict(_ROW.findall(table.read_text())) if table.exists() else {}


def order(name: str) -> tuple[str, int]:
    """Sort A2 before A10."""
    return name[0], int(name[1:])


@define(eq=False)
class Rows:
    """What is known of each row: what it says, its tests, and their outcomes."""

    says: Mapping[str, str]
    tests: defaultdict[str, set[str]] = field(factory=lambda: defaultdict(set), init=False)
    outcomes: dict[str, str] = field(factory=dict, init=False)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for mark in item.iter_markers("row"):
                for name in mark.args:
                    self.tests[name].add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        known = self.outcomes.get(report.nodeid, "passed")
        self.outcomes[report.nodeid] = min(known, report.outcome, key=WORST.index)

    def result(self, tests: set[str]) -> str:
        """Give the worst outcome of some tests."""
        return min((self.outcomes.get(test, "skipped") for test in tests), key=WORST.index, default=UNPROVED)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("rows of the requirements")
        for name in sorted({*self.says, *self.tests}, key=order):
            tests = self.tests[name]
            terminalreporter.write_line(f"{name:<4} {self.result(tests):<8} {self.says.get(name, '')}".rstrip())
            for test in sorted({nodeid.partition("[")[0] for nodeid in tests}):
                terminalreporter.write_line(f"       {test}")
