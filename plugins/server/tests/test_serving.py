"""Starting and stopping: in this process, and as the command."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner

from channelry.cli import main
from channelry.errors import ConfigError
from channelry.instance import PluginStatus
from channelry_server import command, log
from channelry_server.command import find_application
from channelry_server.config import ServerConfig
from channelry_server.serving import listener, report

APP = """
from contextlib import asynccontextmanager
from channelry.sink import Sink

class Nowhere(Sink):
    async def record(self, received): pass

@asynccontextmanager
async def sink(hub):
    yield Nowhere()
    print("sink closed", flush=True)

number = 1

async def plain(hub):
    yield Nowhere()

async def awaited(hub):
    return Nowhere()
"""


@pytest.mark.anyio
async def test_a_stopping_server_answers_what_it_has_begun(serving: Any) -> None:
    async with serving() as running:
        running.store.released = asyncio.Event()
        idle, idle_writer = await running.connect()
        reader, writer = await running.connect()
        writer.write(b"POST /hooks/shop HTTP/1.1\r\nhost: x\r\nx-key: good\r\ncontent-length: 2\r\n\r\n{}")
        await running.store.asked.wait()
        running.server.should_exit = True
        assert await idle.read() == b""  # closed after the listening socket
        idle_writer.close()
        with pytest.raises(OSError, match=r"."):
            await running.connect()
        assert not running.store.closed
        running.store.released.set()
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
    assert running.store.closed


def test_sigterm_ends_the_command_in_order(tmp_path: Path) -> None:
    """It listens, answers, drains, and closes the application; then its exit status is 0."""
    (tmp_path / "mine.py").write_text(APP)
    (tmp_path / "channelry.toml").write_text("[server]\nport = 0\n")
    command = [sys.executable, "-c", "from channelry.cli import main; main()", "serve", "--app", "mine:sink"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "listening on http://" in line:
                break
        port = int(lines[-1].partition("127.0.0.1:")[2].partition(",")[0])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout.read() == "sink closed\n"
        assert "drained" in process.stderr.read()
        assert not any("uvicorn" in line for line in lines)


def test_the_help_has_examples() -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"])
    assert shown.exit_code == 0
    assert "channelry serve --app" in shown.output
    assert "/hooks/NAME" in shown.output


def test_without_an_application_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "entry_points", lambda **_: ())
    shown = CliRunner().invoke(main, ["serve"])
    assert shown.exit_code == 2
    assert "the desk" in shown.output
    assert "--app PACKAGE:ATTRIBUTE" in shown.output


def test_an_application_of_ones_own_has_its_own_workers() -> None:
    shown = CliRunner().invoke(main, ["serve", "--no-worker", "--app", "a:b"])
    assert shown.exit_code == 2
    assert "--no-worker is the desk's" in shown.output


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("mine", "expected PACKAGE:ATTRIBUTE"),
        (":sink", "expected PACKAGE:ATTRIBUTE"),
        ("nowhere_to_be_found:sink", "cannot be imported: ModuleNotFoundError"),
        ("misspelt:sink", "misspelt cannot be imported: SyntaxError"),
        ("crashing:sink", "crashing cannot be imported: ZeroDivisionError"),
        ("mine:plain", "gives a async_generator, expected an async context manager; put @asynccontextmanager on it"),
        ("mine:awaited", "gives a coroutine, expected an async context manager"),
        ("mine:absent", "is not there"),
        ("mine:number", "is a int, expected a function"),
    ],
)
def test_an_application_that_cannot_be_used_is_named(
    target: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(APP)
    (tmp_path / "misspelt.py").write_text("def sink(hub:\n")
    (tmp_path / "crashing.py").write_text("1 / 0\n")
    (tmp_path / "channelry.toml").write_text("[server]\nport = 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(log, "configure", lambda level: None)  # the tests' own logging stays
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    shown = CliRunner().invoke(main, ["serve", "--app", target])
    assert shown.exit_code == 2
    assert f"--app: {target.partition(':')[0]}" in shown.output or "expected PACKAGE" in shown.output
    assert reason in shown.output
    assert "Traceback" not in shown.output


def test_the_current_folder_is_importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_here.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert callable(find_application("mine_here:sink"))


def test_an_address_that_is_taken_is_named() -> None:
    with listener(ServerConfig(port=0), "channelry.toml") as taken:
        port = taken.getsockname()[1]
        said = rf"server\.port: .*127.0.0.1:{port} \(Address already in use\)\n.*end what listens there"
        with pytest.raises(ConfigError, match=said):
            listener(ServerConfig(port=port), "channelry.toml")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "nowhere.invalid"])
def test_a_host_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(ConfigError, match=rf"server\.host: .*{host}:0 .*\n.*choose an address of this machine"):
        listener(ServerConfig(host=host, port=0), "channelry.toml")


def test_a_plugin_that_is_not_ready_is_a_warning_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    ready = PluginStatus("connections.shop", "shop", "", "", (), "ready")
    report([ready, evolve(ready, name="connections.bot", state="not loaded", reason="no token")])
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("INFO", "connections.shop (shop): ready"),
        ("WARNING", "connections.bot (shop): not loaded: no token"),
    ]


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    script = "import threading\nfrom channelry_server.serving import leave\n{}\nleave(0)\nprint('alone')"
    hangs = "threading.Thread(target=threading.Event().wait).start()"
    for code, printed in ((script.format(hangs), ""), (script.format(""), "alone\n")):
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
        assert ended.stdout == printed
