"""The documentation's examples are real: every fenced block of a known language is well-formed."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen
from house import ROOT

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL
)


@frozen
class Snippet:
    """A fenced block: where its first line of code stands, its language and its text."""

    path: Path
    line: int
    language: str
    code: str


def snippets() -> Iterator[Snippet]:
    for path in (
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "plugins").rglob("README.md")),
    ):
        text = path.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            indent = len(match["indent"])
            code = "".join(line[indent:] or "\n" for line in match["code"].splitlines(keepends=True))
            yield Snippet(path.relative_to(ROOT), text[: match.start("code")].count("\n") + 1, match["language"], code)


def compiled(snippet: Snippet) -> None:
    padded = "\n" * (snippet.line - 1) + snippet.code  # so that an error names the line of the page
    compile(padded, snippet.path, "exec", dont_inherit=True)


CHECKS: dict[str, Callable[[Snippet], object]] = {
    "json": lambda snippet: json.loads(snippet.code),
    "python": compiled,
    "toml": lambda snippet: tomllib.loads(snippet.code),
}
CHECKED = [snippet for snippet in snippets() if snippet.language in CHECKS]


@pytest.mark.parametrize("snippet", CHECKED, ids=[f"{snippet.path}:{snippet.line}" for snippet in CHECKED])
def test_an_example_is_well_formed(snippet: Snippet) -> None:
    CHECKS[snippet.language](snippet)
