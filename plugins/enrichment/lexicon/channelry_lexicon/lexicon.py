"""The words of one language and their weights, as its file states them."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from attrs import field, frozen

LANGUAGES = ("de", "es", "fr", "it", "pl", "pt", "uk")

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ł": "l"})
"""What decomposition does not part from its mark, or must not: `schön` is not `schon`."""

Phrase = tuple[str, ...]
"""Words in a row, folded; the last may end with `*`, which any letters stand for."""


@frozen
class Phrases:
    """A set of phrases that are found at a place of a text."""

    _weights: Mapping[Phrase, float]
    longest: int = field(init=False)

    @longest.default
    def _longest(self) -> int:
        return max(map(len, self._weights), default=0)

    def find(self, words: Phrase) -> tuple[int, float] | None:
        """Give how many words the longest phrase has with which `words` begin, and its weight, or None."""
        for length in range(min(self.longest, len(words)), 0, -1):
            *start, last = words[:length]
            for end in [last, *(f"{last[:count]}*" for count in range(len(last), 1, -1))]:
                weight = self._weights.get((*start, end))
                if weight is not None:
                    return length, weight
        return None


@frozen
class Lexicon:
    """One language.

    - `words`: what is good or bad, from 3 to -3; 0 for greetings and the like, whose words are neither.
    - `negators`: words that turn what follows into its opposite, `negators_after` what they follow.
    - `stronger`, `weaker`: words that do so to what follows; `turns`: after which comes what is meant.
    - `asks`: words that questions and requests begin with, and `states`: words of plain facts (a customer's number, a
      file that is attached), which are neutral where nothing else is said.
    """

    words: Phrases
    negators: Phrases
    negators_after: Phrases
    stronger: Phrases
    weaker: Phrases
    turns: Phrases
    asks: Phrases
    states: Phrases


@cache
def lexicon(language: str) -> Lexicon:
    """Read the lexicon of one of `LANGUAGES`, once for the process."""
    table = tomllib.loads((files(__package__) / "languages" / f"{language}.toml").read_text("utf-8"))
    words = {phrase: float(weight) for weight, listed in table.pop("words").items() for phrase in phrases(listed)}
    return Lexicon(
        Phrases(words), **{name: Phrases(dict.fromkeys(phrases(listed), 1.0)) for name, listed in table.items()}
    )


def phrases(listed: str) -> Iterator[Phrase]:
    """Read a list of phrases, parted by white space; `_` stands for the space within one."""
    for written in listed.split():
        *start, last = fold(written.replace("_", " ").replace("*", "")).split()
        yield (*start, last + "*" * written.endswith("*"))


def fold(text: str) -> str:
    """Write a text without capitals and accents, which customers leave out; an apostrophe parts Latin words only."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).casefold().translate(_LETTERS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub("(?<=[а-яіє])['’ʼ](?=[а-яіє])", "", plain)
    return re.sub("['’`-]", " ", plain)
