"""The distributions of this tree, read from the tree itself, for the tests that hold it to its plan."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from attrs import frozen
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
OURS = "channelry"


@frozen
class Distribution:
    """One distribution: the folder of its pyproject.toml, and what that file says."""

    folder: Path
    pyproject: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.pyproject["project"]["name"])

    @property
    def package(self) -> str:
        """The name it is imported by."""
        return self.name.replace("-", "_")

    @property
    def home(self) -> Path:
        """Where its import package and its tests lie."""
        return self.folder / "core" if self.name == OURS else self.folder

    @property
    def modules(self) -> list[Path]:
        return sorted((self.home / self.package).rglob("*.py"))

    @property
    def extras(self) -> dict[str, list[str]]:
        extras: dict[str, list[str]] = self.pyproject["project"].get("optional-dependencies", {})
        return extras

    def entry_points(self, group: str) -> dict[str, str]:
        points: dict[str, str] = self.pyproject["project"].get("entry-points", {}).get(group, {})
        return points

    def requirements(self, *extras: str) -> list[Requirement]:
        """Give what it declares, with the additions of some extras."""
        declared = [*self.pyproject["project"].get("dependencies", ())]
        for extra in extras:
            declared += self.extras.get(extra, ())
        return [Requirement(text) for text in declared]


def is_ours(name: str) -> bool:
    return canonicalize_name(name).split("-")[0] == OURS


def read(folder: Path) -> Distribution:
    return Distribution(folder, tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")))


def workspace() -> dict[str, Distribution]:
    """Give every distribution by name, the core's first."""
    core = read(ROOT)
    members = core.pyproject["tool"]["uv"]["workspace"]["members"]
    folders = sorted(folder for glob in members for folder in ROOT.glob(glob) if folder.is_dir())
    return {each.name: each for each in (core, *map(read, folders))}


WORKSPACE = workspace()


def laid_out(folder: Path) -> None:
    """Put the metadata beside a distribution's packages by which it is found once `folder` is on the path."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    found = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    found.mkdir()
    (found / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (found / "entry_points.txt").write_text("\n".join(lines))


def started(folder: Path, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """Start a Python module in a distribution's folder, which is on the path."""
    environ = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
    return subprocess.Popen([sys.executable, "-m", *arguments], cwd=folder, env=environ, text=True, **pipes)


def graded(folder: Path) -> str:
    """Run a distribution's tests and give what they print, with the kit's report."""
    report = started(folder, "pytest", "-q", "-p", "no:cacheprovider", "--channelry-report")
    return report.communicate(timeout=200)[0]
