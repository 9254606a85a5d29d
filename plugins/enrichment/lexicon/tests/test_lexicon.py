"""Seven languages are scored by their words; what says nothing, or as much of the contrary, stays blank."""

import inspect
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry.config import load_configuration
from channelry.hub import open_hub
from channelry.model import Received, Sentiment, Text
from channelry.sink import Sink
from channelry_lexicon.feeling import EMOJI, FURTHER, PLAIN
from channelry_lexicon.lexicon import LANGUAGES, Lexicon, fold, lexicon
from channelry_lexicon.plugin import WordLists
from channelry_testing import FakeClock

GOOD = {
    "de": "Sehr freundlich, vielen Dank!", "es": "Muy amable, muchas gracias", "fr": "Très gentil, merci beaucoup",
    "it": "Molto gentile, grazie mille", "pl": "Bardzo miła obsługa, polecam", "pt": "Muito simpática, recomendo",
    "uk": "Дуже привітна, рекомендую",
}  # fmt: skip
BAD = {
    "de": "Das Gerät ist kaputt, ich bin enttäuscht", "es": "Llegó roto, qué decepción",
    "fr": "Il est cassé, je suis déçue",
    "it": "È rotto, sono delusa", "pl": "Jest zepsuty, jestem rozczarowana", "pt": "Chegou partido, estou desiludida",
    "uk": "Він зламаний, я розчарована",
}  # fmt: skip
NEGATED = {
    "de": ("gut", "nicht gut"), "es": ("bueno", "no es bueno"), "fr": ("content", "pas content"),
    "it": ("contento", "non sono contento"), "pl": ("dobra", "nie jest dobra"), "pt": ("bom", "não é bom"),
    "uk": ("гарний", "не гарний"),
}  # fmt: skip
ASKING = {
    "de": "Wo ist mein Paket?", "es": "¿Dónde está mi paquete?", "fr": "Où est mon colis ?",
    "it": "Dov'è il mio pacco?",
    "pl": "Gdzie jest moja paczka?", "pt": "Onde está a minha encomenda?", "uk": "Де моя посилка?",
}  # fmt: skip
HOSTILE = [
    "", " ", "\0" * 50, "!" * 100_000, "gut " * 25_000, "aber gut " * 10_000, "nicht " * 20_000, "a" * 100_000,
    "😡" * 100_000, "\ud83d gut", "<b>gut</b><script>", "\u202egut\u202c", "Hallo мой заказ 你好 שלום",
    "'" * 1000, "ı̇" * 500,
]  # fmt: skip

every = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(autouse=True, scope="module")
def _no_network() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("this needs no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


def score(text: str, language: str) -> Sentiment | None:
    (found,) = WordLists(WordLists.Config()).score_sentiment([Text(text=text, language=language)])
    return found


def value(text: str, language: str = "de") -> float:
    found = score(text, language)
    assert found is not None
    return found.score


@every
def test_praise_is_positive_and_blame_negative(language: str) -> None:
    assert value(GOOD[language], language) > 0.4
    assert value(BAD[language], language) < -0.4


@every
def test_what_is_negated_is_the_contrary_and_less_of_it(language: str) -> None:
    plain, negated = (value(text, language) for text in NEGATED[language])
    assert -plain < negated < 0 < plain


@every
def test_a_question_without_a_word_of_feeling_is_neutral(language: str) -> None:
    assert score(ASKING[language], language) == PLAIN


@pytest.mark.parametrize(
    ("text", "language"),
    [("Meine Kundennummer ist 4711", "de"), ("Adjunto el recibo", "es"), ("Voici la facture en pièce jointe", "fr"),
     ("Allego la ricevuta", "it"), ("Załączam zdjęcie", "pl"), ("Segue em anexo o recibo", "pt"),
     ("Надсилаю чек", "uk")],
)  # fmt: skip
def test_a_plain_fact_is_neutral(text: str, language: str) -> None:
    assert score(text, language) == PLAIN


def test_further_words_of_one_kind_say_less_than_the_first() -> None:
    one, two, three = (value(text) for text in ("gut", "gut und freundlich", "gut und freundlich und sauber"))
    assert one < two < three
    assert two < value("fantastisch") + 0.01


@every
def test_a_text_that_neither_asks_nor_feels_is_blank(language: str) -> None:
    """Never a made-up neutral: the lists cannot know."""
    assert score("4471-20, xyz xyz", language) is None


@every
def test_capitals_and_accents_do_not_matter(language: str) -> None:
    assert score(GOOD[language].upper(), language) == score(GOOD[language], language)
    if language != "de":  # schön is not schon
        assert score(fold(GOOD[language]), language) == score(GOOD[language], language)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("gut", "sehr gut"),
        ("etwas langsam", "sehr gut"),
        ("sehr langsam", "etwas langsam"),
        ("gut", "gut!"),
        ("gut, aber kaputt", "kaputt, aber gut"),
        ("Schön", "Schoen und gut"),
        ("nicht gut", "nicht schlecht"),
        ("Das war 😡", "Das war 😍"),
    ],
)
def test_degree_contrast_and_signs_count(less: str, more: str) -> None:
    assert value(less) < value(more)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Sehr gut, sehr schlecht", "de"),  # as much of the one as of the other
        ("Guten Tag", "de"),
        ("Buenos días", "es"),
        ("Das war gut 😡", "de"),
        ("Pourquoi il n'y a pas de facture ?", "fr"),  # a question with a negation may be a reproach
        ("schon", "de"),
    ],
)
def test_what_is_not_sure_is_blank(text: str, language: str) -> None:
    assert score(text, language) is None


