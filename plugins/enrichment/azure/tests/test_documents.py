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
    batches,
    bcp47,
    language,
    region,
    sendable,
    sentiment,
    sentiment_language,
)


@given(st.lists(st.text(max_size=40), max_size=30), st.integers(1, 12))
def test_batches_keep_every_document_in_order_and_none_is_too_long(texts: list[str], most: int) -> None:
    documents = [{"id": str(index), "text": text} for index, text in enumerate(texts)]
    made = list(batches(documents, most))
    assert [one for batch in made for one in batch] == documents
    assert all(0 < len(batch) <= most for batch in made)
    assert len(made) == -(-len(texts) // most)


def test_a_request_of_the_largest_documents_stays_within_its_bytes() -> None:
    documents = [{"id": str(index), "text": "😀" * MOST_CHARACTERS} for index in range(25)]
    made = list(batches(documents, 10))
    assert [len(batch) for batch in made] == [8, 8, 8, 1]
    assert all(len(json.dumps(batch)) <= MOST_BYTES + 100 for batch in made)


@given(st.text(st.characters(), max_size=20))
def test_whatever_is_sent_is_valid_utf_8_without_nul(text: str) -> None:
    sent = sendable(text)
    sent.encode()
    assert "\0" not in sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("a" * 5121, "a" * 5120),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud83d", "\N{REPLACEMENT CHARACTER}"),
        ("شكرا 👩‍👩‍👧", "شكرا 👩‍👩‍👧"),
    ],
)
def test_a_text_is_cut_and_cleaned_or_not_sent(text: str, sent: str) -> None:
    assert sendable(text) == sent


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
    positive, neutral, negative = shares
    assert sentiment(SimpleNamespace(positive=positive, neutral=neutral, negative=negative), 0.5) == expected
