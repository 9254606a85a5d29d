"""Starting the servers that are measured, and loading them from outside: wrk, or hey where one body is enough."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sample

HERE = Path(__file__).parent
SECONDS = 3
CONNECTIONS = 32
PATIENCE = 30.0

_RATE = r"Requests/sec:\s+([\d.]+)"
_SAME = """
wrk.method, wrk.body = 'POST', [==[{body}]==]
wrk.headers['content-type'], wrk.headers['x-hub-signature-256'] = 'application/json', '{signature}'
"""
_EACH_ONCE = """
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    local signature, body = line:match('^(%S+) (.*)$')
    local headers = {['content-type'] = 'application/json', ['x-hub-signature-256'] = signature}
    requests[#requests + 1] = wrk.format('POST', nil, headers, body)
  end
end
function request()
  at = at + 1
  return requests[at]
end
"""


@contextmanager
def uvicorn(app: str) -> Iterator[int]:
    """Serve a plain ASGI application of `servers.py` or `floor.py` as well as uvicorn can."""
    port = free_port()
    words = ["uvicorn", app, "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    with running([*words, "--log-level", "error", "--no-server-header"], port):
        yield port


@contextmanager
def serve(folder: Path, configuration: str, *words: str) -> Iterator[tuple[int, int]]:
    """Run `channelry serve` in a folder; give its port and its process's id once it is ready."""
    port = free_port()
    file = folder / "channelry.toml"
    file.write_text(configuration.replace("PORT", str(port)))
    with running(["channelry", "serve", "--config", str(file), *words], port, folder) as process:
        yield port, process.pid


@contextmanager
def running(words: Sequence[str], port: int, folder: Path = HERE) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a module of Python until the block ends; it has answered an HTTP request when the block begins."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=folder, env=environment)
    try:
        end = time.monotonic() + PATIENCE
        while get(port, "/ready") not in (200, 404):
            assert process.poll() is None, f"{words} ended"
            assert time.monotonic() < end, f"{words} does not get ready"
            time.sleep(0.002)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def get(port: int, path: str) -> int:
    """Ask for a page and give its status, 0 where nobody listens."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        asking.request("GET", path)
        return asking.getresponse().status
    except OSError:
        return 0
    finally:
        asking.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def client() -> Callable[[int], float] | None:
    """Give what sends the sample to a port for some seconds and gives the answers a second."""
    if shutil.which("wrk"):
        return lambda port: wrk(port, _SAME.format(body=sample.BODY.decode(), signature=sample.SIGNATURE))[1]
    return hey if shutil.which("hey") else None


def storm(port: int, bodies: Path, seconds: int = SECONDS) -> tuple[int, float]:
    """Send each line of a file (its signature, a space, the body) once; give the answers, in all and a second."""
    return wrk(port, _EACH_ONCE, str(bodies), seconds=seconds)


def wrk(port: int, script: str, *arguments: str, seconds: int = SECONDS) -> tuple[int, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", file.name]
        printed = output([*words, f"http://127.0.0.1:{port}/hooks/support", "--", *arguments])
    for trouble in ("Non-2xx", "Socket errors"):
        assert trouble not in printed, printed
    return int(found(r"(\d+) requests in", printed)), float(found(_RATE, printed))


def hey(port: int) -> float:
    printed = output(
        ["hey", "-z", f"{SECONDS}s", "-c", str(CONNECTIONS), "-m", "POST", "-d", sample.BODY.decode(),
         "-T", "application/json", "-H", f"x-hub-signature-256: {sample.SIGNATURE}",
         f"http://127.0.0.1:{port}/hooks/support"]
    )  # fmt: skip
    return float(found(_RATE, printed))


def output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def found(pattern: str, printed: str) -> str:
    match = re.search(pattern, printed)
    assert match is not None, printed
    return match[1]
