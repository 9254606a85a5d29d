"""py3langid as an enricher: its configuration and its hook. py3langid itself is imported with the first text."""

from collections.abc import Iterable, Sequence

from attrs import field, frozen
from attrs.validators import and_, deep_iterable, ge, in_, le

from channelry import hookimpl, plugin
from channelry.model import Language, Text

from .words import words

LANGUAGES = (
    "ace", "af", "am", "an", "ar", "ary", "arz", "as", "az", "ba", "bcl", "be", "bg", "bn", "br", "bs", "ca", "crh",
    "cs", "cy", "da", "de", "dz", "el", "en", "eo", "es", "et", "eu", "ext", "fa", "fi", "fo", "fr", "fuv", "fy",
    "ga", "gcf", "gcr", "gd", "gl", "gom", "grc", "gu", "gug", "guw", "ha", "hbo", "he", "hi", "hr", "ht", "hu", "hy",
    "id", "ig", "is", "it", "ja", "jv", "ka", "kab", "kik", "kk", "km", "kn", "ko", "ku", "ky", "la", "lb", "lg",
    "lij", "ln", "lo", "lt", "ltg", "lv", "mg", "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn", "no",
    "nso", "oc", "om", "or", "pa", "pcm", "pl", "ps", "pt", "qu", "ro", "ru", "rw", "sa", "sdh", "se", "si", "sk",
    "sl", "sn", "so", "sq", "sr", "st", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "ug", "uk", "ur",
    "uz", "uzs", "vec", "vi", "vo", "wa", "wuu", "xh", "yo", "yue", "zh", "zu",
)  # fmt: skip
"""The languages that py3langid's model knows, as it names them; `zh` is Chinese in any script."""
LABELS = {"ki": "kik", "nb": "no", "fil": "tl", "in": "id", "iw": "he"}
"""Its names of those that tags name otherwise."""


@plugin
class Py3LangId:
    """Names the language of a text by the sequences of bytes in it, and gives no answer where these leave doubt."""

    @frozen(kw_only=True)
    class Config:
        """What counts as an answer.

        - `minimum_confidence`: from 0 to 1; below it there is no answer.
        - `shortest`: the letters a text needs for an answer; a wide letter (Chinese, Japanese, Korean) counts three.
        - `languages`: the only candidates, of `LANGUAGES`, for texts that bring none of their own; none means all of
          them. What is hardly in one of them has no answer.
        """

        minimum_confidence: float = field(default=0.7, validator=and_(ge(0), le(1)))
        shortest: int = field(default=6, validator=ge(1))
        languages: tuple[str, ...] = field(default=(), validator=deep_iterable(in_(LANGUAGES)))

    config: Config

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        return [self._language(text, words(text.text, self.config.shortest)) for text in texts]

    def _language(self, text: Text, read: str) -> Language | None:
        candidates = labels(text.languages)
        if not read or (text.languages and not candidates):  # all of them are for other providers
            return None
        from . import identifier  # with its model: 100 MB and 0.8 s, which a process that detects nothing need not pay

        found = identifier.likeliest(read, candidates or self.config.languages)
        return found if found and found.confidence >= self.config.minimum_confidence else None


def labels(tags: Iterable[str]) -> tuple[str, ...]:
    """Give the `LANGUAGES` that tags name: by the language alone, whatever the script or the country."""
    first = (tag.lower().split("-")[0] for tag in tags)
    return tuple(dict.fromkeys(label for one in first if (label := LABELS.get(one, one)) in LANGUAGES))
