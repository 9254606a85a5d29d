"""langdetect as an enricher: its configuration and its hooks. langdetect itself is imported with the first text."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from attrs import field, frozen
from attrs.validators import and_, deep_iterable, deep_mapping, ge, gt, in_, le

from channelry import hookimpl, plugin
from channelry.model import Language, Text

from .letters import letters, weight
from .tags import LANGUAGES, among

if TYPE_CHECKING:
    from .judge import Judge


def _several(_: object, __: object, value: tuple[str, ...]) -> None:
    if len(value) == 1 or len(set(value)) < len(value):
        raise ValueError("'languages' must be two or more different languages, or none for all")


@plugin
class LangDetect:
    """Names the language of a text by its letters and words, and gives no answer where these leave doubt."""

    @frozen(kw_only=True)
    class Config:
        """What counts as an answer, and what is likely before a word is read.

        - `minimum_confidence`: from 0 to 1; below it there is no answer.
        - `shortest`: the letters a text needs for an answer; a wide letter (Chinese, Japanese, Korean) counts three.
        - `languages`: the only candidates, two or more of `LANGUAGES`, for texts that bring none of their own; none
          means all of them.
        - `weights`: by language, how many times as often as another one it is written; 1 where nothing is said.
        - `hint_weight`: so many times as likely is a language that the text's hint names, or that is spoken in the
          country of its hint or of the customer's phone, or that the customer wrote in before; 1 ignores all this.
        - `preload`: read the profiles when the plugin is opened, not with the first text.
        """

        minimum_confidence: float = field(default=0.8, validator=and_(ge(0), le(1)))
        shortest: int = field(default=6, validator=ge(1))
        languages: tuple[str, ...] = field(default=(), validator=and_(deep_iterable(in_(LANGUAGES)), _several))
        weights: Mapping[str, float] = field(factory=dict, validator=deep_mapping(in_(LANGUAGES), gt(0)))
        hint_weight: float = field(default=10.0, validator=ge(1))
        preload: bool = False

    config: Config

    @hookimpl
    def open(self) -> None:
        if self.config.preload:
            self._judge(())

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        return [self._language(text, letters(text.text)) for text in texts]

    def _language(self, text: Text, read: str) -> Language | None:
        if weight(read) < self.config.shortest:
            return None
        candidates = among(text.languages)
        if text.languages and not candidates:  # all of them are for other providers
            return None
        hints = (text.hint, text.country and f"und-{text.country}")
        found = self._judge(candidates).likeliest(read, hints, text.before)
        return found if found and found.confidence >= self.config.minimum_confidence else None

    def _judge(self, candidates: tuple[str, ...]) -> "Judge":
        config = self.config
        return _make()(candidates or config.languages, tuple(config.weights.items()), config.hint_weight)


@cache
def _make() -> "Callable[[tuple[str, ...], tuple[tuple[str, float], ...], float], Judge]":
    from .judge import make  # with numpy and the profiles, which a process that detects nothing need not pay for

    return make
