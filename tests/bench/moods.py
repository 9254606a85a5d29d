"""How right the sentiment plugins are, on sentences labelled with D27's seven levels.

`sentiment.jsonl` is by the author of the word lists, and committed before them: every third line is held back.
`sentiment_others.jsonl` is by another author, who wrote for language detection and did not think of feelings; mostly
complaints without a word of feeling. Those of four languages were never read while the lists were mended.
"""

from collections.abc import Sequence
from pathlib import Path

import orjson
from attrs import frozen
from measure import Figure

from channelry.model import Text
from channelry_desk.mood import LEVELS, Mood, mood
from channelry_lexicon.plugin import WordLists
from channelry_vader.plugin import Vader

OWN, OTHERS = (Path(__file__).with_name(name) for name in ("sentiment.jsonl", "sentiment_others.jsonl"))
FOUR = ("it", "pl", "pt", "uk")


@frozen
class Labelled:
    """One line: what was written, in which language (BCP 47), and its level."""

    text: str
    language: str
    sentiment: Mood


def read(file: Path) -> list[Labelled]:
    lines = map(orjson.loads, file.read_bytes().splitlines())
    return [Labelled(one["text"], one["language"], Mood(one["sentiment"])) for one in lines]


def judged(name: str, told: Sequence[Labelled], goal: float) -> Figure:
    """Measure vader on English and the word lists on the rest; the goal is for the share with the right sign."""
    vader, lists = Vader(Vader.Config()), WordLists(WordLists.Config())
    pairs = []
    for one in told:
        provider = vader if one.language == "en" else lists
        (found,) = provider.score_sentiment([Text(text=one.text, language=one.language)])
        if found is not None:
            pairs.append((LEVELS.index(one.sentiment) - 3, LEVELS.index(mood(found.score)) - 3))
    sign = sum((due > 0) - (due < 0) == (found > 0) - (found < 0) for due, found in pairs) / len(pairs)
    near = sum(abs(due - found) <= 1 for due, found in pairs) / len(pairs)
    contrary = sum(due * found < 0 for due, found in pairs) / len(pairs)
    answered = len(pairs) / len(told)
    text = f"{sign:.2f} (answered {answered:.2f}, near {near:.2f}, contrary {contrary:.2f})"
    return Figure(name, text, f"≥ {goal}", sign >= goal)


def english() -> Figure:
    return judged("vader, right sign", [one for one in read(OWN)[2::3] if one.language == "en"], 0.8)


def seven() -> Figure:
    return judged("lexicon, right sign, held back", [one for one in read(OWN)[2::3] if one.language != "en"], 0.9)


def others() -> Figure:
    return judged("lexicon, another's sentences", [one for one in read(OTHERS) if one.language in FOUR], 0.8)
