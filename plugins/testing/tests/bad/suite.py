"""The kit's rules for Acme, for an honest enricher and recognizer, and for each bad plugin."""

from pathlib import Path
from typing import Any, ClassVar

import channels
import enrichers
import pytest
from acme import Acme, AcmeSimulator
from loud import Loud
from slow import Slow

from channelry.model import Kind, Media, Request
from channelry_testing import (
    FILE,
    ChannelConformance,
    EnricherConformance,
    RecognizerConformance,
    bench,
    conformance,
    connected,
)

bench.HOOK_SECONDS, conformance.MOST_SECONDS = 3.0, 8.0  # bad plugins hang
UNLISTED = "the plugins of this suite are in no distribution"


class AcmeRules(ChannelConformance):
    exempt: ClassVar = {"installed": UNLISTED}
    rows = ("text", "named", "group", "topic", "image", "press", "reaction", "delivered", "unknown")
    channel: ClassVar[Any] = Acme

    @pytest.fixture
    def simulator(self) -> AcmeSimulator:
        return AcmeSimulator()

    @pytest.fixture
    def second(self) -> AcmeSimulator:
        return AcmeSimulator(account="two", token="token-of-two", secret="secret-of-two")

    @pytest.fixture
    def plugin(self, simulator: AcmeSimulator) -> Any:
        return connected(self.channel, simulator)

    @pytest.fixture
    def payloads(self) -> Path:
        return Path(__file__).parent / "payloads"

    def writings(self, simulator: AcmeSimulator) -> list[Request]:
        return [simulator.written(self.customer, "hello", **{where: f"{where}-1"}) for where in ("group", "topic")]

    def held(self, simulator: AcmeSimulator) -> Media:
        return Media(kind=Kind.IMAGE, id=simulator.hold(FILE))


class WordsRules(EnricherConformance):
    exempt: ClassVar = {"installed": UNLISTED}
    languages = (("where is my order", "en"), ("wo ist meine bestellung", "de"))
    feelings = (("great", "en", 1), ("very bad", "en", -1))
    enricher: ClassVar[Any] = enrichers.Words

    @pytest.fixture
    def plugin(self) -> Any:
        return self.enricher(self.enricher.Config())


class BookRules(RecognizerConformance):
    exempt: ClassVar = {"installed": UNLISTED}
    known = ((enrichers.ADA, {}, "customer-7"),)
    recognizer: ClassVar[Any] = enrichers.Book

    @pytest.fixture
    def plugin(self) -> Any:
        return self.recognizer(self.recognizer.Config())


class TestAcme(AcmeRules): ...


class TestNamed(AcmeRules):
    """Whatever a customer writes is only named by the webhook."""

    @pytest.fixture
    def simulator(self) -> AcmeSimulator:
        return AcmeSimulator(named=True)


class TestWords(WordsRules): ...


class TestBook(BookRules): ...


class TestUnlisted(AcmeRules):
    exempt: ClassVar = {}


class TestRowless(AcmeRules):
    rows = (*AcmeRules.rows, "video")


class TestUnwritten(AcmeRules):
    def writings(self, simulator: AcmeSimulator) -> list[Request]:
        return []


class TestSingle(AcmeRules):
    @pytest.fixture
    def second(self) -> None:
        return None


for rules, attribute, found in (
    (AcmeRules, "channel", {**channels.BAD, "loads": [Loud, Slow]}),
    (WordsRules, "enricher", enrichers.BAD_ENRICHERS),
    (BookRules, "recognizer", enrichers.BAD_RECOGNIZERS),
):
    for cls in (cls for bad in found.values() for cls in bad):
        globals()[f"Test{cls.__name__}"] = type(f"Test{cls.__name__}", (rules,), {attribute: cls})
