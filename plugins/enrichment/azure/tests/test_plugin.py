"""Microsoft's SDK asks the simulated resource, over real HTTP: each text gets its own answer or none."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from channelry.config import load_configuration
from channelry.errors import AuthError, ConfigError, RetryableError
from channelry.model import Language, Sentiment, Text
from channelry.secrets import Secret
from channelry_azure.documents import MOST_CHARACTERS, Opinion
from channelry_azure.plugin import Azure
from channelry_azure.simulator import AzureSimulator
from channelry_simulation import FaultKind
from channelry_testing import services

SAID = {
    "en": "hello, where is my order?",
    "de": "hallo, wo ist meine Bestellung?",
    "es": "hola, dónde está mi pedido?",
    "fr": "bonjour, où est ma commande?",
    "uk": "привіт, де моє замовлення?",
    "ar": "أين طلبي؟",
    "he": "איפה ההזמנה שלי?",
    "zh-Hans": "我的订单在哪里？",
    "zh-Hant": "請問我的訂單在哪裡？",
}
GOOD, BAD, FLAT = (Sentiment(score=score, confidence=sure) for score, sure in ((0.94, 0.95), (-0.94, 0.95), (0.0, 0.8)))


def codes(answers: Any) -> list[str | None]:
    return [answer and answer.code for answer in answers]


def sizes(simulator: AzureSimulator, kind: str) -> list[int]:
    return [len(request["analysisInput"]["documents"]) for request in simulator.requests(kind)]


def test_each_text_has_its_language(azure: Azure) -> None:
    answers = azure.detect_language([Text(text=text) for text in SAID.values()])
    assert codes(answers) == list(SAID)
    assert answers[0] == Language(code="en", confidence=0.99)


def test_each_text_has_its_sentiment(azure: Azure) -> None:
    said = [("thank you, great", "en"), ("schlecht", "de"), ("wo ist es", "de"), ("谢谢", "zh-Hans"), ("😡", "he-IL")]
    answers = azure.score_sentiment([Text(text=text, language=language) for text, language in said])
    assert answers == [GOOD, BAD, FLAT, GOOD, BAD]


@pytest.mark.parametrize("reordered", [False, True])
def test_twenty_five_texts_are_three_requests_and_keep_their_answers(
    azure: Azure, simulator: AzureSimulator, reordered: bool
) -> None:
    """However the documents of an answer are ordered, with and without refused ones among them."""
    simulator.reordered = reordered
    simulator.broken = {"love 7", "terrible 20"}
    texts = [Text(text=f"{'terrible' if index % 2 == 0 else 'love'} {index}", language="en") for index in range(25)]
    expected = [None if index in (7, 20) else GOOD if index % 2 else BAD for index in range(25)]
    assert azure.score_sentiment(texts) == expected
    assert sizes(simulator, "SentimentAnalysis") == [10, 10, 5]


@pytest.mark.parametrize("reordered", [False, True])
def test_languages_are_asked_by_the_thousand(azure: Azure, simulator: AzureSimulator, reordered: bool) -> None:
    simulator.reordered = reordered
    texts = [Text(text=SAID["de"] if index % 3 == 0 else SAID["uk"]) for index in range(1001)]
    assert codes(azure.detect_language(texts)) == ["de" if index % 3 == 0 else "uk" for index in range(1001)]
    assert sizes(simulator, "LanguageDetection") == [1000, 1]


def test_what_azure_cannot_judge_has_no_answer(azure: Azure, simulator: AzureSimulator) -> None:
    simulator.broken = {"hello"}
    texts = [Text(text="hello"), Text(text="12345 !?"), Text(text=""), Text(text=" \n"), Text(text=SAID["fr"])]
    assert codes(azure.detect_language(texts)) == [None, None, None, None, "fr"]
    assert sizes(simulator, "LanguageDetection") == [3]
    scored = [Text(text="love", language=language) for language in ("tlh", "en", "")]
    assert azure.score_sentiment(scored) == [None, GOOD, None]


@pytest.mark.parametrize("texts", [[], [Text(text="")], [Text(text="", language="en"), Text(text="\n", language="en")]])
def test_nothing_to_judge_is_no_request(azure: Azure, simulator: AzureSimulator, texts: list[Text]) -> None:
    assert azure.detect_language(texts) == [None] * len(texts)
    assert azure.score_sentiment(texts) == [None] * len(texts)
    assert simulator.ledger.entries == []


def test_odd_texts_harm_no_neighbour(azure: Azure, simulator: AzureSimulator) -> None:
    """The huge, emoji, both directions, NUL, a lone surrogate, what JSON and HTML must escape."""
    odd = [
        "love " * 100_000,
        "👩‍👩‍👧😡" * 3000,
        "\u202eabc שלום تودا\u202c",
        "nul\0 love",
        "\ud83d love",
        '"</script>\\ love',
    ]
    texts = [Text(text=text, language="en") for text in (*odd, "terrible")]
    assert azure.score_sentiment(texts) == [GOOD, BAD, FLAT, GOOD, GOOD, GOOD, BAD]
    assert len(azure.detect_language(texts)) == len(texts)
    sent = [
        one["text"]
        for request in simulator.requests("SentimentAnalysis")
        for one in request["analysisInput"]["documents"]
    ]
    assert max(map(len, sent)) == MOST_CHARACTERS


def test_a_long_text_is_judged_piece_by_piece_and_answered_once(azure: Azure, simulator: AzureSimulator) -> None:
    """Its language by the first piece: the others would cost as much and tell the same."""
    long = "danke " * 1000 + "schlecht " * 400
    (answer,) = azure.score_sentiment([Text(text=long, language="de")])
    assert answer is not None
    assert 0 < answer.score < 0.94
    assert codes(azure.detect_language([Text(text=long)])) == ["de"]
    assert sizes(simulator, "SentimentAnalysis") == [2]
    assert sizes(simulator, "LanguageDetection") == [1]


def test_a_text_is_not_paid_for_twice(connect: Callable[..., Azure], simulator: AzureSimulator) -> None:
    """Not even where it was asked about in another language, or was to be forgotten, is it mistaken for another."""
    azure = connect(remember=2)
    thanks = [Text(text="thanks", language="en")]
    assert [azure.score_sentiment(thanks) for _ in range(3)] == [[GOOD]] * 3
    assert sizes(simulator, "SentimentAnalysis") == [1]
    azure.score_sentiment([Text(text="thanks", language="de")])
    azure.score_sentiment([Text(text="thank", language="en")])
    assert azure.score_sentiment(thanks) == [GOOD]
    assert sizes(simulator, "SentimentAnalysis") == [1, 1, 1, 1]


def test_what_azure_bills_is_counted(azure: Azure, simulator: AzureSimulator, caplog: pytest.LogCaptureFixture) -> None:
    simulator.broken = {"hello"}
    azure.detect_language([Text(text="hallo " * 400), Text(text="danke")])
    azure.score_sentiment([Text(text="hello", language="en"), Text(text="danke " * 1000, language="de")])
    simulator.faults.add(FaultKind.UNAVAILABLE)
    with pytest.raises(RetryableError):
        azure.score_sentiment([Text(text="great", language="en")])
    assert azure.billed == {"language": 4, "sentiment": 8}
    assert azure.billed == {"language": simulator.records["LanguageDetection"], "sentiment": 1 + 6 + 1}
    caplog.set_level("INFO")
    azure.close()
    assert caplog.messages[-1] == "Azure bills these text records since the start: 4 of language, 8 of sentiment"


def test_what_is_said_of_what_is_told_on_request(azure: Azure, simulator: AzureSimulator) -> None:
    texts = [
        Text(text="the food was great and the support terrible", language="en"),
        Text(text="thanks", language="en"),
        Text(text="the delivery was great"),
    ]
    mixed = ("great", "terrible")
    food, support = Opinion("food", mixed, 0.0), Opinion("support", mixed, 0.0)
    assert azure.opinions(texts) == [(food, support), (), ()]
    assert simulator.requests("SentimentAnalysis")[0]["parameters"]["opinionMining"] is True
    azure.score_sentiment(texts)
    assert not simulator.requests("SentimentAnalysis")[1]["parameters"].get("opinionMining")


def test_personal_data_is_masked_on_request(connect: Callable[..., Azure], simulator: AzureSimulator) -> None:
    said = "danke, ada@example.com, 030 901820, 4111 1111 1111 1111, order AB-12"
    everything = connect(mask=("email", "phone", "card"), mask_patterns=(r"AB-\d+",), country_hint="DE")
    for azure in (connect(), everything):
        azure.detect_language([Text(text=said)])
        assert azure.score_sentiment([Text(text=said, language="de")]) == [GOOD]
    sent = [
        request["analysisInput"]["documents"][0]["text"]
        for kind in ("LanguageDetection", "SentimentAnalysis")
        for request in simulator.requests(kind)
    ]
    masked = f"danke, {'*' * 15}, {'*' * 10}, {'*' * 19}, order *****"
    assert sent == [said, masked, said, masked]


def test_hints_go_along(connect: Callable[..., Azure], simulator: AzureSimulator) -> None:
    ambiguous = [Text(text="communication", hint=hint) for hint in ("", "fr", "fr-FR", "en_us")]
    assert codes(connect(country_hint="FR").detect_language(ambiguous)) == ["fr", "fr", "fr", "en"]
    assert codes(connect().detect_language(ambiguous)) == ["en", "en", "fr", "en"]
    phones = [Text(text="communication", **told) for told in (
        {"country": "FR"}, {"country": "FR", "hint": "fr"}, {"country": "FR", "hint": "en-US"}, {"country": "Paris"},
    )]  # fmt: skip
    assert codes(connect().detect_language(phones)) == ["fr", "fr", "en", "en"]
    assert connect().score_sentiment([Text(text="danke", hint="de-AT")]) == [GOOD]
    (scored,) = simulator.requests("SentimentAnalysis")
    assert scored["analysisInput"]["documents"][0]["language"] == "de"


def test_what_azure_is_not_sure_of_is_left_open(connect: Callable[..., Azure]) -> None:
    unsure = [Text(text="communication"), Text(text="xyzzy")]
    assert codes(connect().detect_language(unsure)) == ["en", None]
    assert codes(connect(min_confidence=0.6).detect_language(unsure)) == [None, None]
    assert codes(connect(min_confidence=0.0).detect_language(unsure)) == ["en", "en"]
    mixed = [Text(text="great but broken", language="en")]
    assert connect().score_sentiment(mixed) == [None]
    assert connect(min_confidence=0.4).score_sentiment(mixed) == [Sentiment(score=0.0, confidence=0.48)]


def test_azure_is_told_to_keep_no_text(connect: Callable[..., Azure], simulator: AzureSimulator) -> None:
    connect().detect_language([Text(text="hello")])
    connect(disable_service_logs=False).score_sentiment([Text(text="hello", language="en")])
    assert simulator.requests("LanguageDetection")[0]["parameters"]["loggingOptOut"] is True
    assert simulator.requests("SentimentAnalysis")[0]["parameters"]["loggingOptOut"] is False


def test_each_check_asks_about_one_text(azure: Azure, simulator: AzureSimulator) -> None:
    """Also where the answer is remembered: the key may have been revoked since."""
    azure.check()
    azure.check()
    assert sizes(simulator, "LanguageDetection") == [1, 1]
    simulator.key = "rotated"
    with pytest.raises(AuthError):
        azure.check()


def test_it_can_be_closed_unused_twice_and_opened_again(connect: Callable[..., Azure]) -> None:
    azure = connect()
    azure.close()
    azure.close()
    azure.open(services())
    assert codes(azure.detect_language([Text(text=SAID["de"])])) == ["de"]


def test_loading_and_opening_it_does_not_import_the_sdk() -> None:
    program = (
        "import sys\n"
        "from channelry_azure.plugin import Azure, Secret\n"
        "Azure(Azure.Config(base_url='https://a.cognitiveservices.azure.com', key=Secret('key')))\n"
        "heavy = {'azure', 'msal', 'phonenumbers', 'requests', 'urllib3'}\n"
        "print(heavy & {name.split('.')[0] for name in sys.modules})\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("base_url", '"http://a.cognitiveservices.azure.com"', "an address as https://"),
        ("base_url", '"a.cognitiveservices.azure.com"', "an address as https://"),
        ("base_url", '"https://me:pass@a.cognitiveservices.azure.com"', "an address as https://"),
        ("base_url", '"https://"', "an address as https://"),
        ("base_url", '"ftp://localhost"', "an address as https://"),
        ("country_hint", '"Austria"', "a country of two letters"),
        ("country_hint", '"4a"', "a country of two letters"),
        ("min_confidence", "1.5", "<= 1"),
        ("timeout", "0", "> 0"),
        ("key", '"inline"', "a secret"),
        ("mask", '["name"]', "one of 'email', 'phone', 'card'"),
        ("mask_patterns", '["("]', "an array of regular expressions"),
        ("linger", "2", "<= 1"),
        ("remember", "-1", ">= 0"),
        ("entra", "{}", "there if `key` is not"),
    ],
)
def test_a_wrong_configuration_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, expected: str
) -> None:
    monkeypatch.setenv("AZURE_KEY", "k")
    table = {"base_url": '"https://a.cognitiveservices.azure.com"', "key": '{ env = "AZURE_KEY" }', key: value}
    lines = [f"{name} = {given}" for name, given in table.items()]
    file = tmp_path / "channelry.toml"
    file.write_text("\n".join(['[enrichment]\nlanguage = ["azure"]\n[enrichment.azure]', *lines]))
    with pytest.raises(ConfigError) as raised:
        load_configuration(file)
    (fault,) = raised.value.faults
    assert fault.path.removesuffix("[0]") == f"enrichment.azure.{key}"
    assert expected in fault.expected
    assert "me:pass" not in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("", "entra", "there if `key` is not"),
        ('entra = { authority = "http://a.example" }', "entra.authority", "an address as https://"),
        ('base_url = "http://localhost:1"\nentra = {}', "base_url", "an address as https://"),
    ],
)
def test_a_resource_without_a_key_needs_entra_and_tls(tmp_path: Path, lines: str, path: str, expected: str) -> None:
    address = "" if "base_url" in lines else 'base_url = "https://a.cognitiveservices.azure.com"\n'
    file = tmp_path / "channelry.toml"
    file.write_text(f'[enrichment]\nlanguage = ["azure"]\n[enrichment.azure]\n{address}{lines}\n')
    with pytest.raises(ConfigError) as raised:
        load_configuration(file)
    assert [(fault.path, expected in fault.expected) for fault in raised.value.faults] == [
        (f"enrichment.azure.{path}", True)
    ]


def test_the_key_is_in_no_repr(azure: Azure, simulator: AzureSimulator) -> None:
    azure.check()
    assert simulator.key not in repr(azure)
    assert simulator.key not in repr(azure.config)
    assert repr(Secret(simulator.key)) in repr(azure.config)
