"""`channelry enrich`: a line out for each line in, whoever answers; and providers compared on labelled lines."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from channelry import hookimpl, plugin
from channelry.cli import main
from channelry.config import load_configuration
from channelry.discovery import available
from channelry.model import Language, Sentiment, Text
from channelry_enrich import providers
from channelry_enrich.compare import Comparison
from channelry_enrich.lines import Labelled, labelled, text_of

TEXTS = [
    "Wo bleibt mein Paket?",
    "",
    '{"text": "Great service, thank you!"}',
    '{"text": "Det er ikke den fargen", "hint": "nb-NO"}',
    "გამარჯობა, სად არის ჩემი ამანათი?",
    "👍",
    "1234",
]
LABELLED = [
    {"text": "Where is my order? I am waiting", "language": "en", "sentiment": "neutral"},
    {"text": "Wo ist denn meine Bestellung geblieben?", "language": "de"},
    {"text": "This is terrible, I hate it", "language": "en", "sentiment": "positive"},
    {"text": "Dónde está mi pedido, por favor", "language": "it", "sentiment": "neutral"},
]


@plugin
class Failing:
    """A provider that fails."""

    @frozen
    class Config:
        pass

    config: Config

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        raise ValueError("out of order")


@plugin
class Short:
    """A provider that mixes up its answers: one too few."""

    @frozen
    class Config:
        pass

    config: Config

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        return [Sentiment(score=1.0, confidence=1.0)] * (len(texts) - 1)


@frozen
class Installed:
    """What discovery would find of a plugin of this file."""

    cls: type
    distribution: str = "acme"
    version: str = "1"

    def load(self) -> type:
        return self.cls


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where no channelry.toml is, with two broken providers more than are installed."""
    monkeypatch.chdir(tmp_path)
    installed = {**available(), "failing": Installed(Failing), "short": Installed(Short)}
    monkeypatch.setattr(providers, "available", lambda: installed)


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["enrich", *arguments], input=stdin.encode(), catch_exceptions=False)


