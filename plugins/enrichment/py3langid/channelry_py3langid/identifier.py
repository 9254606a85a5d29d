"""py3langid's one identifier, and how sure its scores make of a language."""

from functools import cache
from threading import Lock

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from channelry.model import Language

SURENESS = 2.0
"""The power to which py3langid's probabilities are raised: with 139 languages they are far too low on short texts (at
0.6, right in 99 of 100 cases). Chosen on the tuning part of the project's labelled sentences."""
ELSEWHERE = 1e-3
"""How likely, beside a candidate, is a language that is none: so much evidence against all of them is no answer."""
NO_LANGUAGE = "zxx"
"""py3langid's label for text in no language, which BCP 47 has too."""
TAGS = {"kik": "ki"}
"""The labels that are no BCP 47 tags, for a shorter code stands for the language; Chinese is in `chinese`."""

_lock = Lock()


def likeliest(text: str, candidates: tuple[str, ...]) -> Language | None:
    """Name the likeliest candidate (of all languages if there are none); None for what is none."""
    chances = dict(_identifier().rank(text))
    allowed = candidates or chances.keys()
    likely = {label: one**SURENESS * (1 if label in allowed else ELSEWHERE) for label, one in chances.items()}
    best = max(allowed, key=likely.__getitem__)
    if best == NO_LANGUAGE:
        return None
    code = chinese(text) if best == "zh" else TAGS.get(best, best)
    return Language(code=code, confidence=likely[best] / sum(likely.values()))


def chinese(text: str) -> str:
    """Tell in which script Chinese is written: by which of the two old character sets has more of its characters."""
    simplified, traditional = (len(text.encode(codec, "ignore")) for codec in ("gb2312", "big5"))
    return "zh-Hant" if traditional > simplified else "zh-Hans"


def _identifier() -> LanguageIdentifier:
    """Give the one identifier of the process, made by whichever thread comes first; it only reads after that."""
    with _lock:
        return _make_identifier()


@cache
def _make_identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
