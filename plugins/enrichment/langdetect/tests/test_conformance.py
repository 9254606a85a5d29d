"""langdetect keeps the rules of an enricher."""

import pytest

from channelry_langdetect.plugin import LangDetect
from channelry_testing import EnricherConformance


class TestLangDetect(EnricherConformance):
    languages = (
        ("Guten Tag, wo bleibt meine Bestellung?", "de"),
        ("Hello, where is my order?", "en"),
        ("Bonjour, où est ma commande s'il vous plaît ?", "fr"),
        ("Добрий день, де моє замовлення?", "uk"),
        ("أين طلبي من فضلكم؟", "ar"),
        ("我的订单在哪里？", "zh-Hans"),
    )

    @pytest.fixture
    def plugin(self) -> LangDetect:
        return LangDetect(LangDetect.Config())
