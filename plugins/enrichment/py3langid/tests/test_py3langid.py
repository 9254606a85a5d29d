"""py3langid as an enricher: right or silent, the same answer always, and behind another one in the order."""

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
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry.config import load_configuration
from channelry.errors import ConfigError
from channelry.hub import open_hub
from channelry.model import Language, Received, Text
from channelry.sink import Sink
from channelry_py3langid import identifier
from channelry_py3langid.plugin import LANGUAGES, Py3LangId
from channelry_py3langid.words import words
from channelry_testing import FakeClock

SENTENCES = {
    "en": "My parcel has not arrived yet, can you tell me where it is?",
    "de": "Mein Paket ist noch nicht angekommen, können Sie mir sagen, wo es ist?",
    "fr": "Mon colis n'est pas encore arrivé, pouvez-vous me dire où il est ?",
    "es": "Mi paquete todavía no ha llegado, ¿me pueden decir dónde está?",
    "pl": "Moja paczka jeszcze nie dotarła, czy możecie mi powiedzieć, gdzie jest?",
    "uk": "Моя посилка досі не прийшла, підкажіть, будь ласка, де вона зараз?",
    "ar": "طردي لم يصل بعد، هل يمكنكم إخباري أين هو؟",
    "he": "החבילה שלי עדיין לא הגיעה, אתם יכולים להגיד לי איפה היא?",
    "ja": "荷物がまだ届いていません。どこにあるか教えていただけますか。",
    "zh-Hans": "我的包裹还没有到,请帮我查一下现在在哪里好吗?",
    "zh-Hant": "我的包裹還沒有到,請幫我查一下現在在哪裡好嗎?",
    # which langdetect has no profiles of
    "ka": "ჩემი ამანათი ჯერ არ მოსულა, შეგიძლიათ მითხრათ, სად არის?",
    "hy": "Իմ ծանրոցը դեռ չի եկել, կարո՞ղ եք ասել, թե որտեղ է այն:",
    "is": "Pakkinn minn er ekki kominn enn, getið þið sagt mér hvar hann er?",
    "be": "Мая пасылка яшчэ не прыйшла, падкажыце, калі ласка, дзе яна зараз?",
    "ki": "Mũndũ o wothe e na kĩhooto gĩa kwaria na kũheo mũthuko mwega",
    "eu": "Nire paketea ez da oraindik iritsi, esan diezadakezue non dagoen?",
}
DOUBTFUL = ["", " ", "ok", "12345", "👍👍", "😡 !!!", "\0", "\ud83d", "https://example.com/where", "@anna_smith"]
HOSTILE = [
    "\0" * 50, "a" * 100_000, "<" * 100_000, "a@" * 50_000, "<a " * 33_000, "&a" * 50_000, "1a-" * 33_000, "\ud800" * 9,
    "<p>Hello</p><script>alert(1)</script>", "Hello мой заказ 你好 שלום", "\u202eHello\u202c", "\u0301" * 5_000,
    SENTENCES["ar"] * 2_000,
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _no_network() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("this needs no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


def plugin(**settings: Any) -> Py3LangId:
    return Py3LangId(Py3LangId.Config(**settings))


def detect(*texts: str, **settings: Any) -> list[Language | None]:
    return list(plugin(**settings).detect_language([Text(text=text) for text in texts]))


@pytest.mark.parametrize("tag", SENTENCES)
def test_a_sentence_is_told_with_its_bcp_47_tag(tag: str) -> None:
    (found,) = detect(SENTENCES[tag])
    assert found is not None
    assert found.code == tag
    assert 0.8 < found.confidence <= 1.0


@pytest.mark.parametrize("text", DOUBTFUL)
def test_a_text_too_short_to_tell_has_no_answer(text: str) -> None:
    assert detect(text) == [None]


def test_letters_are_counted_after_all_that_is_no_language() -> None:
    text = "See <b>https://example.com/a?b=c</b>, mail a.b@example.com or @anna_b: order AB-1234/7 at 10:30 &amp; 😀!"
    assert words(text, 1) == "see mail or order at"
    assert words(text, 17) == ""
    assert words("请看https://example.com/a谢谢,订单12345还没到", 27) == "请看 谢谢 订单 还没到"


def test_below_the_configured_confidence_there_is_no_answer() -> None:
    (sure,) = detect("Where is my order?", minimum_confidence=0.0)
    assert sure is not None
    assert detect("Where is my order?", minimum_confidence=sure.confidence) == [sure]
    assert detect("Where is my order?", minimum_confidence=min(1.0, sure.confidence + 0.01)) == [None]
    assert detect("Where is my order?", shortest=15) == [None]


def test_configured_languages_are_the_only_candidates() -> None:
    found = detect(*SENTENCES.values(), languages=("de", "en"), minimum_confidence=0.0)
    assert {one.code for one in found if one} <= {"de", "en"}


@pytest.mark.parametrize("text", ["Anna Smith", "iPhone 15 Pro Max", "WhatsApp", "ok ok ok ok", "no no no no"])
def test_names_and_a_word_that_is_repeated_have_no_answer(text: str) -> None:
    assert detect(text) == [None]


@pytest.mark.row("A28")
def test_a_texts_own_languages_are_its_only_candidates() -> None:
    """They come before those of the configuration; unknown ones are other providers'."""
    german, chinese = SENTENCES["de"], SENTENCES["zh-Hant"]
    found = plugin(languages=("fi", "sv")).detect_language([
        Text(text=german, languages=("en-GB", "de-AT")), Text(text=german), Text(text=german, languages=("xx", "\0")),
        Text(text=chinese, languages=("zh-Hant", "ja")), Text(text=SENTENCES["ki"], languages=("ki", "en")),
    ])  # fmt: skip
    assert [one and one.code for one in found] == ["de", None, None, "zh-Hant", "ki"]


def test_a_text_in_none_of_the_configured_languages_has_no_answer() -> None:
    other = [text for tag, text in SENTENCES.items() if tag not in ("de", "en")]
    assert detect(*other, languages=("de", "en")) == [None] * len(other)


def test_the_languages_are_those_that_the_model_knows() -> None:
    assert [*LANGUAGES, identifier.NO_LANGUAGE] == sorted(identifier._identifier().labels)


def test_answers_never_vary() -> None:
    expected = dict(zip(SENTENCES.values(), detect(*SENTENCES.values()), strict=True))
    chance = random.Random(1)
    for _ in range(20):
        batch = chance.sample(list(expected), 8)
        assert dict(zip(batch, detect(*batch), strict=True)) == {text: expected[text] for text in batch}


def test_threads_at_first_use_make_one_identifier() -> None:
    identifier._make_identifier.cache_clear()
    together = threading.Barrier(8)

    def run(_: int) -> list[Language | None]:
        together.wait()
        return detect(*SENTENCES.values())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(run, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert identifier._make_identifier.cache_info().misses == 1


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_raises_nothing(text: str) -> None:
    assert len(detect(text, text)) == 2


@given(st.lists(st.text(), max_size=5))
def test_there_are_as_many_answers_as_texts(texts: list[str]) -> None:
    found = detect(*texts, minimum_confidence=0.0, shortest=1)
    assert len(found) == len(texts)
    assert all(one is None or 0.0 <= one.confidence <= 1.0 for one in found)


def test_importing_the_plugin_imports_neither_py3langid_nor_numpy() -> None:
    program = "import sys, channelry_py3langid.plugin; sys.exit(not {'py3langid', 'numpy'}.isdisjoint(sys.modules))"
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
    assert not inspect.iscoroutinefunction(Py3LangId.detect_language)
    file = tmp_path / "channelry.toml"
    file.write_text('[enrichment]\nlanguage = ["py3langid"]\n')
    async with open_hub(load_configuration(file), Nothing.app, clock=FakeClock()) as hub:
        texts = [Text(text=text) for text in (*SENTENCES.values(), *DOUBTFUL, *HOSTILE)]
        found = [one.answer for one in (await hub.enrich("detect_language", texts))[0]]
        (status,) = hub.status()
    assert [one and one.code for one in found[: len(SENTENCES)]] == list(SENTENCES)
    assert (status.state, status.reason, dict(hub.counts)) == ("ready", "", {})


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("minimum_confidence = 1.5", "enrichment.py3langid.minimum_confidence: expected <= 1"),
        ("shortest = 0", "enrichment.py3langid.shortest: expected >= 1"),
        ('languages = ["en", "klingon"]', "enrichment.py3langid.languages: expected in "),
    ],
)
def test_a_wrong_setting_is_told_with_its_path(tmp_path: Path, line: str, fault: str) -> None:
    file = tmp_path / "channelry.toml"
    file.write_text(f'[enrichment]\nlanguage = ["py3langid"]\n[enrichment.py3langid]\n{line}\n')
    with pytest.raises(ConfigError) as caught:
        load_configuration(file)
    assert fault in str(caught.value)
