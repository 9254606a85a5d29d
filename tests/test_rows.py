"""The report of the requirements' rows."""

from pathlib import Path

import pytest
import rows

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.row("A10")
@pytest.mark.row("A2")
@pytest.mark.parametrize("store", [1, 2])
def test_both(store):
    pass

@pytest.mark.row("A2", "B1")
def test_broken():
    assert False

@pytest.mark.row("B2")
def test_left_out():
    pytest.skip("not here")
"""
TABLE = """
| row | what holds | how it shows |
|---|---|---|
| A2 | It opens | it is open |
| A3 | It shuts | it is shut |
"""


def test_each_row_has_its_worst_result_and_its_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(TESTS)
    monkeypatch.setattr(rows, "TABLE", pytester.makefile(".md", requirements=TABLE))
    pytester.makeini("[pytest]\nmarkers = row(name): a row")
    result = pytester.runpytest_inprocess("-p", "rows", "--rows")
    report = result.stdout.str().partition("rows of the requirements")[2].splitlines()[1:]
    name = "       test_each_row_has_its_worst_result_and_its_tests.py::test"
    assert report[: report.index(next(line for line in report if line.startswith("=")))] == [
        "A2   failed   It opens", f"{name}_both", f"{name}_broken",
        "A3   no test  It shuts",
        "A10  passed", f"{name}_both",
        "B1   failed", f"{name}_broken",
        "B2   skipped", f"{name}_left_out",
    ]  # fmt: skip


def test_without_a_table_the_marks_alone_are_told(tmp_path: Path) -> None:
    assert rows.required(tmp_path / "none.md") == {}
