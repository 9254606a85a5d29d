"""The hub asks Azure in a thread, on asyncio and on trio, and carries on without it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from channelry.config import Configuration, load_configuration
from channelry.hub import Hub, open_hub
from channelry.model import Language, Received, Sentiment, Text
from channelry.sink import Sink
from channelry_azure.simulator import AzureSimulator
from channelry_simulation import FaultKind

pytestmark = pytest.mark.anyio


class Nowhere(Sink):
    async def record(self, received: Received) -> None:
        raise AssertionError("nothing is received here")


@asynccontextmanager
async def nowhere(hub: Hub) -> AsyncIterator[Sink]:
    yield Nowhere()


@pytest.fixture
def configuration(tmp_path: Path, simulator: AzureSimulator, server: Any) -> Configuration:
    settings = "\n".join(f'{key} = "{value}"' for key, value in simulator.settings(server.base_url).items())
    file = tmp_path / "channelry.toml"
    file.write_text(
        f'allow_inline_secrets = true\n[enrichment]\nlanguage = ["azure"]\nsentiment = ["azure"]\n'
        f"[enrichment.azure]\n{settings}\n"
    )
    return load_configuration(file)


@pytest.mark.row("A28")
async def test_language_and_sentiment_come_from_azure(configuration: Configuration) -> None:
    async with open_hub(configuration, nowhere) as hub:
        texts = [Text(text="bonjour, merci"), Text(text="123"), Text(text="hello, where is my order?")]
        french, unknown, english = await hub.detect_language(texts)
        assert (french, unknown) == (Language(code="fr", confidence=0.99), None)
        assert english is not None
        scored = await hub.score_sentiment([Text(text="merci", language="fr"), Text(text="?")])
        assert scored == [Sentiment(score=0.94, confidence=0.95), None]
        (status,) = hub.status()
        assert (status.name, status.plugin, status.state) == ("enrichment.azure", "azure", "ready")
        assert not hub.counts


async def test_while_azure_refuses_all_is_left_open(configuration: Configuration, simulator: AzureSimulator) -> None:
    async with open_hub(configuration, nowhere) as hub:
        for kind in (FaultKind.RATE_LIMITED, FaultKind.UNAVAILABLE, FaultKind.LOST):
            simulator.faults.add(kind)
            assert await hub.detect_language([Text(text="bonjour")]) == [None]
        assert await hub.detect_language([Text(text="bonjour")]) == [Language(code="fr", confidence=0.99)]
        (status,) = hub.status()
        assert status.state == "ready"


async def test_many_batches_at_once_are_not_mixed_up(configuration: Configuration, simulator: AzureSimulator) -> None:
    simulator.reordered = True
    found: dict[str, list[Language | None]] = {}
    said = {"de": "hallo danke", "fr": "bonjour merci", "es": "hola gracias", "uk": "привіт дякую"}

    async with open_hub(configuration, nowhere) as hub:

        async def ask(code: str) -> None:
            found[code] = await hub.detect_language([Text(text=said[code])] * 30)

        async with anyio.create_task_group() as tasks:
            for code in said:
                tasks.start_soon(ask, code)
    assert found == {code: [Language(code=code, confidence=0.99)] * 30 for code in said}
