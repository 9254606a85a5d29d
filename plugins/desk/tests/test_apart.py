"""Three processes on one file: one receives, one sends, and a program queues what is sent."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
import uvicorn

from channelry.config import load_configuration
from channelry.errors import SendError
from channelry.hub import closed_hub
from channelry_desk.desk import without_worker
from channelry_desk.grants import SYSTEM
from channelry_server.client import open_client
from channelry_whatsapp.simulator import WhatsAppSimulator

pytestmark = pytest.mark.anyio


async def run(folder: Path, *words: str) -> "asyncio.subprocess.Process":
    command = (sys.executable, "-m", "channelry", *words, "--config", "channelry.toml")
    return await asyncio.create_subprocess_exec(*command, cwd=folder, env=dict(os.environ))


async def test_serve_and_worker_run_apart(tmp_path: Path) -> None:
    simulator = WhatsAppSimulator()
    with socket.create_server(("127.0.0.1", 0)) as provider, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        settings = simulator.settings(f"http://127.0.0.1:{provider.getsockname()[1]}")
        lines = [
            "allow_inline_secrets = true",
            "[server]",
            f"port = {port}",
            'log_level = "error"',
            "[connections.support]",
        ]
        lines += [f"{key} = {orjson.dumps(value).decode()}" for key, value in settings.items()]
        (tmp_path / "channelry.toml").write_text("\n".join(lines))
        server = uvicorn.Server(
            uvicorn.Config(simulator.app, interface="asgi3", lifespan="off", log_config=None, access_log=False)
        )
        answering = asyncio.create_task(server.serve([provider]))
        url = f"http://127.0.0.1:{port}"
        serving = await run(tmp_path, "serve", "--no-worker")
        async with open_client() as clients:
            http, request = clients(frozenset({url})), simulator.message("491700000001", "hello")
            headers = {name.decode(): value.decode() for name, value in request.headers}
            for _ in range(600):
                with suppress(SendError):
                    answer = await http.request("POST", f"{url}/hooks/support", headers=headers, content=request.body)
                    assert answer.status == 200
                    break
                await asyncio.sleep(0.05)
        working = await run(tmp_path, "worker")
        async with without_worker(closed_hub(load_configuration(tmp_path / "channelry.toml"))) as desk:
            (conversation,) = (await desk.service.search.conversations(by=SYSTEM)).rows
            await desk.service.conversations.reply(by=SYSTEM, conversation=conversation.id, text="good day")
        for _ in range(600):
            if simulator.ledger.taken:
                break
            await asyncio.sleep(0.05)
        for process in (serving, working):
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
        server.should_exit = True
        await answering
    assert [(taken.to, taken.text) for taken in simulator.ledger.taken] == [("491700000001", "good day")]
