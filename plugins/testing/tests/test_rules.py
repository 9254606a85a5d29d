"""The rules tell good plugins from bad ones: each bad plugin is caught by the rule made for it, and by no other."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

BAD = Path(__file__).parent / "bad"
sys.path.insert(0, str(BAD))
import channels  # noqa: E402
import enrichers  # noqa: E402

CAUGHT = {
    **{f"Test{cls.__name__}": rule for rule, found in channels.BAD.items() for cls in found},
    **{f"Test{cls.__name__}": rule for rule, found in enrichers.BAD_ENRICHERS.items() for cls in found},
    **{f"Test{cls.__name__}": rule for rule, found in enrichers.BAD_RECOGNIZERS.items() for cls in found},
    "TestLoud": "loads",
    "TestSlow": "loads",
    "TestUnlisted": "installed",
    "TestRowless": "rows",
    "TestSingle": "accounts",
    "TestUnwritten": "places",
}
"""What each class of `bad/suite.py` is to be caught by."""


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Hold all of them to the rules, in a pytest of their own, and read its report."""
    report = tmp_path_factory.mktemp("report") / "report.json"
    options = (
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        f"--rootdir={BAD}",
        f"--confcutdir={BAD}",
        "--import-mode=importlib",
    )
    kit = ("--channelry-mutants=20", f"--channelry-report-json={report}")
    environment = {**os.environ, "PYTHONPATH": str(BAD)}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *kit, str(BAD / "suite.py")],
        env=environment, capture_output=True, text=True, check=False, cwd=BAD,
    )  # fmt: skip
    assert ran.returncode == 1, ran.stdout[-2000:] + ran.stderr
    return {card["test"]: card for card in orjson.loads(report.read_bytes())}


@pytest.mark.parametrize("test", ["TestAcme", "TestNamed", "TestWords", "TestBook"])
def test_a_good_plugin_is_caught_by_none(cards: dict[str, Any], test: str) -> None:
    assert cards[test]["grade"] == "gold"


@pytest.mark.parametrize(("test", "rule"), CAUGHT.items(), ids=CAUGHT)
def test_a_bad_plugin_is_caught_by_its_rule_and_by_no_other(cards: dict[str, Any], test: str, rule: str) -> None:
    rules = cards[test]["rules"]
    assert [code for code, one in rules.items() if one["state"] == "failed"] == [rule]
    assert rules[rule]["reason"].count("expected: ") == 1
    assert "next step: " in rules[rule]["reason"]


def test_every_rule_has_a_bad_plugin(cards: dict[str, Any]) -> None:
    """Those of channels, and those that recognizers and enrichers have beside; an outage needs a service."""
    for test, without in (("TestAcme", set()), ("TestWords", set(cards["TestAcme"]["rules"]) | {"outage"})):
        assert set(cards[test]["rules"]) - set(CAUGHT.values()) <= without


def test_what_is_broken_waits_for_the_contract(cards: dict[str, Any]) -> None:
    """Of a plugin that cannot be registered nothing else is said than that."""
    states = {one["state"] for code, one in cards["TestMisspelt"]["rules"].items() if code not in ("contract", "loads")}
    assert states == {"waits", "exempt"}
