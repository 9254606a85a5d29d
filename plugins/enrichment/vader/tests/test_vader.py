"""Sentiment: English and emoji are scored, the rest is left to others, and nothing raises."""

import inspect
import random
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry.config import load_configuration
from channelry.hub import open_hub
from channelry.model import Received, Sentiment, Text
from channelry.sink import Sink
from channelry_testing import FakeClock
from channelry_vader import feeling
from channelry_vader.plugin import Vader

pytestmark = pytest.mark.filterwarnings("ignore:codecs.open:DeprecationWarning")  # vaderSentiment, on Python 3.14

POSITIVE = [
    "Great service, thank you so much!",
    "I love it, it works perfectly",
    "not bad at all",
    "The parcel came today, I am very happy :)",
    "😀great",
    "👍🏽",
]
NEGATIVE = [
    "This is terrible, I am so angry",
    "I hate waiting, worst support ever!!!",
    "The service is not good",
    "My phone arrived broken and nobody helps 😡",
    "👎",
]
NEUTRAL = ["Where is my parcel?", "I ordered on Monday"]
EMOJI = {
    "😀": 1, "😍😍": 1, "👍": 1, "👍🏿!": 1, "❤️": 1, "❤️‍🔥": 1, ":)": 1,
    "😢": -1, "😡": -1, "🤬 🤬": -1, "💔": -1, "👎👎": -1, ":(": -1,
}  # fmt: skip
UNKNOWN = ["", "  ", "\n", "📦", "🥹", "???", "12345", "\u200d", "\ufe0f"]
FOREIGN = {
    "de": "Ich bin sehr zufrieden, super!", "fr": "C'est terrible", "es": "Excelente, muchas gracias", "it": "Pessimo",
    "pt": "Ótimo", "nl": "Slecht", "pl": "Świetnie", "uk": "Жахливо", "ru": "Отлично 👍", "ar": "سيء جدا 😡",
    "he": "מצוין", "ja": "最悪です", "zh-Hans": "很好", "ko": "최고예요", "th": "ดีมาก", "": "Great, thank you!",
    "enm": "fair",
}  # fmt: skip
HOSTILE = [
    "\0" * 50, "<b>great</b><script>alert(1)</script>", "good a b c " * 9_000, "but bad " * 12_500, "a" * 100_000,
    "😡" * 100_000, "great\0terrible", "\ud83d good", "Hello мой заказ 你好 שלום good",
    "\u202egood\u202c", "!" * 100_000,
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _no_network() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("this needs no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


def score(*texts: str, language: str = "en") -> list[Sentiment | None]:
    given = [Text(text=text, language=language) for text in texts]
    return list(Vader(Vader.Config()).score_sentiment(given))


def signs(*texts: str, language: str = "en") -> list[int | None]:
    return [None if one is None else (one.score > 0) - (one.score < 0) for one in score(*texts, language=language)]


def test_english_has_a_feeling() -> None:
    assert signs(*POSITIVE) == [1] * len(POSITIVE)
    assert signs(*NEGATIVE) == [-1] * len(NEGATIVE)


def test_english_without_a_known_word_is_in_the_middle_with_no_confidence() -> None:
    assert score(*NEUTRAL) == [Sentiment(score=0.0, confidence=0.0)] * len(NEUTRAL)


@pytest.mark.parametrize("language", ["en", "en-GB", "EN-us", "en-Latn-US"])
def test_english_is_english_in_every_country(language: str) -> None:
    assert score("great", language=language) == [Sentiment(score=0.6249, confidence=0.6249)]


@pytest.mark.parametrize("language", FOREIGN)
def test_another_language_is_left_to_others(language: str) -> None:
    assert score(FOREIGN[language], language=language) == [None]


@pytest.mark.parametrize("language", ["", "de", "zh-Hans", "en"])
def test_emoji_have_a_feeling_in_every_language(language: str) -> None:
    assert dict(zip(EMOJI, signs(*EMOJI, language=language), strict=True)) == EMOJI


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_says_nothing_has_no_answer(text: str) -> None:
    assert score(text, language="de") == [None]


def test_an_empty_text_has_no_answer_in_english_either() -> None:
    assert score("", " \n ", "\ufe0f") == [None, None, None]


def test_words_that_cancel_each_other_out_are_less_sure() -> None:
    mixed, clear = score("Great product but terrible delivery", "Great product and great delivery")
    assert mixed is not None
    assert clear is not None
    assert mixed.confidence < clear.confidence


@pytest.mark.parametrize("language", ["", "en"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_raises_nothing(text: str, language: str) -> None:
    assert len(score(text, text, language=language)) == 2


@given(st.lists(st.text(), max_size=5), st.sampled_from(["", "en", "de"]))
def test_there_are_as_many_answers_as_texts(texts: list[str], language: str) -> None:
    found = score(*texts, language=language)
    assert len(found) == len(texts)
    assert all(one is None or (-1 <= one.score <= 1 and 0 <= one.confidence <= 1) for one in found)


def test_answers_never_vary() -> None:
    texts = [*POSITIVE, *NEGATIVE, *NEUTRAL, *EMOJI]
    expected = dict(zip(texts, score(*texts), strict=True))
    chance = random.Random(1)
    for _ in range(100):
        batch = chance.sample(texts, 10)
        assert dict(zip(batch, score(*batch), strict=True)) == {text: expected[text] for text in batch}


def test_threads_at_first_use_make_one_analyzer() -> None:
    feeling._make_analyzer.cache_clear()
    together = threading.Barrier(16)

    def run(_: int) -> list[Sentiment | None]:
        together.wait()
        return score(*POSITIVE, *NEGATIVE)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(run, range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert feeling._make_analyzer.cache_info().misses == 1


def test_the_words_that_stand_in_for_emoji_are_in_the_lexicon() -> None:
    assert [word for word in feeling.DESCRIPTIONS.values() if word not in feeling.analyzer().lexicon] == []


def test_importing_the_plugin_imports_no_library_of_scores_and_scoring_no_requests() -> None:
    program = (
        "import sys, channelry_vader.plugin as it\n"
        "assert 'vaderSentiment' not in sys.modules\n"
        "it.Vader(it.Vader.Config()).score_sentiment([it.Text(text='great', language='en')])\n"
        "assert 'vaderSentiment' in sys.modules and 'requests' not in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class Nothing(Sink):
    """An application that keeps nothing."""

    async def record(self, received: Received) -> None: ...

    @classmethod
    @asynccontextmanager
    async def app(cls, hub: object) -> AsyncIterator[Sink]:
        yield cls()


@pytest.mark.anyio
async def test_the_hub_asks_it_in_a_thread(tmp_path: Path) -> None:
    """As it does with every plain function: what computes would else stop all connections."""
    assert not inspect.iscoroutinefunction(Vader.score_sentiment)
    file = tmp_path / "channelry.toml"
    file.write_text('[enrichment]\nsentiment = ["vader"]\n')
    texts = [*POSITIVE, *FOREIGN.values(), *HOSTILE]
    tags = ["en"] * len(POSITIVE) + list(FOREIGN) + ["en"] * len(HOSTILE)
    async with open_hub(load_configuration(file), Nothing.app, clock=FakeClock()) as hub:
        asked = [Text(text=text, language=tag) for text, tag in zip(texts, tags, strict=True)]
        found = [one.answer for one in (await hub.enrich("score_sentiment", asked))[0]]
        (status,) = hub.status()
    assert all(one and one.score > 0 for one in found[: len(POSITIVE)])
    assert found[len(POSITIVE) : -len(HOSTILE)] == [None] * len(FOREIGN)
    assert len(found) == len(texts)
    assert (status.state, status.reason, dict(hub.counts)) == ("ready", "", {})


@pytest.mark.parametrize(
    "text",
    ["Please help me with my invoice", "Can you help me?", "I would like to change my address", "I’d like a receipt",
     "Could someone from support call me, please?", "Do you accept credit cards?", "yes please"],
)  # fmt: skip
def test_a_request_is_neither_good_nor_bad(text: str) -> None:
    (found,) = score(text)
    assert found is not None
    assert found.score == 0


def test_words_of_customers_weigh() -> None:
    late, faulty, robbed = (one.score for one in score("It is late", "It is faulty", "You are crooks") if one)
    assert 0 > late > faulty > robbed
    liked, thanked = (one.score for one in score("I like it", "thanks") if one)
    assert liked > 0
    assert 0.3 < thanked < 0.4
