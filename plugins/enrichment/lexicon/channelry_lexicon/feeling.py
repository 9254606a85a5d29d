"""The feeling of one text by its words: a sum with negation, degree and contrast, and blank where that is no answer."""

import math
import re
from collections.abc import Sequence

from attrs import frozen

from channelry.model import Sentiment

from .lexicon import Lexicon, Phrase, Phrases, fold

LONGEST = 5_000
"""Characters that are read."""
REACH = 3
"""Words of the same clause over which a negator or a degree reaches."""
BEGINNING = 2
"""Words of a clause among which one that asks is looked for."""
NEGATED, STRONGER, WEAKER, BEFORE_TURN, EXCLAIMED = -0.6, 1.35, 0.6, 0.5, 1.15
"""What a weight is multiplied by: a negated word is less than its opposite."""
FURTHER = 0.35
"""What a second good (or bad) word adds to the first, of its own weight: "good and friendly" is not "wonderful"."""
SOFTNESS = 6.5
"""A sum of 1 becomes 0.37, of 2 0.62, of 3 0.76: slightly, plainly and very much what it is."""
LEAST_AGREEMENT = 0.25
"""Where the good and the bad leave less than this share of both, it is no answer."""
PLAIN = Sentiment(score=0.0, confidence=0.5)
"""A question, a request or a plain fact without a word of feeling."""

EMOJI = {
    **dict.fromkeys("😀😃😄😁😆😊🙂😉👍👌🙏💪✅🎉👏😌🤝", 2.0),
    **dict.fromkeys("😍🥰😘❤💖💕🤩💯🏆⭐🥳💙💛", 3.0),
    **dict.fromkeys("😕🙁☹😒🙄😐😔😟⏳😬", -1.0),
    **dict.fromkeys("😞😢👎😠😤😣😖💔😩😫😭", -2.0),
    **dict.fromkeys("😡🤬🤮🖕💩", -3.0),
}
_TOKEN = re.compile(r"[^\W_]+|[.,;:!?…()\n]|[^\w\s]")
_BREAKS = frozenset(".,;:!?…()\n")


@frozen
class _Clause:
    """Words up to the next punctuation mark, what ends them, and the emoji among them."""

    words: Phrase
    end: str


def score(text: str, lexicon: Lexicon) -> Sentiment | None:
    """Score a text of the lexicon's language; None where no word says anything, or as many say the contrary."""
    plain = fold(text[:LONGEST])
    weights = [EMOJI[sign] for sign in plain if sign in EMOJI]
    clauses = _clauses(plain)
    for clause in clauses:
        found = _weights(clause.words, lexicon)
        if weights and lexicon.turns.find(clause.words):
            weights = [weight * BEFORE_TURN for weight in weights]
        weights += [weight * EXCLAIMED if clause.end == "!" else weight for weight in found]
    good, bad = (_together([weight * sign for weight in weights if weight * sign > 0]) for sign in (1, -1))
    whole, most = good - bad, good + bad
    if not most:
        return PLAIN if _plain(plain, clauses, lexicon) else None
    agreement = abs(whole) / most
    if agreement < LEAST_AGREEMENT:
        return None
    confidence = agreement * most / (most + 1)
    return Sentiment(score=round(whole / math.hypot(whole, math.sqrt(SOFTNESS)), 4), confidence=round(confidence, 4))


def _together(weights: Sequence[float]) -> float:
    """Give what several words of one kind say: the strongest, and a part of each further one."""
    strongest = max(weights, default=0.0)
    return strongest + FURTHER * (math.fsum(weights) - strongest)


def _plain(text: str, clauses: Sequence[_Clause], lexicon: Lexicon) -> bool:
    """Tell whether a text asks, requests or states something; with a negation in it ("why is nobody …") it may be
    more."""
    if any(_any(lexicon.negators, clause.words) for clause in clauses):
        return False
    return "?" in text or any(
        _any(lexicon.asks, clause.words[:BEGINNING]) or _any(lexicon.states, clause.words) for clause in clauses
    )


def _clauses(text: str) -> list[_Clause]:
    clauses, words = [], list[str]()
    for token in [*_TOKEN.findall(text), "."]:
        if token in _BREAKS:
            if words or token == "!":
                clauses.append(_Clause(tuple(words), token))
            words = []
        elif token[0].isalnum():
            words.append(token)
    return clauses


def _weights(words: Phrase, lexicon: Lexicon) -> list[float]:
    """Give the weights of one clause, each changed by the words about it."""
    found: list[float] = []
    place = used = 0
    while place < len(words):
        if found and lexicon.turns.find(words[place:]):
            found = [weight * BEFORE_TURN for weight in found]
        hit = lexicon.words.find(words[place : place + lexicon.words.longest])
        if hit is None:
            place += 1
            continue
        length, weight = hit
        before, after = words[max(used, place - REACH) : place], words[place + length : place + length + REACH]
        itself = _any(lexicon.negators, words[place : place + length])  # "still not" is bad because of its own
        if not itself and (_any(lexicon.negators, before) or _any(lexicon.negators_after, after)):
            weight *= NEGATED
        if _any(lexicon.stronger, before):
            weight *= STRONGER
        elif _any(lexicon.weaker, before):
            weight *= WEAKER
        found.append(weight)
        place += length
        used = place
    return found


def _any(phrases: Phrases, words: Sequence[str]) -> bool:
    return any(phrases.find(tuple(words[index:])) for index in range(len(words)))
