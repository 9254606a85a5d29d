"""What goes to Azure and what comes back: documents within the service's limits, its language codes as BCP 47.

Limits: https://learn.microsoft.com/azure/ai-services/language-service/concepts/data-limits
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from channelry.model import Language, Sentiment

MOST_CHARACTERS = 5_120
"""Of one document. Azure counts text elements, of which a text never has more than it has code points."""
MOST_TO_DETECT = 1_000
"""Documents of one language detection."""
MOST_TO_SCORE = 10
"""Documents of one sentiment analysis."""
MOST_BYTES = 500_000
"""Of the documents of one request: half of the 1 MB that is allowed, for it is not said what of a request counts."""

Document: TypeAlias = dict[str, str]
"""As Azure takes it: `id`, `text`, and `countryHint` or `language` under the names of its SDK."""

_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_SCRIPTS = {"chs": "Hans", "cht": "Hant"}
_CHINESE = {"CN": "Hans", "SG": "Hans", "MY": "Hans", "TW": "Hant", "HK": "Hant", "MO": "Hant"}


def sendable(text: str) -> str:
    """Make a text fit to be sent, or `""` where nothing is left to judge.

    It is cut at the limit. NUL and lone surrogates, for which Azure might refuse the neighbours too, are replaced.
    """
    return _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text[:MOST_CHARACTERS]).strip()


def batches(documents: Iterable[Document], most: int) -> Iterator[list[Document]]:
    """Group documents, in their order, into requests of at most `most` documents and `MOST_BYTES` bytes."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        own = len(json.dumps(document))  # in ASCII, as the SDK writes it: an emoji takes 12 bytes
        if batch and (len(batch) == most or size + own > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += own
    if batch:
        yield batch


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


def sentiment(scores: Any, least: float) -> Sentiment | None:
    """Read the three shares of a document: positive less negative; the greatest is how sure Azure is.

    None where that is less than `least`.
    """
    shares = (scores.positive, scores.neutral, scores.negative)
    if not all(_sure(share, 0) for share in shares) or max(shares) < least:
        return None
    return Sentiment(score=round(scores.positive - scores.negative, 4), confidence=max(shares))


def _sure(confidence: object, least: float) -> bool:
    """Tell whether it is a share, from 0 to 1, of at least `least`; NaN is none."""
    return isinstance(confidence, int | float) and least <= confidence <= 1
