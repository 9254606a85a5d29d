"""The lock and the constraints say the same, are current, and name no package index but the public one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from house import ROOT

EXPORT = (
    *("export", "--quiet", "--frozen", "--all-packages", "--all-extras", "--all-groups"),
    *("--no-emit-workspace", "--no-hashes", "--no-annotate", "--no-header"),
)


def uv(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run uv on the tree without network, and without what this machine remembers or prefers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    command = [sys.executable, "-m", "uv", *arguments, "--offline", "--no-config", "--cache-dir", str(cache)]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_the_constraints_are_the_lock(tmp_path: Path) -> None:
    """If not, run: nox -s lock."""
    exported = uv(*EXPORT, cache=tmp_path)
    assert exported.returncode == 0, exported.stderr
    assert (ROOT / "constraints.txt").read_text(encoding="utf-8") == exported.stdout


def test_the_lock_is_current(tmp_path: Path) -> None:
    """If not, run: nox -s lock."""
    checked = uv("lock", "--check", cache=tmp_path)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", ["uv.lock", "constraints.txt"])
def test_only_the_public_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    hosts = set(re.findall(r"\b\w+://[^/\"\s]*", text))
    assert hosts <= {"https://pypi.org", "https://files.pythonhosted.org"}
