"""What imports what: arrows between our packages point one way, and what is imported from others is declared.

Drawn from the import statements of the packages; tests may import anything.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from attrs import frozen
from house import OURS, ROOT, WORKSPACE, Distribution, is_ours, read
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CORE = {"channelry"}
ARROWS = {
    "channelry": set[str](),
    "channelry_simulation": CORE,
    "channelry_webapi": CORE,
    "channelry_testing": CORE | {"channelry_simulation"},
    "channelry_server": CORE,
    "channelry_desk": CORE,
    "channelry_enrich": CORE | {"channelry_desk"},
    "channelry_demo": CORE | {"channelry_desk", "channelry_server", "channelry_simulation"},
}
META_CHANNELS = {"channelry_whatsapp", "channelry_messenger", "channelry_facebook", "channelry_instagram"}

OPTIONAL = {"sniffio"}  # anyio imports it where trio has brought it, and does without elsewhere

every = pytest.mark.parametrize("distribution", WORKSPACE.values(), ids=WORKSPACE)


@frozen
class Import:
    """One imported name, dotted from its top: `from a import b` is `a.b`, for b may be a module."""

    path: Path
    line: int
    name: str

    @property
    def top(self) -> str:
        return self.name.split(".")[0]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.name}"


def imports(path: Path, home: Path) -> Iterator[Import]:
    """Give every import of a module, wherever it stands; `home` is the folder of its import package."""
    parents = path.relative_to(home).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), path)):
        if isinstance(node, ast.Import):
            yield from (Import(path, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = parents[: len(parents) - node.level + 1] if node.level else ()
            base = ".".join([*start, *filter(None, [node.module])])
            yield from (Import(path, node.lineno, f"{base}.{alias.name}") for alias in node.names)


def is_simulator(path: Path, distribution: Distribution) -> bool:
    """Tell whether a module belongs to a channel's simulator: `simulator.py`, and what is named after it."""
    within = path.relative_to(distribution.home / distribution.package)
    return distribution.package not in ARROWS and within.parts[0].startswith("simulator")


def allowed(path: Path, distribution: Distribution) -> set[str]:
    """Name the packages of ours that a module may import besides its own."""
    channel = CORE | ({"channelry_meta"} if distribution.package in META_CHANNELS else {"channelry_webapi"})
    arrows = ARROWS.get(distribution.package, channel)
    return arrows | {"channelry_simulation"} if is_simulator(path, distribution) else arrows


def forbidden(distribution: Distribution) -> list[str]:
    """Give every arrow between our packages that is not allowed."""
    return [
        str(one)
        for path in distribution.modules
        for one in imports(path, distribution.home)
        if one.top.split("_")[0] == OURS and one.top not in {distribution.package, *allowed(path, distribution)}
    ]


def reached(path: Path, distribution: Distribution, seen: set[Path]) -> Iterator[Import]:
    """Give the imports of a module and of the modules of its own package that it leads to."""
    seen.add(path)
    for one in imports(path, distribution.home):
        yield one
        module = distribution.home.joinpath(*one.name.split("."))
        for target in (module.with_suffix(".py"), module.parent.with_suffix(".py")):
            if one.top == distribution.package and target.is_file() and target not in seen:
                yield from reached(target, distribution, seen)


def borrowed(distribution: Distribution) -> list[str]:
    """Give every way by which a simulator uses the receiving or sending code of its channel, or the channel uses it."""
    found = []
    for path in distribution.modules:
        if distribution.package not in ARROWS:
            simulator = is_simulator(path, distribution)
            used = reached(path, distribution, set()) if simulator else imports(path, distribution.home)
            refused = re.compile(distribution.package + (r"\.(receive|send)\b" if simulator else r"\.simulator"))
            found += [str(one) for one in used if refused.match(one.name)]
    return found


