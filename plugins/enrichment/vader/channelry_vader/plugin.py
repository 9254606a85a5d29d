"""VADER as an enricher. vaderSentiment itself is imported with the first text."""

from collections.abc import Sequence

from attrs import frozen

from channelry import hookimpl, plugin
from channelry.model import Sentiment, Text


@plugin
class Vader:
    """Scores English texts, and texts of emoji in any language; the others it leaves to the next in the order."""

    @frozen
    class Config:
        """There is nothing to configure."""

    config: Config

    @hookimpl
    def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        from . import feeling  # with the lexicon, which a process that scores nothing need not read

        return [feeling.score(text) for text in texts]
