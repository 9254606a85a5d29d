"""How the simulated Azure judges a text: by its script, a few words and emoji. Simulated means simulated.

The real service judges better and otherwise; what a test may rely on is this:
- **Language**: the script decides where it can (Han, Hangul, Arabic, …; Han with a traditional character is
  `zh_cht`), else the language of which most `WORDS` occur, the first of these in a draw. Confidence 0.99; 0.55 in a
  draw, where the hint's own language wins; letters without a known word are English with 0.3; no letters: `(Unknown)`.
- **Sentiment**: of the `GOOD` and `BAD` words and emoji found, in any language. None: neutral, 0.8. Only good: 0.95
  positive; only bad: 0.95 negative; both: mixed, 0.48 each.
- **Opinions**: each `TARGETS` word is what all `GOOD` and `BAD` words of the text are said of.
"""

import re
import unicodedata
from typing import Any

WORDS = {
    "en": ("the", "hello", "is", "my", "please", "thank", "thanks", "you", "where", "order", "communication"),
    "de": ("der", "die", "das", "hallo", "ist", "bitte", "danke", "wo", "meine", "nicht", "bestellung"),
    "es": ("el", "hola", "es", "mi", "por", "favor", "gracias", "dónde", "está", "pedido"),
    "fr": ("le", "bonjour", "est", "mon", "merci", "où", "commande", "communication"),
    "pt": ("o", "olá", "é", "meu", "obrigado", "obrigada", "onde", "está", "pedido"),
    "uk": ("привіт", "дякую", "де", "моє", "замовлення", "будь", "ласка", "є"),
    "ru": ("привет", "спасибо", "где", "мой", "заказ", "пожалуйста"),
}
NAMES = {
    "en": "English", "de": "German", "es": "Spanish", "fr": "French", "pt": "Portuguese", "uk": "Ukrainian",
    "ru": "Russian", "ar": "Arabic", "he": "Hebrew", "ko": "Korean", "ja": "Japanese", "el": "Greek", "th": "Thai",
    "zh_chs": "Chinese_Simplified", "zh_cht": "Chinese_Traditional", "(Unknown)": "(Unknown)",
}  # fmt: skip
SCRIPTS = {
    "ARABIC": "ar", "HEBREW": "he", "HANGUL": "ko", "GREEK": "el", "THAI": "th", "HIRAGANA": "ja", "KATAKANA": "ja",
}  # fmt: skip
TRADITIONAL = frozenset("謝請問單裡這個們說時會")
SPOKEN_IN = {"US": "en", "GB": "en", "DE": "de", "ES": "es", "FR": "fr", "PT": "pt", "BR": "pt", "UA": "uk"}
SCORED = frozenset((
    "en", "de", "es", "fr", "pt-pt", "pt-br", "uk", "ru", "ar", "he", "ko", "ja", "el", "th", "no", "zh-hans",
    "zh-hant",
))  # fmt: skip
"""The languages of which it scores sentiment: some of those that the real one names."""
GOOD = (
    "love", "great", "thank", "thanks", "danke", "gracias", "merci", "obrigado", "obrigada",
    "дякую", "спасибо", "شكرا", "תודה", "谢谢", "謝謝", "😀", "😍",
)  # fmt: skip
BAD = (
    "terrible", "broken", "angry", "schlecht", "kaputt", "malo", "mauvais", "ruim",
    "жахливо", "плохо", "سيئ", "רע", "糟糕", "😡", "😢",
)  # fmt: skip

TARGETS = ("delivery", "food", "support")

_WORD = re.compile(r"\w+|[^\w\s]")


def language(text: str, country: str) -> dict[str, Any]:
    """Give the `detectedLanguage` of a text."""
    iso, confidence = _language(text, country)
    return {"name": NAMES[iso], "iso6391Name": iso, "confidenceScore": confidence}


def _language(text: str, country: str) -> tuple[str, float]:
    letters = [letter for letter in text if letter.isalpha()]
    if not letters:
        return "(Unknown)", 0.0
    scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in letters}
    for script, iso in SCRIPTS.items():
        if script in scripts:
            return iso, 0.99
    if "CJK" in scripts:
        return ("zh_cht" if TRADITIONAL.intersection(letters) else "zh_chs"), 0.99
    words = _WORD.findall(text.lower())
    counts = {iso: sum(word in known for word in words) for iso, known in WORDS.items()}
    best = [iso for iso, count in counts.items() if count == max(counts.values())]
    if len(best) == 1:
        return best[0], 0.99
    likely = SPOKEN_IN.get(country.upper(), "")
    if max(counts.values()) == 0:
        return likely or "en", 0.3
    return (likely if likely in best else best[0]), 0.55


def sentiment(text: str) -> dict[str, Any]:
    """Give the `sentiment` and `confidenceScores` of a text."""
    good, bad = (any(_occurs(word, text.lower()) for word in words) for words in (GOOD, BAD))
    label, shares = {
        (False, False): ("neutral", (0.1, 0.8, 0.1)),
        (True, False): ("positive", (0.95, 0.04, 0.01)),
        (False, True): ("negative", (0.01, 0.04, 0.95)),
        (True, True): ("mixed", (0.48, 0.04, 0.48)),
    }[good, bad]
    scores = dict(zip(("positive", "neutral", "negative"), shares, strict=True))
    whole = {"sentiment": label, "confidenceScores": scores, "offset": 0, "length": len(text), "text": text}
    sentence = whole | {"sentiment": "neutral" if label == "mixed" else label}  # a single sentence is never mixed
    return {"sentiment": label, "confidenceScores": scores, "sentences": [sentence]}


def opinions(text: str, document: int) -> dict[str, Any]:
    """Give the `targets` and `assessments` of a text that is one sentence, the document of that index."""
    found = [(one[0], one.start()) for one in _WORD.finditer(text.lower())]
    assessments = [
        {**_mined(word, at, 1.0 if word in GOOD else 0.0), "isNegated": False}
        for word, at in found
        if word in GOOD + BAD
    ]
    path = f"#/documents/{document}/sentences/0/assessments"
    relations = [{"relationType": "assessment", "ref": f"{path}/{index}"} for index in range(len(assessments))]
    share = sum(one["confidenceScores"]["positive"] for one in assessments) / (len(assessments) or 1)
    targets = [{**_mined(word, at, share), "relations": relations} for word, at in found if word in TARGETS]
    return {"targets": targets if assessments else [], "assessments": assessments}


def _mined(word: str, at: int, positive: float) -> dict[str, Any]:
    label = {1.0: "positive", 0.0: "negative"}.get(positive, "mixed")
    scores = {"positive": positive, "negative": 1 - positive}
    return {"sentiment": label, "confidenceScores": scores, "offset": at, "length": len(word), "text": word}


def _occurs(word: str, text: str) -> bool:
    """Tell whether a word occurs: as a word, or anywhere where a script does not part words."""
    return word in text if not word.isascii() else word in _WORD.findall(text)
