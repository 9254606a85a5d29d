"""The feeling of one text by VADER's lexicon and rules."""

import re
from functools import cache
from threading import Lock

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from channelry.model import Sentiment, Text

LONGEST = 2_000
"""Characters that are read. VADER's time grows with their square: 2,000 take 40 ms at worst, 100,000 minutes."""

DESCRIPTIONS = {
    "👍": "good", "👎": "bad", "👏": "great", "💯": "perfect",
    "😡": "angry", "🤬": "furious", "😤": "angry", "💔": "heartbroken", "🤮": "disgusting", "🙄": "annoyed",
}  # fmt: skip
"""VADER knows an emoji by its Unicode name, and scores the words of that: “thumbs up” has none, “broken heart” is
mostly heart. For these a word of the lexicon stands in."""

CARE = {
    0.0: "please support care want yes accept credit secure security share join pay interest gift number matter",
    1.4: "thank thanks thx hope free save sure interested",
    1.2: "quick quickly quicker faster speedy punctual tidy",
    2.0: "smoothly spotless seamless tasty reassuring",
    -0.9: "late slow slower noisy pricey expensive cold unclear",
    -1.4: "delayed unresolved unanswered expired cracked flimsy leaking lukewarm incomplete",
    -2.1: "faulty unhelpful unusable overcharged smelly mouldy moldy stained unprofessional",
    -3.0: "ripoff nightmare scammers thieves crooks inedible disgrace",
}
"""What words weigh (from 4 to -4) in letters to a company, where VADER, made for tweets, has another weight or none:
who writes "please", or names the support, is not pleased."""

_ASKED = re.compile(
    r"(\bwould|'d) (like|love)(?= (to|a|an|the|my|some|you)\b)|\b(please|can you|could you|someone|need|for) help\b",
    re.IGNORECASE,
)
_JOINERS = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")  # variants and skin tones
_EMOJI = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001fbff]")

_lock = Lock()


def score(text: Text) -> Sentiment | None:
    """Score a text that is English (by its hint, where its language is not known), or that has neither letters nor
    digits but an emoji (or emoticon) that is known.

    The confidence is the distance of the score from the middle. VADER has no probability; but words that are not in
    its lexicon and words that cancel each other out both leave a score near 0, and there it is least to be trusted.
    """
    plain = _plain(text.text)
    wordless = not any(map(str.isalnum, plain))
    if not plain or not (wordless or is_english(text.language or text.hint)):
        return None
    found = float(analyzer().polarity_scores(plain)["compound"])
    return None if wordless and not found else Sentiment(score=found, confidence=abs(found))


def is_english(tag: str) -> bool:
    """Tell whether a tag or locale is English, of whatever country."""
    return re.split("[-_]", tag.lower())[0] == "en"


def _plain(text: str) -> str:
    """Give what is read of a text: without the words of a wish ("I would like"), and its emoji apart from its words,
    or VADER would glue them together."""
    told = _ASKED.sub("ask", text[:LONGEST].replace("’", "'"))
    return _EMOJI.sub(r" \g<0> ", _JOINERS.sub("", told)).strip()


def analyzer() -> SentimentIntensityAnalyzer:
    """Give the one analyzer of the process, made by whichever thread comes first."""
    with _lock:
        return _make_analyzer()


@cache
def _make_analyzer() -> SentimentIntensityAnalyzer:
    made = SentimentIntensityAnalyzer()
    made.emojis.update(DESCRIPTIONS)
    made.lexicon.update({word: weight for weight, words in CARE.items() for word in words.split()})
    return made
