"""langdetect's profiles, and which of them a text is nearest to.

A profile says how often each sequence of one to three letters occurs in a language. langdetect's own detector draws
sequences of the text at random until one language is almost certain, seven times, and is as sure of a wrong answer
as of a right one. Here every sequence of the text counts once, by the same formula: so there is no chance in it, it
takes a twentieth of the time, and the confidence tells good answers from bad ones (measured in the README).
"""

import json
from collections.abc import Iterator, Sequence
from math import exp, log1p
from pathlib import Path
from sys import intern
from threading import Lock

from attrs import define, field
from langdetect.detector_factory import PROFILES_DIRECTORY
from langdetect.utils.ngram import NGram

from channelry.model import Language

FILES = {"zh-Hans": "zh-cn", "zh-Hant": "zh-tw"}
"""langdetect's names where they are not the BCP 47 tags."""
UNSEEN = 0.5 / 10_000
"""The frequency that a sequence has in a language which lacks it: langdetect's alpha over its base."""
OVERLAP = 3.0
"""Each letter stands in three sequences, which thus are no independent evidence: a third of it counts."""
HANGUL = "가"
"""What langdetect's reader makes of every Korean syllable."""

_lock = Lock()
_loaded: dict[tuple[str, ...], "Profiles"] = {}


def load(tags: tuple[str, ...]) -> "Profiles":
    """Give the profiles of some languages, read once in the life of the process, whichever thread comes first."""
    with _lock:
        if tags not in _loaded:
            _loaded[tags] = Profiles(tags)
        return _loaded[tags]


@define(eq=False)
class Profiles:
    """The profiles of some languages: for each sequence, how much it speaks for which of them."""

    tags: Sequence[str]
    _evidence: dict[str, tuple[tuple[int, float], ...]] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._evidence = {}
        shared: dict[tuple[int, float], tuple[int, float]] = {}
        for index, tag in enumerate(self.tags):
            for gram, frequency in _frequencies(tag):
                found = index, round(log1p(frequency / UNSEEN), 2)  # rounded, so that equal ones can be one object
                self._evidence[gram] = (*self._evidence.get(gram, ()), shared.setdefault(found, found))

    def nearest(self, text: str) -> Language | None:
        """Name the language that a text of letters is nearest to; None if most of its letters are of no profile."""
        scores = [0.0] * len(self.tags)
        letters = known = 0
        for gram in _grams(text):
            evidence = self._evidence.get(gram, ())
            for index, weight in evidence:
                scores[index] += weight
            if len(gram) == 1:
                letters += 1
                known += bool(evidence)
        if not known or known * 2 < letters:
            return None
        best = max(scores)
        chances = [exp((score - best) / OVERLAP) for score in scores]
        return Language(code=self.tags[scores.index(best)], confidence=1 / sum(chances))


def _frequencies(tag: str) -> Iterator[tuple[str, float]]:
    profile = json.loads((Path(PROFILES_DIRECTORY) / FILES.get(tag, tag)).read_text(encoding="utf-8"))
    for gram, count in profile["freq"].items():
        if len(gram) <= NGram.N_GRAM and (tag != "ko" or HANGUL in gram):  # else Chinese would pass for Korean
            yield intern(gram), count / profile["n_words"][len(gram) - 1]


def _grams(text: str) -> Iterator[str]:
    """Read the sequences of a text as the profiles were made."""
    reader = NGram()
    for letter in NGram.normalize_vi(text):
        reader.add_char(letter)
        for length in range(1, NGram.N_GRAM + 1):
            gram = reader.get(length)
            if gram:
                yield gram
