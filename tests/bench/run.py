"""Measure every figure of README.md here and print it beside its goal; exit status 1 if one is missed."""

import ast
import hmac
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import sample
from attrs import frozen

import channelry
from channelry import hookimpl, plugin
from channelry.config import Configuration, Entry, load_configuration
from channelry.hub import closed_hub
from channelry.model import Capabilities, Request

HERE = Path(__file__).parent
ROUNDS = 7
SECONDS = 3
CONNECTIONS = 32


def main() -> None:
    rows = [endpoint(), whatsapp(), telegram(), dispatch(), import_time(), lines()]
    width = max(len(row[0]) for row in rows)
    for name, figure, goal, met in rows:
        print(f"{name:<{width}}  {figure:>24}  goal {goal:<10}  {'met' if met else 'MISSED'}")
    sys.exit(0 if all(row[3] for row in rows) else 1)


Row = tuple[str, str, str, bool]


def interleaved(
    floor: Callable[[], float], ours: Callable[[], float], rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """Measure both in turn; give the medians of both and the median ratio ours / floor."""
    pairs = [(floor(), ours()) for _ in range(rounds)]
    ratio = statistics.median(mine / base for base, mine in pairs)
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs), ratio


def per_call(function: Callable[[], Any], number: int) -> Callable[[], float]:
    return lambda: min(timeit.repeat(function, number=number, repeat=3)) / number


def configured(text: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "channelry.toml"
        file.write_text(text)
        return closed_hub(load_configuration(file))


def whatsapp() -> Row:
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
    return "verify + parse, WhatsApp", f"{ratio:.2f} ({mine * 1e6:.1f} µs : {base * 1e6:.1f})", "≤ 4", ratio <= 4


def telegram() -> Row:
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
    return "verify + parse, Telegram", f"{ratio:.2f} ({mine * 1e6:.1f} µs : {base * 1e6:.1f})", "–", True


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


def dispatch() -> Row:
    entry = Entry("connections.bare", "bare", endpoint="bare", cls=Bare, config=Bare.Config())
    hub = closed_hub(Configuration(Path("bench.toml"), (entry,)))
    table = {"verify": Bare(Bare.Config()).verify}
    request = Request("GET", "/", (), b"", datetime.now(UTC))

    def floor() -> None:
        table["verify"](request)

    def ours() -> None:
        hub.connections["bare"].pure["verify"](request)

    base, mine, ratio = interleaved(per_call(floor, 500_000), per_call(ours, 500_000))
    return "addressed hook", f"{ratio:.2f} ({mine * 1e9:.0f} ns : {base * 1e9:.0f})", "≤ 2", ratio <= 2


def import_time() -> Row:
    def run(code: str) -> Callable[[], float]:
        def once() -> float:
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            return time.perf_counter() - began

        return once

    base, mine, _ = interleaved(run("pass"), run("import channelry"), 15)
    more = (mine - base) * 1000
    return "import channelry", f"{more:.0f} ms more", "≤ 150 ms", more <= 150


def lines() -> Row:
    total = sum(map(lines_of_code, Path(channelry.__file__).parent.rglob("*.py")))
    return "lines of code of the core", str(total), "≤ 2200", total <= 2200


def lines_of_code(file: Path) -> int:
    """Count lines that are neither blank, nor comment, nor docstring."""
    source = file.read_text()
    prose: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    rows = enumerate(source.splitlines(), 1)
    return sum(1 for number, row in rows if number not in prose and row.strip() and not row.strip().startswith("#"))


# The endpoint, over HTTP


def endpoint() -> Row:
    name = f"webhook endpoint ({CONNECTIONS} connections)"
    load = client()
    if load is None:
        return name, "neither wrk nor hey here", "≥ 0.8", False
    with floor_server() as floor_port, our_server() as our_port:
        base, mine, ratio = interleaved(lambda: load(floor_port), lambda: load(our_port))
    return name, f"{ratio:.2f} ({mine:.0f}/s : {base:.0f}/s)", "≥ 0.8", ratio >= 0.8


def client() -> Callable[[int], float] | None:
    """Give what loads a port for some seconds and gives the requests a second."""
    if shutil.which("wrk"):
        return wrk
    return hey if shutil.which("hey") else None


def wrk(port: int) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        body = sample.BODY.decode().replace("\\", "\\\\").replace("'", "\\'")
        script.write(
            f"wrk.method='POST'\nwrk.body='{body}'\nwrk.headers['content-type']='application/json'\n"
            f"wrk.headers['x-hub-signature-256']='{sample.SIGNATURE}'\n"
        )
        script.flush()
        printed = output(
            [
                "wrk",
                "-t1",
                f"-c{CONNECTIONS}",
                f"-d{SECONDS}s",
                "-s",
                script.name,
                f"http://127.0.0.1:{port}/hooks/support",
            ]
        )
    assert "Non-2xx" not in printed, printed
    return rate(r"Requests/sec:\s+([\d.]+)", printed)


def hey(port: int) -> float:
    printed = output(
        ["hey", "-z", f"{SECONDS}s", "-c", str(CONNECTIONS), "-m", "POST", "-d", sample.BODY.decode(),
         "-T", "application/json", "-H", f"x-hub-signature-256: {sample.SIGNATURE}",
         f"http://127.0.0.1:{port}/hooks/support"]
    )  # fmt: skip
    return rate(r"Requests/sec:\s+([\d.]+)", printed)


def output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def rate(pattern: str, printed: str) -> float:
    found = re.search(pattern, printed)
    assert found is not None, printed
    return float(found[1])


@contextmanager
def floor_server() -> Iterator[int]:
    port = free_port()
    words = [
        "uvicorn",
        "servers:app",
        "--port",
        str(port),
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
    ]
    with server([*words, "--log-level", "error", "--no-server-header"], port):
        yield port


@contextmanager
def our_server() -> Iterator[int]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "channelry.toml"
        file.write_text(sample.CONFIGURATION.replace("PORT", str(port)))
        with server(["channelry", "serve", "--app", "servers:instant", "--config", str(file)], port):
            yield port


@contextmanager
def server(words: Sequence[str], port: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=HERE, env={**os.environ, "PYTHONPATH": str(HERE)})
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, f"{words} ended"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
