"""`channelry new` writes distributions that keep the rules before anybody has changed them."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from channelry.cli import main

pytestmark = pytest.mark.row("F6")
KINDS = ("channel", "recognizer", "enricher")
MOST_LINES = 150
"""Lines of code that a new channel may have without its tests: it is read before it is written."""


def new(*words: str) -> Result:
    return CliRunner().invoke(main, ["new", *words])


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_keeps_the_rules_before_anybody_has_changed_it(
    kind: str, made: dict[str, Path], python: Any
) -> None:
    ran = python(made[kind], "-m", "pytest", "-q", "-p", "no:cacheprovider", "--channelry-report", "tests")
    assert ran.returncode == 0, ran.stdout
    assert " failed" not in ran.stdout
    assert re.search(r"\b(silver|gold)\b", ran.stdout), ran.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_channelry_finds_it(kind: str, made: dict[str, Path], python: Any) -> None:
    listed = python(made[kind], "-m", "channelry", "plugins")
    assert listed.returncode == 0
    (row,) = [line for line in listed.stdout.splitlines() if line.startswith(f"our-{kind} ")]
    assert "not loaded" not in row


@pytest.mark.parametrize("kind", KINDS)
def test_every_place_to_change_says_so_and_nothing_is_left_of_the_template(kind: str, made: dict[str, Path]) -> None:
    texts = {
        path: path.read_text() for path in made[kind].rglob("*.*") if path.suffix in (".py", ".toml", ".md", ".json")
    }
    assert not [path for path, text in texts.items() if "${" in text]
    assert not [*made[kind].rglob("*.in")]
    assert sum(text.count("CHANGE: ") for text in texts.values()) >= 3


def test_a_new_channel_is_short(made: dict[str, Path]) -> None:
    """Lines that are neither blank, nor comment, nor docstring, in all modules but the tests."""
    assert sum(map(lines_of_code, (made["channel"] / "channelry_our_channel").glob("*.py"))) <= MOST_LINES


def lines_of_code(path: Path) -> int:
    text, prose = path.read_text(), set[int]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(map(str.strip, text.splitlines()), 1)
    return sum(1 for number, line in lines if line and not line.startswith("#") and number not in prose)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Acme", "'Acme' is no name for a plugin: expected lower-case letters, digits and hyphens"),
        ("our_chat", "is no name for a plugin"),
        ("our--chat", "is no name for a plugin"),
        ("-chat", "No such option"),
        ("../chat", "is no name for a plugin"),
        ("", "is no name for a plugin"),
        ("none", "is no name for a plugin"),
        ("x" * 41, "is no name for a plugin"),
        ("telegram", "'telegram' is taken by channelry-telegram: choose another name"),
        ("testing", "'testing' is taken by channelry-testing: choose another name"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_what_was_expected(name: str, reason: str, elsewhere: Path) -> None:
    refused = new("channel", name)
    assert (refused.exit_code, list(elsewhere.iterdir())) == (2, [])
    assert reason in refused.stderr


def test_a_folder_that_is_there_is_left_alone(elsewhere: Path) -> None:
    folder = elsewhere / "channelry-chat"
    folder.mkdir()
    refused = new("channel", "chat")
    assert (refused.exit_code, list(folder.iterdir())) == (1, [])
    assert "./channelry-chat is there already" in refused.stderr


@pytest.mark.usefixtures("elsewhere")
def test_help_has_examples_and_the_end_names_the_next_commands() -> None:
    assert new("--help").stdout.count("channelry new ") >= 3
    shown = new("channel", "chat").stdout
    for command in ("cd channelry-chat", "pip install -e '.[simulator,test]'", "pytest", "channelry simulate chat"):
        assert command in shown
