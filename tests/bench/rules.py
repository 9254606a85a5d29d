"""Figures without a socket: verifying, parsing, calling a hook, importing; and the core's size."""

import ast
import hmac
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import sample
from attrs import frozen
from measure import Figure, interleaved, per_call

import channelry
from channelry import hookimpl, plugin
from channelry.config import Configuration, Entry, load_configuration
from channelry.hub import closed_hub
from channelry.model import Capabilities, Request


def configured(text: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "channelry.toml"
        file.write_text(text)
        return closed_hub(load_configuration(file))


def whatsapp() -> Figure:
    hub = configured(sample.CONFIGURATION.replace("PORT", "8080"))
    plugin = hub.connections["support"].pure
    headers = (
        (b"host", b"x"),
        (b"content-type", b"application/json"),
        (b"x-hub-signature-256", sample.SIGNATURE.encode()),
    )
    request = Request("POST", "/hooks/support", headers, sample.BODY, datetime.now(UTC))
    key = sample.APP_SECRET.encode()

    def floor() -> None:
        hmac.digest(key, sample.BODY, "sha256")
        orjson.loads(sample.BODY)

    def ours() -> None:
        plugin["verify"](request)
        plugin["parse"](request)

    assert len(plugin["parse"](request).events) == 1
    base, mine, ratio = interleaved(per_call(floor, 20_000), per_call(ours, 20_000))
    return Figure(
        "verify + parse, WhatsApp", f"{ratio:.2f} ({mine * 1e6:.1f} µs : {base * 1e6:.1f})", "≤ 4", ratio <= 4
    )


def telegram() -> Figure:
    hub = configured(
        'allow_inline_secrets = true\n[connections.bot]\nplugin = "telegram"\n'
        'token = "1:abc"\nsecret_token = "s3cret"\n'
    )
    plugin = hub.connections["bot"].pure
    chat = {"id": 42, "type": "private", "first_name": "Fay"}
    sender = {"id": 42, "is_bot": False, "first_name": "Fay", "language_code": "en"}
    message = {"message_id": 12, "date": 1795300700, "chat": chat, "from": sender, "text": sample.TEXT}
    body = orjson.dumps({"update_id": 77, "message": message})
    headers = ((b"host", b"x"), (b"x-telegram-bot-api-secret-token", b"s3cret"))
    request = Request("POST", "/hooks/bot", headers, body, datetime.now(UTC))

    def floor() -> None:
        hmac.compare_digest(b"s3cret", b"s3cret")
        orjson.loads(body)

    def ours() -> None:
        plugin["verify"](request)
        plugin["parse"](request)

    assert len(plugin["parse"](request).events) == 1
    base, mine, ratio = interleaved(per_call(floor, 20_000), per_call(ours, 20_000))
    return Figure("verify + parse, Telegram", f"{ratio:.2f} ({mine * 1e6:.1f} µs : {base * 1e6:.1f})", "–", True)


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
