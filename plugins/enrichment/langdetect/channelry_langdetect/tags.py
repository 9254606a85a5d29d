"""Which languages there are, and which of them a tag or a country speaks for."""

import re
from collections.abc import Iterable, Mapping

LANGUAGES = (
    *("af", "ar", "bg", "bn", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "gu", "he"),
    *("hi", "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "lv", "mk", "ml", "mr", "ne", "nl", "no", "pa", "pl"),
    *("pt", "ro", "ru", "sk", "sl", "so", "sq", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi"),
    *("zh-Hans", "zh-Hant"),
)
"""The languages that langdetect has profiles of, as BCP 47 tags."""

ALIASES: Mapping[str, str] = {
    "nb": "no", "nn": "no", "fil": "tl",
    "in": "id", "iw": "he",  # as Java and old telephones say
}  # fmt: skip

SPOKEN: Mapping[str, str] = {
    "AE": "ar", "AL": "sq", "AR": "es", "AT": "de", "AU": "en", "BD": "bn", "BE": "nl fr", "BG": "bg", "BH": "ar",
    "BO": "es", "BR": "pt", "BY": "ru", "CA": "en fr", "CH": "de fr it", "CL": "es", "CN": "zh-Hans", "CO": "es",
    "CR": "es", "CY": "el", "CZ": "cs", "DE": "de", "DK": "da", "DO": "es", "DZ": "ar fr", "EC": "es", "EE": "et ru",
    "EG": "ar", "ES": "es ca", "FI": "fi sv", "FR": "fr", "GB": "en", "GR": "el", "GT": "es", "HK": "zh-Hant en",
    "HN": "es", "HR": "hr", "HU": "hu", "ID": "id", "IE": "en", "IL": "he ar", "IN": "hi en", "IQ": "ar", "IR": "fa",
    "IT": "it", "JO": "ar", "JP": "ja", "KE": "sw en", "KR": "ko", "KW": "ar", "KZ": "ru", "LB": "ar fr", "LT": "lt",
    "LU": "fr de", "LV": "lv ru", "LY": "ar", "MA": "ar fr", "MD": "ro ru", "MK": "mk sq", "MO": "zh-Hant", "MX": "es",
    "MY": "en", "NG": "en", "NI": "es", "NL": "nl", "NO": "no", "NP": "ne", "NZ": "en", "OM": "ar", "PA": "es",
    "PE": "es", "PH": "tl en", "PK": "ur en", "PL": "pl", "PT": "pt", "PY": "es", "QA": "ar", "RO": "ro", "RU": "ru",
    "SA": "ar", "SE": "sv", "SG": "en zh-Hans", "SI": "sl", "SK": "sk", "SO": "so", "SV": "es", "TH": "th",
    "TN": "ar fr", "TR": "tr", "TW": "zh-Hant", "TZ": "sw", "UA": "uk ru", "US": "en es", "UY": "es", "VE": "es",
    "VN": "vi", "XK": "sq", "ZA": "af en",
}  # fmt: skip
"""By country (ISO 3166-1), the languages most written there, of those above."""

_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?(?![a-z0-9])", re.IGNORECASE)


def among(tags: Iterable[str]) -> tuple[str, ...]:
    """Give those of `LANGUAGES` that tags name, Chinese without a script or a country being either."""
    named = {one for tag in tags for one in (("zh-Hans", "zh-Hant") if tag.lower() == "zh" else meant(tag))}
    return tuple(one for one in LANGUAGES if one in named)


def meant(tag: str) -> tuple[str, ...]:
    """Give the languages that a tag or locale speaks for: `de-AT`, `pt_BR`, `zh-TW`, and `und-CH` for a country."""
    found = _TAG.match(tag)
    if found is None:
        return ()
    language, script, region = (part or "" for part in found.groups())
    language = ALIASES.get(language.lower(), language.lower())
    if language == "zh":
        traditional = script.lower() == "hant" or (not script and "zh-Hant" in SPOKEN.get(region.upper(), ""))
        return ("zh-Hant",) if traditional else ("zh-Hans",)
    if language == "und":
        return tuple(SPOKEN.get(region.upper(), "").split())
    return (language,) if language in LANGUAGES else ()
