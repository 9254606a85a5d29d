"""SIGKILL while messages come in and replies go out: nothing acknowledged is lost, nothing is sent twice silently."""

import asyncio
import os
import random
import signal
import socket
import sqlite3
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from attrs import define, field

from channelry.errors import SendError
from channelry.model import Request
from channelry.services import Http
from channelry_server.client import open_client
from channelry_whatsapp.simulator import WhatsAppSimulator

pytestmark = pytest.mark.anyio

ROUNDS = 30
WRITERS = 6


@define(eq=False)
class Field:
    """The simulated provider, its customers, and the server that is killed."""

    folder: Path
    port: int
    http: Http
    simulator: WhatsAppSimulator
    acknowledged: set[str] = field(factory=set)
    written: int = 0
    process: Any = None

    async def post(self, request: Request) -> int:
        headers = {name.decode(): value.decode() for name, value in request.headers}
        url = f"http://127.0.0.1:{self.port}/hooks/support"
        answer = await self.http.request("POST", url, headers=headers, content=request.body, timeout=5)
        return answer.status

    async def write(self) -> None:
        """Write as a customer, again and again until it is acknowledged."""
        while True:
            self.written += 1
            number = self.written
            request = self.simulator.message(f"4917{number:08}", f"message {number}")
            while True:
                with suppress(SendError):
                    if await self.post(request) == 200:
                        break
                await asyncio.sleep(0.02)
            self.acknowledged.add(f"message {number}")

    async def report(self) -> None:
        """Report statuses, and keep those that nobody took."""
        while True:
            for _ in range(len(self.simulator.webhooks)):
                webhook = self.simulator.webhooks.popleft()
                try:
                    taken = await self.post(webhook) == 200
                except SendError:
                    taken = False
                if not taken:
                    self.simulator.webhooks.append(webhook)
                    break
            await asyncio.sleep(0.01)

    async def start(self) -> None:
        words = ["-m", "channelry", "serve", "--app", "answering:app", "--config", "channelry.toml"]
        tests = str(Path(__file__).parent)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=self.folder, env={**os.environ, "PYTHONPATH": tests}
        )
        for _ in range(600):
            with suppress(SendError):
                await self.http.request("GET", f"http://127.0.0.1:{self.port}/health", timeout=20)
                return
            assert self.process.returncode is None, "serve has ended"
            await asyncio.sleep(0.01)
        raise AssertionError("serve does not listen")

    async def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return int(await self.process.wait())

    def rows(self, statement: str) -> list[Any]:
        db = sqlite3.connect(self.folder / "channelry.db")
        try:
            return db.execute(statement).fetchall()
        finally:
            db.close()


async def test_killed_thirty_times_nothing_is_lost_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    chance = random.Random(0)
    simulator = WhatsAppSimulator()
    with socket.create_server(("127.0.0.1", 0)) as provider, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = simulator.settings(f"http://127.0.0.1:{provider.getsockname()[1]}")
        lines = ["allow_inline_secrets = true", "[server]", f"port = {port}", 'log_level = "error"', "[desk]",
                 "lease_seconds = 1.0", "callback_seconds = 4.0", "[connections.support]"]  # fmt: skip
        lines += [f"{key} = {orjson.dumps(value).decode()}" for key, value in settings.items()]
        (tmp_path / "channelry.toml").write_text("\n".join(lines))
        config = uvicorn.Config(simulator.app, interface="asgi3", lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        async with open_client() as http:
            scene = Field(tmp_path, port, http(frozenset({f"http://127.0.0.1:{port}"})), simulator)
            tasks = [asyncio.create_task(server.serve([provider])), asyncio.create_task(scene.report())]
            writers = [asyncio.create_task(scene.write()) for _ in range(WRITERS)]
            for _ in range(ROUNDS):
                await scene.start()
                await asyncio.sleep(chance.uniform(0.005, 0.150))
                assert await scene.end(signal.SIGKILL) == -signal.SIGKILL
            await scene.start()
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)
            unsettled: list[Any] = [None]
            for _ in range(300):
                await asyncio.sleep(0.1)
                unsettled = scene.rows("SELECT 1 FROM calls WHERE head IS NOT NULL") + scene.rows(
                    "SELECT 1 FROM messages m WHERE direction = 'in' AND NOT EXISTS"
                    " (SELECT 1 FROM messages o WHERE o.key = 'out:re:' || m.key)"
                )
                if not unsettled:
                    break
            assert await scene.end(signal.SIGTERM) == 0
            server.should_exit = True
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    stored = Counter(text for (text,) in scene.rows("SELECT text FROM messages WHERE direction = 'in'"))
    sent = Counter(taken.text for taken in simulator.ledger.taken)
    calls = dict(scene.rows("SELECT m.text, c.state FROM calls c JOIN messages m ON m.id = c.message"))
    assert unsettled == []
    assert len(scene.acknowledged) >= ROUNDS
    assert scene.acknowledged <= set(stored)
    assert max(stored.values()) == 1
    assert max(sent.values()) == 1
    for text in stored:
        assert sent[f"re {text}"] == 1 or calls[f"re {text}"] == "uncertain", (text, calls.get(f"re {text}"))
    assert scene.rows("PRAGMA integrity_check") == [("ok",)]
