"""The hub asks Azure in a thread, on asyncio and on trio, and carries on without it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve, frozen

from channelry import hookimpl, plugin
from channelry.config import Configuration, Entry, load_configuration
from channelry.hub import Hub, open_hub
from channelry.model import Language, Received, Sentiment, Text
from channelry.sink import Sink
from channelry_azure.simulator import AzureSimulator
from channelry_simulation import FaultKind
from channelry_testing import FakeClock

pytestmark = pytest.mark.anyio

SECOND = Sentiment(score=-0.5, confidence=0.7)


class Nowhere(Sink):
    async def record(self, received: Received) -> None:
        raise AssertionError("nothing is received here")


@plugin
class Next:
    """The next in the order: it knows two answers and nothing else."""

    @frozen
    class Config:
        pass

    config: Config

    @hookimpl
    async def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        return [SECOND for _ in texts]


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


async def answers(hub: Hub, hook: str, texts: Sequence[Text]) -> list[Any]:
    """Give what the providers of a hook say of each text, one after the other."""
    found, _ = await hub.enrich(hook, texts)
    return [one.answer for one in found]


@pytest.mark.row("A28")
async def test_language_and_sentiment_come_from_azure(configuration: Configuration) -> None:
    async with open_hub(configuration, nowhere) as hub:
        texts = [Text(text="bonjour, merci"), Text(text="123"), Text(text="hello, where is my order?")]
        french, unknown, english = await answers(hub, "detect_language", texts)
        assert (french, unknown) == (Language(code="fr", confidence=0.99), None)
        assert english is not None
        scored = await answers(hub, "score_sentiment", [Text(text="merci", language="fr"), Text(text="?")])
        assert scored == [Sentiment(score=0.94, confidence=0.95), None]
        (status,) = hub.status()
        assert (status.name, status.plugin, status.state) == ("enrichment.azure", "azure", "ready")
        assert not hub.counts


async def test_while_azure_refuses_all_is_left_open(configuration: Configuration, simulator: AzureSimulator) -> None:
    async with open_hub(configuration, nowhere) as hub:
        for kind in (FaultKind.UNAVAILABLE, FaultKind.LOST):
            simulator.faults.add(kind)
            assert await answers(hub, "detect_language", [Text(text="bonjour")]) == [None]
            assert hub.status()[0].state == "failing"  # so that the application asks again
        assert await answers(hub, "detect_language", [Text(text="bonjour")]) == [Language(code="fr", confidence=0.99)]
        (status,) = hub.status()
        assert status.state == "ready"


@pytest.mark.row("A28")
async def test_while_azure_is_down_the_next_in_the_order_answers_and_then_azure_again(
    configuration: Configuration, simulator: AzureSimulator
) -> None:
    """Five failures in a row quarantine the hook; when that is over, and Azure is back, it answers."""
    clock = FakeClock()
    next_one = Entry("enrichment.next", "next", cls=Next, config=Next.Config())
    entries = (*configuration.entries, next_one)
    orders = {**configuration.orders, "score_sentiment": ("enrichment.azure", "enrichment.next")}
    text = Text(text="love", language="en")
    async with open_hub(evolve(configuration, entries=entries, orders=orders), nowhere, clock=clock) as hub:
        simulator.faults.add(FaultKind.UNAVAILABLE, 3)
        for _ in range(8):
            assert await answers(hub, "score_sentiment", [text]) == [SECOND]
        assert len(simulator.ledger.entries) == 3  # the breaker opened, then the hook was quarantined
        assert {one.name: one.state for one in hub.status()}["enrichment.azure"] == "quarantined"
        await clock.advance(2)
        assert await answers(hub, "score_sentiment", [text]) == [Sentiment(score=0.94, confidence=0.95)]
        assert {one.state for one in hub.status()} == {"ready"}


async def test_what_one_text_lacks_the_next_in_the_order_gives(
    configuration: Configuration, simulator: AzureSimulator
) -> None:
    simulator.broken = {"love 1"}
    entries = (*configuration.entries, Entry("enrichment.next", "next", cls=Next, config=Next.Config()))
    orders = {**configuration.orders, "score_sentiment": ("enrichment.azure", "enrichment.next")}
    async with open_hub(evolve(configuration, entries=entries, orders=orders), nowhere) as hub:
        found = await answers(hub, "score_sentiment", [Text(text=f"love {index}", language="en") for index in range(3)])
    assert found == [Sentiment(score=0.94, confidence=0.95), SECOND, Sentiment(score=0.94, confidence=0.95)]


def confused(configuration: Configuration, given: Any) -> Configuration:
    """Ask a provider first that gives these answers whatever it is asked."""

    @plugin
    class Confused:
        @frozen
        class Config:
            pass

        config: Config

        @hookimpl
        async def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
            return given  # type: ignore[no-any-return]

    entries = (Entry("enrichment.confused", "confused", cls=Confused, config=Confused.Config()), *configuration.entries)
    orders = {**configuration.orders, "score_sentiment": ("enrichment.confused", "enrichment.azure")}
    return evolve(configuration, entries=entries, orders=orders)


@pytest.mark.parametrize("given", [(), (SECOND, SECOND), "mixed up"])
async def test_answers_that_are_too_few_too_many_or_none_at_all_are_not_believed(
    configuration: Configuration, given: Any
) -> None:
    """Each time they are a failure, and the next in the order answers."""
    async with open_hub(confused(configuration, given), nowhere, clock=FakeClock()) as hub:
        for number in range(5):
            found = await answers(hub, "score_sentiment", [Text(text=f"love {number}", language="en")])
            assert found == [Sentiment(score=0.94, confidence=0.95)]
        assert hub.counts["failures", "enrichment.confused", "score_sentiment"] == 5


@pytest.mark.parametrize("given", [(), (SECOND, SECOND), "mixed up"])
async def test_who_gives_such_answers_five_times_is_quarantined(configuration: Configuration, given: Any) -> None:
    async with open_hub(confused(configuration, given), nowhere, clock=FakeClock()) as hub:
        for number in range(5):
            await answers(hub, "score_sentiment", [Text(text=f"love {number}", language="en")])
        assert {one.name: one.state for one in hub.status()}["enrichment.confused"] == "quarantined"


async def test_many_batches_at_once_are_not_mixed_up(configuration: Configuration, simulator: AzureSimulator) -> None:
    simulator.reordered = True
    found: dict[str, list[Language | None]] = {}
    said = {"de": "hallo danke", "fr": "bonjour merci", "es": "hola gracias", "uk": "привіт дякую"}

    async with open_hub(configuration, nowhere) as hub:

        async def ask(code: str) -> None:
            found[code] = await answers(hub, "detect_language", [Text(text=said[code])] * 30)

        async with anyio.create_task_group() as tasks:
            for code in said:
                tasks.start_soon(ask, code)
    assert found == {code: [Language(code=code, confidence=0.99)] * 30 for code in said}
