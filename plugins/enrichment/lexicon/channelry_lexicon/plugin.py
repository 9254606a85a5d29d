"""The lexicon as an enricher. A language's words are read with its first text."""

import re
from collections.abc import Sequence

from attrs import frozen

from channelry import hookimpl, plugin
from channelry.model import Sentiment, Text

from . import feeling
from .lexicon import LANGUAGES, lexicon


@plugin
class WordLists:
    """Scores texts of seven languages by their words; the others it leaves to the next in the order."""

    @frozen
    class Config:
        """There is nothing to configure."""

    config: Config

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        return [_score(text) for text in texts]


def _score(text: Text) -> Sentiment | None:
    language = re.split("[-_]", (text.language or text.hint).lower())[0]
    return feeling.score(text.text, lexicon(language)) if language in LANGUAGES else None