@pytest.mark.parametrize(
    ("text", "language", "sign"),
    [
        ("Je n'ai toujours pas de réponse", "fr", -1),  # "still not" is no double negation
        ("Kein Problem", "de", 1),
        ("Das funktioniert nicht", "de", -1),
        ("Ça ne marche pas", "fr", -1),
        ("No está mal", "es", 1),
        ("C'est pas mal", "fr", 1),
        ("Непогано", "uk", 1),
        ("п'ять хвилин, чудово", "uk", 1),
    ],
)
def test_turns_of_phrase(text: str, language: str, sign: int) -> None:
    assert value(text, language) * sign > 0


@pytest.mark.parametrize("language", ["en", "nl", "", "x", "ukr", "zh-Hans"])
def test_another_language_is_left_to_others(language: str) -> None:
    assert score("😍 gut", language) is None


@pytest.mark.parametrize("language", ["de-AT", "DE", "pt-BR", "uk-UA"])
def test_a_language_is_the_same_in_every_country(language: str) -> None:
    assert score(GOOD[language.lower()[:2]], language) == score(GOOD[language.lower()[:2]], language.lower()[:2])


@every
def test_a_word_has_one_weight(language: str) -> None:
    """What stands twice in a list would silently count as the later one."""
    weights: dict[float, set[tuple[str, ...]]] = {}
    for phrase, weight in lexicon(language).words._weights.items():
        weights.setdefault(weight, set()).add(phrase)
    assert set(weights) == {3.0, 2.0, 1.0, 0.0, -1.0, -2.0, -3.0}
    listed = (Path(inspect.getfile(Lexicon)).parent / "languages" / f"{language}.toml").read_text("utf-8")
    words = listed.partition("[words]")[2].replace('"""', " ").replace('"', " ").split()
    folded = [fold(word.replace("_", " ")) for word in words if word != "=" and not word.lstrip("-").isdigit()]
    assert sorted({word for word in folded if folded.count(word) > 1}) == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_raises_nothing(text: str) -> None:
    for language in LANGUAGES:
        score(text, language)


@given(st.text(st.characters(), max_size=80), st.sampled_from(LANGUAGES))
def test_a_score_stays_within_its_bounds(text: str, language: str) -> None:
    found = score(text, language)
    assert found is None or (-1 <= found.score <= 1 and 0 <= found.confidence <= 1)


@given(st.lists(st.sampled_from(sorted(EMOJI)), min_size=1, max_size=20), st.sampled_from(LANGUAGES))
def test_emoji_are_scored_as_they_are_listed(signs: list[str], language: str) -> None:
    found = score("".join(signs), language)
    good, bad = ([abs(EMOJI[sign]) for sign in signs if EMOJI[sign] * kind > 0] for kind in (1, -1))
    first = max(good, default=0.0) - max(bad, default=0.0)
    whole = first + FURTHER * (sum(good) - sum(bad) - first)
    assert found is None or found.score * whole > 0
    assert found is not None or (good and bad)


class Nothing(Sink):
    """An application that keeps nothing."""

    async def record(self, received: Received) -> None: ...

    @classmethod
    @asynccontextmanager
    async def app(cls, hub: object) -> AsyncIterator[Sink]:
        yield cls()


@pytest.mark.anyio
async def test_the_hub_asks_it_after_others_and_in_a_thread(tmp_path: Path) -> None:
    assert not inspect.iscoroutinefunction(WordLists.score_sentiment)
    file = tmp_path / "channelry.toml"
    file.write_text('[enrichment]\nsentiment = ["lexicon"]\n')
    async with open_hub(load_configuration(file), Nothing.app, clock=FakeClock()) as hub:
        texts = [Text(text=text, language=tag) for tag, text in GOOD.items()]
        found = [one.answer for one in (await hub.enrich("score_sentiment", texts))[0]]
        (status,) = hub.status()
    assert all(one and one.score > 0 for one in found)
    assert (status.state, status.reason, dict(hub.counts)) == ("ready", "", {})
