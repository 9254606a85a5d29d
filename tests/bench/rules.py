"""Figures without a socket: verifying, parsing, calling a hook, importing; and the core's size."""

import ast
import hmac
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import orjson
from attrs import evolve, frozen
from measure import Figure, interleaved, per_call

import channelry
from channelry import hookimpl, plugin
from channelry.config import Configuration, Entry
from channelry.discovery import available
from channelry.hub import closed_hub
from channelry.model import Capabilities, Request
from channelry_testing import connected
from channelry_testing.bench import installed
from channelry_testing.payloads import read_payloads

PAYLOADS = Path(__file__).parents[2] / "plugins" / "channels"
TYPICAL = ("text", "comment", "xaa_dm_received", "im")
"""The recorded payload of each channel that is a customer's text, by the first of these names that it has."""


def receiving(name: str) -> Figure:
    """Measure verify + parse of a customer's text on one channel, whose simulator signs it."""
    provider = available("channelry.simulators")[name].load()()
    plugin = connected(installed(name), provider)
    folder = PAYLOADS / name / "tests" / "payloads"
    recorded = {payload.name.removesuffix(".json"): payload for payload in read_payloads(folder)}
    payload = next(recorded[typical] for typical in TYPICAL if typical in recorded)
    request = provider.signed(evolve(payload.request, public_url=""))
    body, read = request.body, orjson.loads if request.body.startswith(b"{") else parse_qsl

    def floor() -> None:
        hmac.digest(b"a secret of the usual length", body, "sha256")
        read(body)

    def ours() -> None:
        plugin.verify(request)
        plugin.parse(request)

    assert plugin.parse(request).events == payload.events
    base, mine, ratio = interleaved(per_call(floor, 5_000), per_call(ours, 5_000))
    found = f"{ratio:.2f} ({mine * 1e6:.1f} µs : {base * 1e6:.1f})"
    return Figure(f"verify + parse, {name}", found, "≤ 4", ratio <= 4)


@plugin
class Bare:
    """A channel whose hook does nothing, so that the way to it is all that is measured."""

    @frozen
    class Config:
        pass

    config: Config
    capabilities = Capabilities(text=1)

    @hookimpl
    def verify(self, request: Request) -> None:
        return None


def dispatch() -> Figure:
    entry = Entry("connections.bare", "bare", endpoint="bare", cls=Bare, config=Bare.Config())
    hub = closed_hub(Configuration(Path("bench.toml"), (entry,)))
    table = {"verify": Bare(Bare.Config()).verify}
    request = Request("GET", "/", (), b"", datetime.now(UTC))

    def floor() -> None:
        table["verify"](request)

    def ours() -> None:
        hub.connections["bare"].pure["verify"](request)

    base, mine, ratio = interleaved(per_call(floor, 500_000), per_call(ours, 500_000))
    return Figure("addressed hook", f"{ratio:.2f} ({mine * 1e9:.0f} ns : {base * 1e9:.0f})", "≤ 2", ratio <= 2)


def importing(code: str) -> Callable[[], float]:
    """Make a measurement of the seconds that Python takes to run a line."""

    def once() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    return once


def import_time() -> Figure:
    base, mine, _ = interleaved(importing("pass"), importing("import channelry"), 15)
    more = (mine - base) * 1000
    return Figure("import channelry", f"{more:.0f} ms more", "≤ 150 ms", more <= 150)


def lines() -> Figure:
    total = sum(map(lines_of_code, Path(channelry.__file__).parent.rglob("*.py")))
    return Figure("lines of code of the core", str(total), "≤ 2200", total <= 2200)


def lines_of_code(file: Path) -> int:
    """Count lines that are neither blank, nor comment, nor docstring."""
    source = file.read_text()
    prose: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    rows = enumerate(source.splitlines(), 1)
    return sum(1 for number, row in rows if number not in prose and row.strip() and not row.strip().startswith("#"))
