"""How sure the evidence makes of a language, with what was likely before a word was read."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import log, log1p, sqrt

import numpy as np
from attrs import frozen

from channelry.model import Language

from .profiles import Profiles, Scores, load
from .tags import LANGUAGES, meant

DOUBT = 1.0
"""Evidence is divided by this times the root of the number of letters. Letters follow from one another, so that twice
as many are not twice the evidence. Chosen with words' weight on sentences of which no figure is told."""
ELSEWHERE = 1e-3
"""How likely, beside a candidate, is a language that is none: so much evidence against all of them is no answer."""

LONG_ENOUGH = 20.0
"""Texts that were written before, beyond which more of them say no more."""
NAMES = 4
"""So many words, each with a capital in it (`PayPal`) and half of them common at most, are taken for names."""


@frozen(eq=False)
class Judge:
    """What is likely beforehand, as logarithms; candidates are above, the rest below."""

    profiles: Profiles
    prior: Scores
    candidates: list[int]
    hint: float

    def likeliest(self, text: str, hints: Iterable[str], before: Mapping[str, float]) -> Language | None:
        """Name the likeliest candidate for a text of letters; None for what looks like a name, and where most letters
        are not of that language.

        What was written `before` is evidence as a hint is, the more the more it was: a language in which nothing was
        counts once, one with a weight of 1 as often as a hint says, of 2 nearly twice as often.
        """
        words = text.split()
        if len(words) <= NAMES and all(map(_has_capital, words)) and self.profiles.common(text) * 2 <= len(words):
            return None
        scores, known = self.profiles.evidence(text)
        letters = len(text) - text.count(" ")
        belief = scores / (DOUBT * sqrt(letters)) + self.prior
        for tag in {tag for hint in hints if hint for tag in meant(hint)}:
            belief[LANGUAGES.index(tag)] += log(self.hint)
        for written, weight in before.items():
            for tag in meant(written):
                belief[LANGUAGES.index(tag)] += log1p((self.hint - 1) * min(max(0.0, weight), LONG_ENOUGH))
        chances = np.exp(belief - belief.max())
        best = self.candidates[int(chances[self.candidates].argmax())]
        if known[best] * 2 < letters:
            return None
        return Language(code=LANGUAGES[best], confidence=float(chances[best] / chances.sum()))


def _has_capital(word: str) -> bool:
    return any(map(str.isupper, word))


@lru_cache(maxsize=64)
def make(languages: tuple[str, ...], weights: tuple[tuple[str, float], ...], hint: float) -> Judge:
    """Make the judge of a configuration, for all languages or some."""
    candidates = [LANGUAGES.index(tag) for tag in languages or LANGUAGES]
    prior = np.full(len(LANGUAGES), log(ELSEWHERE), np.float32)
    prior[candidates] = 0.0
    for tag, weight in weights:
        prior[LANGUAGES.index(tag)] += log(weight)
    return Judge(load(), prior, candidates, hint)