def typing_only(path: Path) -> set[int]:
    """Give the lines of a module that only a type checker reads."""
    blocks = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), path)) if isinstance(node, ast.If)]
    checked = [node for node in blocks if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"]
    return {line for node in checked for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def circle(distribution: Distribution) -> list[str]:
    """Give modules of a distribution that need each other in a circle, `[]` where there is none; what only types need
    is not imported."""
    drawn = {}
    for path in distribution.modules:
        found, typed = set(), typing_only(path)
        for one in (one for one in imports(path, distribution.home) if one.line not in typed):
            module = distribution.home.joinpath(*one.name.split("."))
            whole = [path for path in (module.with_suffix(".py"), module / "__init__.py") if path.is_file()]
            found.update(whole or [module.parent.with_suffix(".py"), module.parent / "__init__.py"])
        drawn[path] = found - {path}
    try:
        TopologicalSorter(drawn).prepare()
    except CycleError as error:
        return [str(path) for path in error.args[1]]
    return []


def declared(distribution: Distribution, *extras: str) -> set[str]:
    """Name what a distribution declares, and what those of ours do that it builds on (attrs comes with the core)."""
    names = set()
    for requirement in distribution.requirements(*extras):
        if is_ours(requirement.name):
            names |= declared(WORKSPACE[requirement.name], *requirement.extras)
        else:
            names.add(canonicalize_name(requirement.name))
    return names


def undeclared(distribution: Distribution) -> list[str]:
    """Give every third-party import that the distribution's own metadata does not bring."""
    brings = {top: {canonicalize_name(name) for name in names} for top, names in packages_distributions().items()}
    found = []
    for path in distribution.modules:
        extra = "simulator" if is_simulator(path, distribution) else "cli" if distribution.name == OURS else path.stem
        known = declared(distribution, extra)
        for one in imports(path, distribution.home):
            ours = one.top.split("_")[0] == OURS
            if not ours and one.top not in sys.stdlib_module_names and not brings.get(one.top, set()) & known:
                found.append(str(one))
    return found


@every
def test_arrows_point_one_way(distribution: Distribution) -> None:
    assert forbidden(distribution) == []


@every
def test_no_modules_import_each_other_in_a_circle(distribution: Distribution) -> None:
    assert circle(distribution) == []


@every
def test_a_simulator_shares_no_code_with_what_it_proves(distribution: Distribution) -> None:
    """Neither directly nor through another module of its channel, which in turn does not need it."""
    assert borrowed(distribution) == []


@every
def test_what_is_imported_is_declared(distribution: Distribution) -> None:
    """In its dependencies; a simulator's also in the extra `simulator`, the core's tables in `cli`, and a module's in
    the extra of its name."""
    assert undeclared(distribution) == []


def test_a_wrong_arrow_is_named_with_file_and_line(tmp_path: Path) -> None:
    """A channel that imports a neighbour, and a simulator that borrows, in each form Python has for it."""
    package = tmp_path / "channelry_acme"
    package.mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "channelry-acme"\ndependencies = ["channelry"]\n')
    (package / "plugin.py").write_text("import attrs\n\nimport channelry_telegram.plugin\nimport requests\n")
    (package / "receive.py").write_text("import channelry_simulation\nfrom .simulator_rules import limits\n")
    (package / "wire.py").write_text("def sign() -> None:\n    from channelry_acme import send\n")
    (package / "send.py").write_text("from .wire import sign\n")
    (package / "simulator.py").write_text(
        "from . import receive\nfrom .wire import sign\nimport channelry_simulation\n"
    )
    acme = read(tmp_path)
    assert forbidden(acme) == [
        f"{package}/plugin.py:3 imports channelry_telegram.plugin",
        f"{package}/receive.py:1 imports channelry_simulation",
    ]
    assert borrowed(acme) == [
        f"{package}/receive.py:2 imports channelry_acme.simulator_rules.limits",
        f"{package}/simulator.py:1 imports channelry_acme.receive",
        f"{package}/wire.py:2 imports channelry_acme.send",
    ]
    assert undeclared(acme) == [f"{package}/plugin.py:4 imports requests"]
    assert set(circle(acme)) == {f"{package}/send.py", f"{package}/wire.py"}


def brought(name: str, seen: set[str]) -> set[str]:
    """Name an installed distribution and all that it requires here, without extras."""
    if name not in seen:
        seen.add(canonicalize_name(name))
        for requirement in map(Requirement, requires(name) or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                brought(canonicalize_name(requirement.name), seen)
    return seen


@pytest.mark.row("F1")
def test_importing_the_core_brings_in_only_what_it_declares() -> None:
    """Every module, in a fresh interpreter: the standard library, six dependencies and what those need."""
    core = WORKSPACE[OURS]
    assert declared(core) == {"pluggy", "attrs", "cattrs", "anyio", "click", "orjson"}
    paths = [path.relative_to(core.home).with_suffix("") for path in core.modules]
    modules = [".".join(path.parts) for path in paths if path.name != "__main__"]  # which runs the command line
    program = (
        "import importlib, sys\n"
        "before = set(sys.modules)\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))\n"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    known, providers = packages_distributions(), set[str]()
    for top in set(ran.stdout.split()) - sys.stdlib_module_names - {OURS}:
        providers |= {canonicalize_name(name) for name in known.get(top, [f"{top}, of no distribution"])}
    assert providers - brought(OURS, set()) <= OPTIONAL


LIGHT = {"attr", "attrs", "click", "orjson", "pluggy"}
"""What the command line imports besides the standard library and the modules of the commands."""


@pytest.mark.parametrize("words", [["--help"], ["new", "channel", "made"]])
def test_the_command_line_imports_little_until_a_command_needs_more(words: list[str], tmp_path: Path) -> None:
    """Not cattrs, not the model, not asyncio; to write a new plugin takes neither pytest nor hypothesis."""
    program = (
        "import sys\n"
        "from channelry.cli import main\n"
        f"main({words!r}, standalone_mode=False)\n"
        "print('imported', *sys.modules)\n"
    )
    command = [sys.executable, "-I", "-c", program]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    imported = set(ran.stdout.rpartition("\nimported ")[2].split())
    assert not imported & {"asyncio", "channelry.config", "channelry.model", "channelry.hub"}
    known = packages_distributions()
    tops = {name.partition(".")[0] for name in imported} & known.keys()
    assert {top for top in tops if not top.startswith((OURS, "_"))} - sys.stdlib_module_names <= LIGHT
