"""The tree is laid out as planned: folders, extras and entry points are the same list."""

import ast
import subprocess
from pathlib import Path

import pytest
from house import OURS, ROOT, WORKSPACE, Distribution, is_ours
from packaging.requirements import Requirement

from channelry.cli import ELSEWHERE

TOP = {
    *(".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md"),
    *("conftest.py", "constraints.txt", "noxfile.py", "pyproject.toml", "uv.lock"),
    *("core", "docs", "plugins", "tests"),
}
FEATURES = {"cli", "standard", "all"}  # the extras of the core that stand for no folder
PROVIDERS = ("channels", "enrichment")  # whose folders hold one plugin each
CORE = WORKSPACE[OURS]
PLUGINS = [each for each in WORKSPACE.values() if each is not CORE]

every = pytest.mark.parametrize("distribution", WORKSPACE.values(), ids=WORKSPACE)
every_plugin = pytest.mark.parametrize("distribution", PLUGINS, ids=[each.name for each in PLUGINS])


def kind(distribution: Distribution) -> str:
    """Name the folder under plugins/ that it belongs to: channels, shared, server, …"""
    return distribution.folder.relative_to(ROOT / "plugins").parts[0]


def offered() -> dict[str, Distribution]:
    """Give the distributions that a person asks for by name: all but the shared libraries."""
    return {each.folder.name: each for each in PLUGINS if kind(each) != "shared"}


def test_the_top_level_holds_only_what_is_planned() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.split("/")[0] for line in listed.stdout.splitlines()} <= TOP


def test_every_pyproject_under_plugins_is_a_member_of_the_workspace() -> None:
    found = {path.parent for path in (ROOT / "plugins").rglob("pyproject.toml")}
    assert found == {each.folder for each in PLUGINS}


@every
def test_a_distribution_has_its_parts(distribution: Distribution) -> None:
    """README, a typed import package, and tests of its own."""
    assert (distribution.folder / "README.md").is_file()
    assert (distribution.home / distribution.package / "__init__.py").is_file()
    assert (distribution.home / distribution.package / "py.typed").is_file()
    assert list((distribution.home / "tests").rglob("test_*.py")), f"{distribution.name} has no tests"


@every
def test_a_distribution_is_built_by_hatchling_from_its_package(distribution: Distribution) -> None:
    wheel = distribution.pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = [(distribution.folder / package).resolve() for package in wheel["packages"]]
    assert distribution.pyproject["build-system"]["build-backend"] == "hatchling.build"
    assert packages == [distribution.home / distribution.package]


@every
def test_a_distribution_says_what_it_is(distribution: Distribution) -> None:
    """One version, one licence, one Python for all of them."""
    said = {key: distribution.pyproject["project"][key] for key in ("version", "license", "requires-python", "readme")}
    core = CORE.pyproject["project"]
    assert said == {key: core[key] for key in said}


@every
def test_our_distributions_require_one_another_within_one_minor_version(distribution: Distribution) -> None:
    ours = [one for one in distribution.requirements(*distribution.extras) if is_ours(one.name)]
    loose = [str(one) for one in ours if one.name != distribution.name and str(one.specifier) != "<0.2,>=0.1"]
    assert loose == []


@every_plugin
def test_a_plugin_looks_like_an_outsiders(distribution: Distribution) -> None:
    """Named after its folder, no key of the workspace's tool in it, `test` its extra for tests."""
    assert distribution.name == f"{OURS}-{distribution.folder.name}"
    assert "uv" not in distribution.pyproject["tool"]
    assert "test" in distribution.extras


@every_plugin
def test_entry_points_are_named_after_the_folder_and_stay_in_the_package(distribution: Distribution) -> None:
    """A provider has its plugin, a channel its simulator too; nothing finds a shared library by name."""
    name, groups = distribution.folder.name, distribution.pyproject["project"].get("entry-points", {})
    due = {"channels": {"channelry.plugins", "channelry.simulators"}, "enrichment": {"channelry.plugins"}}
    assert due.get(kind(distribution), set()) <= set(groups)
    for group in ("channelry.plugins", "channelry.simulators"):
        assert set(distribution.entry_points(group)) <= ({name} if kind(distribution) in PROVIDERS else set())
    if kind(distribution) == "shared":
        assert groups == {}
    for group in groups:
        for target in distribution.entry_points(group).values():
            assert target.split(":")[0].split(".")[0] == distribution.package


def test_folders_are_extras() -> None:
    """Each folder is the extra of its name and brings that distribution; there are three extras more."""
    assert set(CORE.extras) == {*offered(), *FEATURES}
    for name, distribution in offered().items():
        assert CORE.extras[name] == [f"{distribution.name}>=0.1,<0.2"]


def test_all_is_everything() -> None:
    (everything,) = map(Requirement, CORE.extras["all"])
    assert everything.name == OURS
    assert everything.extras == {*offered(), "cli"}


def test_the_command_line_knows_which_extra_brings_each_command() -> None:
    brought = {
        command: folder for folder, one in offered().items() for command in one.entry_points("channelry.commands")
    }
    assert brought == ELSEWHERE


def test_the_workspace_names_every_member_as_a_source() -> None:
    """The core too, else its members could not depend on it; nothing else comes from elsewhere."""
    sources = CORE.pyproject["tool"]["uv"]["sources"]
    assert sources == {name: {"workspace": True} for name in WORKSPACE}


def test_the_cores_sdist_names_what_it_takes() -> None:
    """Without that it would swallow the plugins."""
    taken = CORE.pyproject["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    assert {"core/channelry", "core/tests", "README.md", "LICENSE"} <= set(taken)
    assert not [path for path in taken if path.startswith("plugins")]


def lines_of_code(path: Path) -> int:
    """Count the lines that are neither blank, nor comment, nor docstring."""
    text = path.read_text(encoding="utf-8")
    prose: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(map(str.strip, text.splitlines()), 1)
    return sum(1 for number, line in lines if line and not line.startswith("#") and number not in prose)


def test_the_core_stays_small() -> None:
    """All of it, the command line too, in 2,200 lines of code; its docstrings are the manual and do not count."""
    assert sum(map(lines_of_code, CORE.modules)) <= 2_200


SMALL, LARGE = 350, 500
"""Lines of code of a channel, and of one whose service has more kinds of messages and events."""
LARGER = {"whatsapp", "telegram", "twitter", "slack"}
TABLES = {"capabilities.py", "refusals.py", "emoji.py"}
CHANNELS = [each for each in PLUGINS if each.home.parent.name == "channels"]


@pytest.mark.parametrize("channel", CHANNELS, ids=[each.home.name for each in CHANNELS])
def test_a_channel_stays_small(channel: Distribution) -> None:
    """Its own code: without its simulator, its limits, and the words of its service for states and errors."""
    own = [path for path in channel.modules if path.name not in TABLES and not path.name.startswith("simulator")]
    assert sum(map(lines_of_code, own)) <= (LARGE if channel.home.name in LARGER else SMALL)
