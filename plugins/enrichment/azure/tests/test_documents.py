"""What goes to Azure keeps its limits; what comes back is read carefully."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry.model import Language, Sentiment
from channelry_azure.documents import (
    MOST_BYTES,
    MOST_CHARACTERS,
    bcp47,
    fitting,
    language,
    pieces,
    records,
    region,
    sentiment,
    sentiment_language,
)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=30), st.integers(1, 12))
def test_a_request_takes_as_many_documents_as_it_may(texts: list[str], most: int) -> None:
    assert fitting([{"text": text} for text in texts], most) == min(len(texts), most)


def test_a_request_of_the_largest_documents_stays_within_its_bytes() -> None:
    documents = [{"text": "😀" * MOST_CHARACTERS}] * 10
    count = fitting(documents, 10)
    assert count == 8
    assert len(json.dumps(documents[:count])) <= MOST_BYTES < len(json.dumps(documents[: count + 1]))


def test_a_document_that_is_too_large_by_itself_is_sent_all_the_same() -> None:
    assert fitting([{"text": "a" * (MOST_BYTES + 1)}, {"text": "b"}], 10) == 1


@given(st.text(st.characters(), max_size=20))
def test_whatever_is_sent_is_valid_utf_8_without_nul(text: str) -> None:
    for sent in pieces(text):
        sent.encode()
        assert "\0" not in sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", []),
        (" \n\t ", []),
        ("a" * 5121, ["a" * 5120, "a"]),
        ("word " * 2000, [("word " * 1024).strip(), ("word " * 976).strip()]),
        ("a" * 60_000, ["a" * 5120] * 10),
        ("a\0b", ["a\N{REPLACEMENT CHARACTER}b"]),
        ("\ud83d", ["\N{REPLACEMENT CHARACTER}"]),
        ("شكرا 👩‍👩‍👧", ["شكرا 👩‍👩‍👧"]),
    ],
)
def test_a_text_is_cut_into_pieces_and_cleaned_or_not_sent(text: str, sent: list[str]) -> None:
    assert pieces(text) == sent


@pytest.mark.parametrize(("lengths", "count"), [([], 0), ([1], 1), ([1000], 1), ([1001], 2), ([5120, 10], 7)])
def test_each_document_is_billed_by_the_thousand_characters_begun(lengths: list[int], count: int) -> None:
    assert records({"text": "a" * length} for length in lengths) == count


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("en", "en"),
        ("zh_chs", "zh-Hans"),
        ("zh_cht", "zh-Hant"),
        ("zh-Hant", "zh-Hant"),
        ("pt_BR", "pt-BR"),
        ("sr-latn-rs", "sr-Latn-RS"),
        ("yua", "yua"),
        ("(Unknown)", ""),
        ("", ""),
        ("None of these", ""),
        ("e\n", ""),
    ],
)
def test_azures_language_codes_become_bcp_47(name: str, tag: str) -> None:
    assert bcp47(name) == tag


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("de_AT", "de"),
        ("zh-Hans", "zh-hans"),
        ("zh-Hant-HK", "zh-hant"),
        ("zh-TW", "zh-hant"),
        ("zh", "zh-hans"),
        ("pt-BR", "pt-BR"),
        ("pt", "pt-PT"),
        ("nb-NO", "no"),
        ("", ""),
        ("?", ""),
    ],
)
def test_a_tag_becomes_the_code_that_the_sentiment_analysis_knows(tag: str, code: str) -> None:
    assert sentiment_language(tag) == code


@pytest.mark.parametrize(
    ("tag", "country"), [("pt-br", "BR"), ("en_US", "US"), ("zh-Hant", ""), ("es-419", ""), ("", "")]
)
def test_a_hint_s_region_is_a_country(tag: str, country: str) -> None:
    assert region(tag) == country


@pytest.mark.parametrize(
    ("name", "confidence", "expected"),
    [
        ("fr", 0.9, Language(code="fr", confidence=0.9)),
        ("fr", 0.5, Language(code="fr", confidence=0.5)),
        ("fr", 0.49, None),
        ("(Unknown)", 0.9, None),
        (None, 0.9, None),
        ("fr", None, None),
        ("fr", float("nan"), None),
        ("fr", 7.0, None),
    ],
)
def test_a_language_is_read_if_azure_is_sure(name: str | None, confidence: float | None, expected: object) -> None:
    assert language(SimpleNamespace(iso6391_name=name, confidence_score=confidence), 0.5) == expected


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.99, 0.01, 0.0), Sentiment(score=0.99, confidence=0.99)),
        ((0.0, 0.0, 1.0), Sentiment(score=-1.0, confidence=1.0)),
        ((0.1, 0.8, 0.1), Sentiment(score=0.0, confidence=0.8)),
        ((0.07, 0.62, 0.31), Sentiment(score=-0.24, confidence=0.62)),
        ((0.48, 0.04, 0.48), None),
        ((float("nan"), 0.5, 0.5), None),
        ((None, 0.5, 0.5), None),
        ((9.0, 0.0, 0.0), None),
        ((0.9, 0.1, -1.0), None),
    ],
)
def test_a_score_is_positive_less_negative(shares: tuple[float, float, float], expected: object) -> None:
    assert sentiment([(5, judged(*shares))], 0.5) == expected


def judged(positive: float, neutral: float, negative: float) -> SimpleNamespace:
    return SimpleNamespace(positive=positive, neutral=neutral, negative=negative)


def test_the_pieces_of_a_text_count_by_their_length() -> None:
    halves = [(300, judged(1.0, 0.0, 0.0)), (100, judged(0.0, 0.0, 1.0))]
    assert sentiment(halves, 0.5) == Sentiment(score=0.5, confidence=0.75)
    assert sentiment([], 0.0) is None
