"""langdetect as an enricher: its configuration and its hooks. langdetect itself is imported with the first text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen
from attrs.validators import and_, deep_iterable, ge, in_, le

from channelry import hookimpl, plugin
from channelry.model import Language, Text

from .letters import letters, weight

if TYPE_CHECKING:
    from .profiles import Profiles

LANGUAGES = (
    *("af", "ar", "bg", "bn", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "gu", "he"),
    *("hi", "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "lv", "mk", "ml", "mr", "ne", "nl", "no", "pa", "pl"),
    *("pt", "ro", "ru", "sk", "sl", "so", "sq", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi"),
    *("zh-Hans", "zh-Hant"),
)
"""The languages that langdetect has profiles of, as BCP 47 tags."""


def _several(_: object, __: object, value: tuple[str, ...]) -> None:
    if len(value) == 1 or len(set(value)) < len(value):
        raise ValueError("'languages' must be two or more different languages, or none for all")


@plugin
class LangDetect:
    """Names the language of a text by its letters, and gives no answer where these leave doubt."""

    @frozen(kw_only=True)
    class Config:
        """What counts as an answer.

        - `minimum_confidence`: from 0 to 1; below it there is no answer.
        - `shortest`: the letters a text needs for an answer; a wide letter (Chinese, Japanese, Korean) counts three.
        - `languages`: the only candidates, two or more of `LANGUAGES`; none means all of them.
        - `preload`: read the profiles when the plugin is opened, not with the first text.
        """

        minimum_confidence: float = field(default=0.7, validator=and_(ge(0), le(1)))
        shortest: int = field(default=6, validator=ge(1))
        languages: tuple[str, ...] = field(default=(), validator=and_(deep_iterable(in_(LANGUAGES)), _several))
        preload: bool = False

    config: Config

    @hookimpl
    def open(self) -> None:
        if self.config.preload:
            self._profiles()

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        return [self._language(letters(text.text)) for text in texts]

    def _language(self, text: str) -> Language | None:
        if weight(text) < self.config.shortest:
            return None
        found = self._profiles().nearest(text)
        return found if found and found.confidence >= self.config.minimum_confidence else None

    def _profiles(self) -> "Profiles":
        from . import profiles  # 20 MB and 0.4 s, which a process that detects nothing need not pay

        return profiles.load(self.config.languages or LANGUAGES)