def answers(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.row("A28")
def test_each_line_has_its_answer_in_order() -> None:
    found = answers(run("--order", "langdetect,py3langid,vader", stdin="\n".join(TEXTS) + "\n"))
    rows = [(one["text"], one["language"], one["sentiment"], one["plugin"]) for one in found]
    assert rows == [
        ("Wo bleibt mein Paket?", "de", None, "langdetect"),
        ("", None, None, None),
        ("Great service, thank you!", "en", "very-positive", "langdetect,vader"),
        ("Det er ikke den fargen", "no", None, "langdetect"),
        ("გამარჯობა, სად არის ჩემი ამანათი?", "ka", None, "py3langid"),  # the next in the order, for langdetect cannot
        ("👍", None, "positive", "vader"),
        ("1234", None, None, None),
    ]
    assert list(found[0]) == ["text", "language", "confidence", "sentiment", "score", "plugin", "ms"]
    assert 0.8 < found[0]["confidence"] <= 1.0
    assert -1.0 <= found[2]["score"] <= 1.0
    assert all(one["ms"] >= 0 for one in found)


def test_many_lines_keep_their_order() -> None:
    texts = [f"Where is my order number {number}, please?" for number in range(100)]
    found = answers(run("--order", "langdetect", stdin="\n".join(texts)))
    assert [one["text"] for one in found] == texts
    assert {one["language"] for one in found} == {"en"}


@pytest.mark.parametrize(
    "line",
    ["👍", "a" * 100_000, "Hello мой заказ 你好 שלום", "\u202eHello\u202c", "<p>Hello</p>", "a\0b", "{", "[1]", "null",
     '{"text": 7}', '{"text": "Where is my order?", "hint": 7}', '{"text": "x", "hint": "\\u0000-"}', "\ufeffHello"],
)  # fmt: skip
def test_whatever_the_line_there_is_one_answer(line: str) -> None:
    (found,) = answers(run("--order", "langdetect,py3langid,vader", stdin=line))
    assert found["plugin"] is None or found["language"] or found["sentiment"]


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert text_of(b"\xff Hello\r\n").text == "\ufffd Hello"
    assert text_of(b'{"text": "\\ud800"}\n').text == '{"text": "\\ud800"}'  # JSON that is none


@pytest.mark.row("A28")
def test_a_line_may_tell_which_languages_there_are_and_what_the_customer_wrote_before() -> None:
    told = {
        "text": "Det er ikke den fargen",
        "hint": "nb-NO",
        "languages": ["no", "da"],
        "before": {"no": 2, "da": 0.5},
    }
    assert text_of(json.dumps(told).encode()) == Text(
        text=told["text"], hint="nb-NO", languages=("no", "da"), before={"no": 2.0, "da": 0.5}
    )
    texts = [
        {"text": "Det er ikke den fargen"},
        {"text": "Det er ikke den fargen", "before": {"no": 3}},
        {"text": "Det er ikke den fargen", "languages": ["no", "de"]},
        {"text": "Mein Paket ist leider noch nicht da", "languages": ["sv", "en"]},
    ]
    found = answers(run("--order", "langdetect", stdin="\n".join(map(json.dumps, texts))))
    assert [one["language"] for one in found] == [None, "no", "no", None]


@pytest.mark.parametrize(
    "more",
    [{"languages": "de"}, {"languages": [7, "", "zh_CN", None]}, {"before": ["de"]}, {"hint": ["de"]},
     {"before": {"de": True, "en": "1", "": 1, "fr": -1, "es": None, "it": 0}}],
)  # fmt: skip
def test_what_a_line_tells_wrongly_is_passed_over(more: dict[str, Any]) -> None:
    assert text_of(json.dumps({"text": "Hello", **more}).encode()) == Text(text="Hello")


@given(st.binary())
def test_every_line_is_a_text(line: bytes) -> None:
    assert isinstance(text_of(line).text, str)


def test_a_file_may_begin_with_a_byte_order_mark() -> None:
    assert text_of(b'\xef\xbb\xbf{"text": "Hello"}').text == text_of(b"\xef\xbb\xbfHello").text == "Hello"
    assert [one.text.text for one in labelled([b'\xef\xbb\xbf{"text": "Hello", "language": "en"}'])] == ["Hello"]


def test_where_nobody_tells_a_language_sentiment_goes_by_the_hint() -> None:
    lines = [{"text": "great service", "hint": "en_US"}, {"text": "sehr schlecht", "hint": "de-AT"}, {"text": "great"}]
    found = answers(run("--order", "vader,lexicon", stdin="\n".join(map(json.dumps, lines))))
    assert [(one["language"], one["plugin"]) for one in found] == [(None, "vader"), (None, "lexicon"), (None, None)]
    assert found[0]["score"] > 0 > found[1]["score"]


@pytest.mark.row("A28")
def test_a_provider_that_fails_is_named_and_the_next_answers() -> None:
    result = run("--order", "failing,langdetect", stdin="Where is my order?\n" * 300)
    assert {one["plugin"] for one in answers(result)} == {"langdetect"}
    (complaint,) = result.stderr.splitlines()  # though it is quarantined meanwhile
    assert complaint.startswith("enrichment.failing: hook detect_language: ValueError: out of order")


def test_a_provider_that_mixes_up_its_answers_is_not_believed() -> None:
    result = run("--order", "short,vader", stdin="👍\n👎\n")
    assert [one["plugin"] for one in answers(result)] == ["vader", "vader"]
    assert "gave 1 answers for 2 items" in result.stderr


def test_a_file_says_the_order_and_the_settings(tmp_path: Path) -> None:
    (tmp_path / "channelry.toml").write_text(
        '[enrichment]\nlanguage = ["langdetect"]\n[enrichment.langdetect]\nlanguages = ["es", "pt"]\n'
    )
    (found,) = answers(run(stdin="Where is my order, please?"))
    assert (found["language"], found["plugin"]) == (None, None)
    (found,) = answers(run("--order", "langdetect", stdin="Onde está a minha encomenda?"))
    assert found["language"] == "pt"


def test_connections_of_the_file_are_left_closed(tmp_path: Path) -> None:
    """Else this command would poll them."""
    file = tmp_path / "channelry.toml"
    file.write_text(
        'allow_inline_secrets = true\n[enrichment]\nlanguage = ["langdetect"]\n'
        '[connections.bot]\nplugin = "telegram"\ntoken = "1:abc"\nsecret_token = "s3cret"\n'
    )
    assert [entry.path for entry in load_configuration(file).entries] == ["connections.bot", "enrichment.langdetect"]
    for order in ([], ["langdetect"]):
        assert [one.path for one in providers.configuration(file, order).entries] == ["enrichment.langdetect"]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ((), 2, "--order langdetect,vader"),
        (("--config", "empty.toml"), 2, "--order langdetect,vader"),
        (("--order", "nobody"), 2, "not 'nobody'"),
        (("--order", "telegram"), 2, "expected a provider of language or sentiment"),
        (("--order", "langdetect", "--config", "missing.toml"), 2, "missing.toml: (file): expected a readable file"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(arguments: tuple[str, ...], status: int, told: str) -> None:
    Path("empty.toml").touch()
    result = run(*arguments, stdin="Hello")
    assert (result.exit_code, result.stdout) == (status, "")
    assert told in result.stderr


def test_providers_are_compared_on_labelled_lines() -> None:
    lines = "\n".join(map(json.dumps, LABELLED))
    result = run("--compare", "--json", "--order", "langdetect,vader", stdin=lines)
    assert result.exit_code == 0, result.output
    language, sentiment = json.loads(result.stdout)
    told = {key: language[key] for key in ("plugin", "hook", "texts", "answered", "right", "accuracy", "confusions")}
    assert told == {
        "plugin": "langdetect", "hook": "detect_language", "texts": 4, "answered": 4, "right": 3, "accuracy": 0.75,
        "confusions": [{"expected": "it", "answered": "es", "times": 1}],
    }  # fmt: skip
    assert language["languages"]["en"] == {"right": 2, "texts": 2}
    assert language["ms"] > 0
    assert (sentiment["plugin"], sentiment["texts"], sentiment["confusions"][0]["expected"]) == ("vader", 3, "positive")


def test_a_comparison_is_a_table() -> None:
    result = run("--compare", "--order", "langdetect", stdin="\n".join(map(json.dumps, LABELLED)))
    assert result.exit_code == 0, result.output
    titles, row, *_ = result.stdout.splitlines()
    assert titles.split() == ["plugin", "hook", "texts", "answered", "precision", "accuracy", "near", "ms", "MB"]
    assert row.split()[:6] == ["langdetect", "detect_language", "4", "1.000", "0.750", "0.750"]
    assert "langdetect  it        es        1" in result.stdout


@pytest.mark.parametrize(
    "line", ["Hello", "{}", '{"text": "a"}', '{"text": "a", "language": "en", "sentiment": "bad"}']
)
def test_a_line_without_its_labels_is_named(line: str) -> None:
    result = run("--compare", "--order", "vader", stdin=f"{json.dumps(LABELLED[0])}\n\n{line}\n")
    assert result.exit_code == 1
    assert "line 3: expected" in result.stderr


def test_near_is_the_next_level_or_another_script() -> None:
    told = (("zh", "zh-Hant", "zh-Hans"), ("pt", "pt", "pt-BR"), ("en", "en", "de"), ("en", "en", None))
    assert Comparison("acme", "detect_language", told, 0.0, None).near == 2
    told = (("en", "neutral", "slightly-positive"), ("en", "negative", "positive"), ("en", "positive", "positive"))
    assert Comparison("acme", "score_sentiment", told, 0.0, None).near == 2


def test_labelled_lines_are_read() -> None:
    lines: Iterator[bytes] = (json.dumps(one).encode() for one in LABELLED)
    assert list(labelled(lines))[:2] == [
        Labelled(Text(text="Where is my order? I am waiting"), "en", "neutral"),
        Labelled(Text(text="Wo ist denn meine Bestellung geblieben?"), "de", ""),
    ]
