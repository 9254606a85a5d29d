"""One distribution of each kind as `channelry new` writes it, installed as far as a test needs it."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from click.testing import CliRunner

from channelry.cli import main

Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


def _scaffold(kind: str, home: Path) -> Path:
    """Write one, and give it the metadata by which it is found once its folder is on the path."""
    assert CliRunner().invoke(main, ["new", kind, f"our-{kind}"]).exit_code == 0
    folder = home / f"channelry-our-{kind}"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    metadata = folder / f"channelry_our_{kind}-{project['version']}.dist-info"
    metadata.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(head)
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give the folder of one scaffolded distribution of each kind."""
    home = tmp_path_factory.mktemp("new")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        return {kind: _scaffold(kind, home) for kind in ("channel", "recognizer", "enricher")}


@pytest.fixture(scope="session")
def python() -> Run:
    """Give what runs Python in a scaffolded folder, which is on the path; `cwd` and standard input if wanted."""

    def run(folder: Path, *words: str, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environ = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 120, "check": False}
        return subprocess.run([sys.executable, *words], cwd=cwd or folder, env=environ, input=stdin, **options)

    return run
