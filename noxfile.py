"""The chores of this project, each in an environment made from the project's own files.

`pip install nox && nox -s tests` is all a fresh clone needs; `nox -l` lists the rest. Sessions use uv when it
is there, else virtualenv and pip. Third-party versions come from constraints.txt, and all our distributions are
given in one command, because none of them is to be looked for on the public index.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests"]
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PINNED = ("-c", "constraints.txt")
PIP = ("python", "-m", "pip")


def distributions() -> dict[Path, dict[str, Any]]:
    """Give the folder of each distribution, the core's first, with its `[project]` table."""
    members = PYPROJECT["tool"]["uv"]["workspace"]["members"]
    folders = [Path(), *sorted(path.relative_to(ROOT) for glob in members for path in ROOT.glob(glob))]
    return {folder: nox.project.load_toml(ROOT / folder / "pyproject.toml")["project"] for folder in folders}


def group(*names: str) -> list[str]:
    """Give the requirements of dependency groups."""
    return list(nox.project.dependency_groups(PYPROJECT, *names))


def install(session: nox.Session, *groups: str) -> None:
    """Install every distribution of the tree, editable and with all its extras, and some groups' tools."""
    session.install(*PINNED, *group("build", *groups))
    local = []
    for folder, project in distributions().items():
        extras = ",".join(project.get("optional-dependencies", ()))
        local += ["-e", f"./{folder}[{extras}]" if extras else f"./{folder}"]
    session.install(*PINNED, "--no-build-isolation", *local)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, or those named after `--`."""
    install(session, "test", "house", "docs")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, and the licence of everything in the lock."""
    session.install("-r", "constraints.txt")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "tests/licences.py")


@nox.session
def types(session: nox.Session) -> None:
    """Check types strictly, one run per distribution: their test modules may have equal names."""
    install(session, "types")
    cache = f"--cache-dir={ROOT / '.mypy_cache'}"
    session.run("mypy", "--strict", cache, "noxfile.py", "core/channelry")
    examples = sorted(path.relative_to(ROOT) for path in ROOT.glob("docs/examples/*"))
    for folder in (*(folder for folder in distributions() if folder.parts), *examples):
        name = nox.project.load_toml(ROOT / folder / "pyproject.toml")["project"]["name"]
        with session.chdir(ROOT / folder):
            session.run("mypy", "--strict", cache, name.replace("-", "_"))


@nox.session
def alone(session: nox.Session) -> None:
    """Run each distribution's tests outside the tree, with its wheel and what that declares, no more.

    Names after `--` choose some distributions, as in `nox -s alone -- channelry-whatsapp`; without names the
    tests of the wheels themselves run too.
    """
    session.install(*PINNED, *group("build", "wheels", "test", "house"))
    with tempfile.TemporaryDirectory(prefix="channelry-") as scratch:
        wheelhouse = make_wheelhouse(session, Path(scratch))
        failed = []
        for folder, project in distributions().items():
            if not session.posargs or project["name"] in session.posargs:
                try:
                    test_alone(session, wheelhouse, folder, project, Path(scratch) / project["name"])
                except CommandFailed:
                    failed.append(project["name"])
        if not session.posargs:
            session.run("pytest", "tests/test_wheels.py", env={"CHANNELRY_WHEELHOUSE": str(wheelhouse)})
    if failed:
        session.error(f"failed alone: {', '.join(failed)}")


def make_wheelhouse(session: nox.Session, scratch: Path) -> Path:
    """Build all our wheels, each from its sdist, and collect the third-party wheels they declare."""
    built, wheelhouse = scratch / "built", scratch / "wheelhouse"
    session.run("uv", "build", "--all-packages", "--no-build-isolation", "--out-dir", str(built), silent=True)
    needed = {*group("build", "test")}
    for project in distributions().values():
        for declared in (project["dependencies"], *project.get("optional-dependencies", {}).values()):
            needed |= {requirement for requirement in declared if not requirement.startswith("channelry")}
    session.run(*PIP, "wheel", *PINNED, "--wheel-dir", str(wheelhouse), *sorted(needed), silent=True)
    for wheel in built.glob("*.whl"):
        shutil.move(wheel, wheelhouse)
    return wheelhouse


def test_alone(session: nox.Session, wheelhouse: Path, folder: Path, project: dict[str, Any], home: Path) -> None:
    """Install one distribution from the wheelhouse into an empty environment and run its tests there."""
    if folder.parts:
        extras = ",".join(project["optional-dependencies"])
        requirements = [f"{project['name']}[{extras}]"]
    else:  # the core's extras name its plugins, so its tests' requirements are the project's own group
        requirements = ["channelry[cli]", "channelry-testing", *group("test")]
    venv = str(home / "venv")
    session.run("python", "-m", "venv", "--without-pip", venv)
    where = ("--no-config", "--python", venv, "--no-index", "--find-links", str(wheelhouse))
    session.run("uv", "pip", "install", "--quiet", *where, *PINNED, *requirements)
    shutil.copytree(ROOT / (folder if folder.parts else "core") / "tests", home / "tests")
    with session.chdir(home):
        settings = ("-c", str(ROOT / "pyproject.toml"), "-o", "pythonpath=")  # ours, without our paths
        pytest = (f"{venv}/bin/python", "-m", "pytest", "tests", f"--rootdir={home}", "-p", "no:cacheprovider")
        session.run(*pytest, *settings, external=True)


@nox.session
def lock(session: nox.Session) -> None:
    """Lock anew after a change of dependencies (`-- --upgrade` takes newer versions), and export the constraints."""
    session.install("uv>=0.7")
    session.run("uv", "lock", *session.posargs)
    which = ("--all-packages", "--all-extras", "--all-groups", "--no-emit-workspace")
    plain = ("--no-hashes", "--no-annotate", "--no-header")
    session.run("uv", "export", "--quiet", "--frozen", *which, *plain, "--output-file", "constraints.txt")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into build/site; a warning is an error."""
    install(session, "docs")
    session.run("sphinx-build", "-W", "--keep-going", "-E", "-c", "docs", *session.posargs, ".", "build/site")
    session.log(f"open {ROOT / 'build/site/index.html'}")


@nox.session
def demo(session: nox.Session) -> None:
    """Run everything together on this machine, with simulated providers."""
    install(session)
    session.run("channelry", "demo", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Do at length what the tests do in short: 100,000 mutated bodies for each channel, alone and among good rows."""
    install(session, "test")
    chosen = ("plugins/channels", "-k", "garbage_is_kept or bad_row_costs")
    session.run("pytest", *chosen, "--channelry-mutants=100000", "--channelry-report", *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """Hold our signatures and our reading against the vendors' own libraries, whose pins must not become ours."""
    install(session, "test")
    session.install(
        "aiogram>=3.31", "line-bot-sdk>=3.27", "pywa>=4.5", "slack_sdk>=3.47", "twilio>=9.13", "viberbot>=1"
    )
    session.run("pytest", "-W", "default", "tests/contract", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the hot paths against their floors in one run; needs wrk (Debian's package of that name)."""
    if shutil.which("wrk") is None:
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            session.error("wrk is missing: install it (Debian: apt-get install wrk)")
        session.run("apt-get", "update", "-qq", external=True)
        session.run("apt-get", "install", "-y", "-qq", "wrk", external=True)
    install(session, "test")
    session.run("python", "tests/bench/run.py", *session.posargs)
