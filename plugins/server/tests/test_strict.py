"""`serve --strict`: a broken plugin ends the process, and is named."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
import threading, time
from attrs import frozen
from channelry import hookimpl, plugin
from channelry.errors import AuthError
from channelry.model import Capabilities, Received, Request
from channelry.services import Services

@plugin
class Acme:
    @frozen
    class Config:
        how: str

    config: Config
    capabilities = Capabilities(text=10)

    @hookimpl
    def verify(self, request: Request) -> None: ...

    @hookimpl
    def parse(self, request: Request) -> Received:
        return {"list": list, "raises": lambda: 1 / 0}.get(self.config.how, lambda: Received(request))()

    @hookimpl
    async def open(self, services: Services) -> None:
        if self.config.how == "refused":
            raise AuthError("the token is not good")
        if self.config.how == "opens":
            raise ValueError("no such thing")
        if self.config.how == "thread":
            threading.Thread(target=time.sleep, args=(60,)).start()
            raise ValueError("left a thread behind")
"""
APP = """
from contextlib import asynccontextmanager
from channelry.sink import Sink

class Nowhere(Sink):
    async def record(self, received): pass

@asynccontextmanager
async def sink(hub):
    yield Nowhere()
"""


def start(folder: Path, how: str, *options: str, plugin: str = PLUGIN) -> subprocess.Popen[str]:
    """Run `channelry serve` with one installed plugin, which behaves as `how` says."""
    (folder / "acme.py").write_text(plugin)
    (folder / "mine.py").write_text(APP)
    installed = folder / "channelry_acme-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: channelry-acme\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[channelry.plugins]\nacme = acme:Acme\n")
    text = f'[server]\nport = 0\n[connections.shop]\nplugin = "acme"\nhow = "{how}"\n'
    (folder / "channelry.toml").write_text(text)
    command = [sys.executable, "-m", "channelry", "serve", "--app", "mine:sink", *options]
    environ = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True)


def listening(process: subprocess.Popen[str]) -> int:
    """Wait until it listens, and give the port."""
    assert process.stderr is not None
    line = next(line for line in process.stderr if "listening on http://" in line)
    return int(line.partition("127.0.0.1:")[2].partition(",")[0])


def post(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /hooks/shop HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
        return client.recv(100)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("list", "connections.shop: hook parse: TypeError: returned list, expected Received"),
        ("raises", "connections.shop: hook parse: ZeroDivisionError: division by zero (acme.py:"),
    ],
)
def test_a_plugin_that_breaks_while_it_serves_ends_the_process(how: str, reason: str, tmp_path: Path) -> None:
    """The provider gets its answer all the same, for the request was kept."""
    with start(tmp_path, how, "--strict") as process:
        assert post(listening(process)).startswith(b"HTTP/1.1 200")
        assert process.wait(20) == 1
        assert process.stderr is not None
        assert process.stderr.read().splitlines()[-1].startswith(reason)


@pytest.mark.parametrize(
    ("how", "plugin", "reason"),
    [
        ("opens", PLUGIN, "connections.shop: hook open: ValueError: no such thing (acme.py:"),
        ("thread", PLUGIN, "connections.shop: hook open: ValueError: left a thread behind"),
        ("", "import acme_sdk", "connections.shop (acme): hook (import): No module named 'acme_sdk'"),
        ("", PLUGIN.replace("def parse", "def prase"), "there is no such hook; did you mean parse?"),
    ],
)
def test_a_plugin_that_cannot_be_opened_ends_the_process(how: str, plugin: str, reason: str, tmp_path: Path) -> None:
    """Even where it leaves a thread behind, for which Python would wait."""
    with start(tmp_path, how, "--strict", plugin=plugin) as process:
        assert process.wait(20) == 1
        assert process.stderr is not None
        assert reason in process.stderr.read()


def test_what_is_the_providers_fault_ends_nothing(tmp_path: Path) -> None:
    with start(tmp_path, "refused", "--strict") as process:
        assert post(listening(process))
        process.terminate()
        assert process.wait(20) == 0


def test_without_strict_a_broken_plugin_serves_on(tmp_path: Path) -> None:
    with start(tmp_path, "raises") as process:
        port = listening(process)
        assert [post(port)[:12] for _ in range(3)] == [b"HTTP/1.1 200"] * 3
        process.terminate()
        assert process.wait(20) == 0
