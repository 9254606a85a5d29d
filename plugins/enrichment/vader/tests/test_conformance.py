"""VADER keeps the rules of an enricher."""

import pytest

from channelry_testing import EnricherConformance
from channelry_vader.plugin import Vader

pytestmark = pytest.mark.filterwarnings("ignore:codecs.open:DeprecationWarning")  # vaderSentiment, on Python 3.14


class TestVader(EnricherConformance):
    feelings = (
        ("Great service, thank you so much!", "en", 1),
        ("This is terrible, I am so angry", "en", -1),
        ("👍", "de", 1),
        ("😡", "", -1),
    )

    @pytest.fixture
    def plugin(self) -> Vader:
        return Vader(Vader.Config())
