"""The labelled sentences are what the figures of language detection say they are."""

import json
from collections import Counter

from house import ROOT

LINES = (ROOT / "tests/bench/sentences.jsonl").read_text(encoding="utf-8").splitlines()
SENTENCES = [(one["text"], one["language"]) for one in map(json.loads, LINES)]


def test_there_are_forty_in_each_of_twenty_five_languages_and_none_twice() -> None:
    numbers = Counter(language for _, language in SENTENCES)
    assert len(numbers) >= 25
    assert min(numbers.values()) >= 40
    assert len(set(SENTENCES)) == len(SENTENCES)


def test_every_third_line_is_a_third_of_each_language() -> None:
    held_back = Counter(language for _, language in SENTENCES[2::3])
    assert held_back == {language: number // 3 for language, number in Counter(tag for _, tag in SENTENCES).items()}
