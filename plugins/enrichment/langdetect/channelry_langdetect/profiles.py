"""langdetect's profiles as one table, and how much a text speaks for each of their languages.

A profile says how often each sequence of one to three letters occurs in a language. langdetect's own detector draws
sequences of the text at random until one language is almost certain, seven times, and is as sure of a wrong answer
as of a right one. Here all sequences of a text are looked up at once and count by the same formula; so do its common
words (`words.txt`, our own), which tell near relatives apart where a short text has few letters.
"""

import json
from collections import defaultdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np
from attrs import field, frozen
from langdetect.detector_factory import PROFILES_DIRECTORY
from langdetect.utils.ngram import NGram
from numpy.typing import NDArray

from .letters import small
from .tags import LANGUAGES

Scores: TypeAlias = NDArray[np.float32]
"""One number for each of `LANGUAGES`, in their order."""

FILES = {"zh-Hans": "zh-cn", "zh-Hant": "zh-tw"}
"""langdetect's names where they are not the BCP 47 tags."""
UNSEEN = 0.5 / 10_000
"""The frequency that a sequence has in a language which lacks it: langdetect's alpha over its base."""
WORD = 10.0
"""What a common word says for its languages: nearly twice as much as a sequence that is frequent in a language."""
HANGUL = "가"
"""What langdetect's reader makes of every Korean syllable."""
HAN = slice(0x4E00, 0xA000)
SCRIPTS = [LANGUAGES.index(tag) for tag in ("zh-Hans", "zh-Hant")]
CHINESE = [LANGUAGES.index(tag) for tag in ("ja", "zh-Hans", "zh-Hant")]
RARE, RARELY = 0x3400, 1e-3
"""The Chinese characters that no profile has are taken for one of them, and its frequency in these languages."""
PLANE = 0x10000
"""The characters that a sequence is made of: the first plane of Unicode, 16 bits each. The profiles have no others."""
SPACE = ord(" ")
KANA_END = 0x3200

_lock = Lock()


def load() -> "Profiles":
    """Give the profiles, read once in the life of the process, whichever thread comes first."""
    with _lock:
        return _read()


@frozen(eq=False)
class Profiles:
    """What sequences and words say for which languages: a row of evidence for each."""

    _sequences: NDArray[np.int64] = field(repr=False)  # sorted; the rows of evidence are in this order
    _words: dict[str, int] = field(repr=False)  # the rows of words, after those of sequences
    _evidence: NDArray[np.float32] = field(repr=False)
    _reading: NDArray[np.int64] = field(repr=False)  # what langdetect's reader takes each character for

    def evidence(self, text: str) -> tuple[Scores, Scores]:
        """Say how much a text of `letters` speaks for each language, and how many of its letters each one has."""
        text = small(text)
        codes = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), np.uint32)
        read = self._reading[np.minimum(codes, PLANE - 1)]
        pairs = read[:-1] << 16 | read[1:]
        inner = read[1:-1] != SPACE
        letters = read[1:-1][inner]
        sequences = np.concatenate((letters, pairs, (pairs[:-1] << 16 | read[2:])[inner]))
        places = self._sequences.searchsorted(sequences)
        known = self._sequences[places] == sequences
        words = [self._words[word] for word in text.split() if word in self._words]
        rows = self._evidence.take(np.array(places[known].tolist() + words, np.intp), axis=0)
        score: Scores = np.add.reduce(rows, 0)
        if not text.isascii() and (chinese := (codes >= HAN.start) & (codes < HAN.stop)).any():
            score[SCRIPTS] += _scripts(codes[chinese].tobytes().decode("utf-32-le"))
        return score, np.add.reduce(rows[: np.count_nonzero(known[: len(letters)])] > 0, 0, dtype=np.float32)

    def common(self, text: str) -> int:
        """Count the words of a text that are common ones of any language."""
        return sum(word in self._words for word in small(text).split())


def _scripts(signs: str) -> tuple[float, float]:
    """Say how much Chinese characters speak for the simplified and for the traditional script: each that only one of
    the two old character sets has is as good as a word. What could be either is taken for the simplified one, in
    which far more people write."""
    simplified, traditional = (len(signs.encode(codec, "ignore")) // 2 for codec in ("gb2312", "big5"))
    more = WORD * (simplified - traditional or 1)
    return more, -more


@cache
def _read() -> Profiles:
    found = [_frequencies(tag) for tag in LANGUAGES]
    others = np.array([RARE, np.iinfo(np.int64).max])  # the last, so that every look-up has a place
    sequences = np.unique(np.concatenate([own for own, _ in found] + [others]))
    words = _common_words()
    evidence = np.zeros((len(sequences) + len(words), len(LANGUAGES)), np.float32)
    for language, (own, frequencies) in enumerate(found):
        np.add.at(evidence[:, language], np.searchsorted(sequences, own), frequencies)
    evidence[np.searchsorted(sequences, RARE), CHINESE] = RARELY
    evidence /= UNSEEN
    np.log1p(evidence, out=evidence)
    for row, languages in enumerate(words.values(), len(sequences)):
        evidence[row, languages] = WORD
    rows = dict(zip(words, range(len(sequences), len(evidence)), strict=True))
    reading = _reading()
    reading[HAN] = np.where(np.isin(reading[HAN], sequences), reading[HAN], RARE)
    return Profiles(sequences, rows, evidence, reading)


def _frequencies(tag: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Read a profile, its large letters as small ones, for customers write either: so a sequence may come twice."""
    profile = json.loads((Path(PROFILES_DIRECTORY) / FILES.get(tag, tag)).read_text(encoding="utf-8"))
    own = {one: count for one, count in profile["freq"].items() if len(one) <= NGram.N_GRAM and _own(tag, one)}
    keys = np.array([int.from_bytes(small(one).encode("utf-16-be")) for one in own])
    return keys, np.array([count / profile["n_words"][len(one) - 1] for one, count in own.items()], np.float32)


def _reading() -> NDArray[np.int64]:
    """Ask langdetect's reader for what it takes each character; above its kana only Chinese and Korean change."""
    reading = np.arange(PLANE)
    reading[:KANA_END] = [ord(NGram.normalize(chr(code))) for code in range(KANA_END)]
    for letter, same in NGram.CJK_MAP.items():
        reading[ord(letter)] = ord(same)
    reading[ord("가") : ord("힣") + 1] = ord(HANGUL)
    return reading


def _own(tag: str, sequence: str) -> bool:
    """Tell whether a sequence says something of a language: quoted Chinese does not, nor what is not Korean there."""
    if tag == "ko":
        return HANGUL in sequence
    return LANGUAGES.index(tag) in CHINESE or not any(HAN.start <= ord(letter) < HAN.stop for letter in sequence)


def _common_words() -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for line in files(__package__).joinpath("words.txt").read_text(encoding="utf-8").splitlines():
        tag, _, words = line.partition(": ")
        for word in sorted(set(small(words).split())):
            found[word].append(LANGUAGES.index(tag))
    return found
