"""Check the licences of what is locked: `python tests/licences.py`, where constraints.txt is installed.

Reads installed metadata: the `License-Expression`, else the classifiers, else the `License` line. Every licence named
there must be a permissive one or one that binds only its own files.
"""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"

ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"),
    *("Unlicense", "Zlib"),
    # as classifiers and `License` lines say it
    *("Apache 2.0", "Apache Software License", "BSD License", "ISC License (ISCL)", "MIT License"),
    *("Mozilla Public License 2.0 (MPL 2.0)", "Python Software Foundation License"),
}
KNOWN = {
    # only for Windows, so not installed where this runs; read from their metadata by hand
    "cffi": "MIT-0",
    "colorama": "BSD-3-Clause",
    "pycparser": "BSD-3-Clause",
}


def licences(name: str) -> set[str]:
    """Name the licences of an installed distribution; none if it does not say."""
    said = metadata(name)
    for expression in said.get_all("License-Expression") or ():
        return set(re.split(r"\s+(?:AND|OR)\s+", expression.replace("(", "").replace(")", "")))
    classifiers = [line for line in said.get_all("Classifier") or () if line.startswith("License :: ")]
    return {line.split(" :: ")[-1] for line in classifiers} or set(said.get_all("License") or ())


def complaints(names: Iterable[str]) -> list[str]:
    """Give a line for each distribution whose licence is not allowed or not known."""
    found = []
    for name in names:
        try:
            said = licences(name)
        except PackageNotFoundError:
            said = {KNOWN[name]} if name in KNOWN else set()
        if not said:
            found.append(f"{name}: no licence found: is it installed, and does it say? Else add it to KNOWN")
        elif not said <= ALLOWED:
            found.append(f"{name}: {', '.join(sorted(said - ALLOWED))} is not among the allowed licences")
    return found


def main() -> int:
    names = [Requirement(line).name for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line]
    found = complaints(names)
    print(*found, f"{len(names)} distributions in the lock, {len(found)} complaints about licences", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
