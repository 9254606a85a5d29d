"""What goes to Azure and what comes back: documents within the service's limits, its language codes as BCP 47.

Limits: https://learn.microsoft.com/azure/ai-services/language-service/concepts/data-limits
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from attrs import frozen

from channelry.model import Language, Sentiment
from channelry.text import split

MOST_CHARACTERS = 5_120
"""Of one document. Azure counts text elements, of which a text never has more than it has code points."""
MOST_PIECES = 10
"""Documents that one long text may become: what comes after 51,200 characters is not judged."""
LONGEST = MOST_PIECES * MOST_CHARACTERS
MOST_TO_DETECT = 1_000
"""Documents of one language detection."""
MOST_TO_SCORE = 10
"""Documents of one sentiment analysis."""
MOST_BYTES = 500_000
"""Of the documents of one request: half of the 1 MB that is allowed, for it is not said what of a request counts."""

RECORD = 1_000
"""Characters that Azure bills as one text record, each document's by itself.
https://azure.microsoft.com/pricing/details/language/"""

Document: TypeAlias = dict[str, str]
"""As the SDK takes it, the `id` excepted: `text`, and `country_hint` or `language`."""


@frozen
class Opinion:
    """What somebody says of something: `target` and `assessments` in their own words, the score from -1 to 1."""

    target: str
    assessments: tuple[str, ...]
    score: float


_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_SCRIPTS = {"chs": "Hans", "cht": "Hant"}
_CHINESE = {"CN": "Hans", "SG": "Hans", "MY": "Hans", "TW": "Hant", "HK": "Hant", "MO": "Hant"}


def pieces(text: str) -> list[str]:
    """Cut a text into what Azure takes, on white space where it can; nothing where nothing is left to judge.

    NUL and lone surrogates, for which Azure might refuse the neighbours too, are replaced.
    """
    return split(_UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text[:LONGEST]), MOST_CHARACTERS)[:MOST_PIECES]


def fitting(documents: Sequence[Document], most: int) -> int:
    """Count how many documents, from the first, make one request: at most `most`, and `MOST_BYTES` bytes."""
    size = 0
    for count, document in enumerate(documents[:most]):
        size += len(json.dumps(document))  # in ASCII, as the SDK writes it: an emoji takes 12 bytes
        if count and size > MOST_BYTES:
            return count
    return min(len(documents), most)


def records(documents: Iterable[Document]) -> int:
    """Count the text records that Azure bills for documents; it counts text elements, of which there are no more."""
    return sum(-(-len(document["text"]) // RECORD) for document in documents)


def bcp47(name: str) -> str:
    """Give the BCP 47 tag of one of Azure's language codes (`zh_chs` is `zh-Hans`), or `""`: it says `(Unknown)`.

    https://learn.microsoft.com/azure/ai-services/language-service/language-detection/language-support
    """
    if not _TAG.fullmatch(name):
        return ""
    first, *rest = re.split("[-_]", name)
    return "-".join([first.lower(), *map(_subtag, rest)])


def _subtag(subtag: str) -> str:
    """Write a subtag as RFC 5646 (2.1.1) does: a script as `Latn`, a region as `BR`, any other in lower case."""
    known = _SCRIPTS.get(subtag.lower())
    return known or {4: subtag.title(), 2: subtag.upper()}.get(len(subtag), subtag.lower())


def region(tag: str) -> str:
    """Give the country of a language tag (`pt-BR`, `pt_br`), or `""`."""
    return next((one for one in bcp47(tag).split("-")[1:] if len(one) == 2 and one.isalpha()), "")


def sentiment_language(tag: str) -> str:
    """Give the code by which the sentiment analysis knows a language, or `""` for what is no tag.

    It tells two Chinese scripts and the Portuguese of Brazil apart; Norwegian it knows by the common code only.
    https://learn.microsoft.com/azure/ai-services/language-service/sentiment-opinion-mining/language-support
    """
    language, *rest = bcp47(tag).split("-")
    if language == "zh":
        script = next((one for one in rest if one in _SCRIPTS.values()), _CHINESE.get(region(tag), "Hans"))
        return f"zh-{script.lower()}"
    if language == "pt":
        return "pt-BR" if region(tag) == "BR" else "pt-PT"
    return "no" if language in ("nb", "nn") else language


def language(detected: Any, least: float) -> Language | None:
    """Read a detected language; None where Azure does not know, or is less than `least` sure."""
    code, confidence = bcp47(str(detected.iso6391_name)), detected.confidence_score
    return Language(code=code, confidence=confidence) if code and _sure(confidence, least) else None


def sentiment(judged: Sequence[tuple[int, Any]], least: float) -> Sentiment | None:
    """Read the three shares of the pieces of a text, each with its length: positive less negative.

    The greatest share is how sure Azure is; None where that is less than `least`, or there is no piece.
    """
    whole = sum(length for length, _ in judged)
    each = [(length, (one.positive, one.neutral, one.negative)) for length, one in judged]
    if not whole or not all(_sure(share, 0) for _, shares in each for share in shares):
        return None
    positive, neutral, negative = (sum(length * shares[index] for length, shares in each) / whole for index in range(3))
    sure = min(max(positive, neutral, negative), 1.0)
    return Sentiment(score=round(positive - negative, 4), confidence=round(sure, 4)) if sure >= least else None


def opinions(sentences: Iterable[Any]) -> tuple[Opinion, ...]:
    """Read what was said of what, sentence by sentence."""
    return tuple(
        Opinion(
            mined.target.text,
            tuple(one.text for one in mined.assessments),
            round(mined.target.confidence_scores.positive - mined.target.confidence_scores.negative, 4),
        )
        for sentence in sentences
        for mined in sentence.mined_opinions or ()
    )


def _sure(confidence: object, least: float) -> bool:
    """Tell whether it is a share, from 0 to 1, of at least `least`; NaN is none."""
    return isinstance(confidence, int | float) and least <= confidence <= 1
