"""What of a text tells its language: the letters of its words."""

import re
from unicodedata import category, east_asian_width, normalize

READ, KEPT = 5_000, 400
"""Characters that are looked at, and those of the words kept: more makes no answer surer, only later."""

NOISE = re.compile(
    r"""
      (?:https?://|www\.) [!-~]+                     # links; ASCII, for Chinese or Thai may follow without a space
    | (?<![\w.%+-]) [\w.%+-]{1,64} @ [\w-]+ [\w.-]*  # e-mail addresses
    | @ [\w.]+                                       # mentions
    | (?<![\w#/-]) [\w#/-]* \d [\w#/-]*              # numbers, order codes, hours
    | </?[A-Za-z] [^<>]* >                           # tags
    | & \#? \w{2,8} ;                                # what HTML writes for a character
    """,
    re.VERBOSE | re.ASCII,
)

_EVERYWHERE = """
    hi hello hallo halo hey heya ok okay okey oki bye ciao salam salaam selam aleikum alaikum namaste aloha shalom
    super wow lol omg sorry pls plz thx test info problem
    whatsapp messenger facebook instagram telegram viber tiktok youtube google gmail outlook paypal amazon ebay netflix
    spotify iphone ipad macbook android samsung huawei xiaomi playstation xbox nintendo dhl ups fedex visa mastercard
    wifi router sms sim pin app account password email online internet hotel taxi pizza
"""
EVERYWHERE = frozenset(_EVERYWHERE.split())
"""Greetings, exclamations and names that are written in many languages, and so tell none."""

REPEATED = re.compile(r"\b(\w+)(?: \1\b)+", re.IGNORECASE)
STRETCHED = re.compile(r"(\w)\1{2,}|\b(\w\w)\2+\w?\b")
LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")


class _Bare(dict[int, int]):
    """Translates what is no letter, and no sign upon one, into a space; what it has seen of alphabets it keeps."""

    def __missing__(self, code: int) -> int:
        bare = code if category(chr(code))[0] in "LM" else ord(" ")
        if code < ALPHABETS:
            self[code] = bare
        return bare


ALPHABETS = 0x2000
_BARE = _Bare()


def letters(text: str) -> str:
    """Give the words of a text, letters only, with single spaces; “hahaha” is ha, “no no no” is no, and “sooo” is so.

    Links, addresses, mentions, numbers, tags, emoji and punctuation are no language; nor is what is written
    `EVERYWHERE`, nor are a few Latin words (names of products) in a text of another script.
    """
    words = NOISE.sub(" ", normalize("NFC", text[:READ]))
    kept = " ".join(word for word in words.translate(_BARE).split() if word.lower() not in EVERYWHERE)
    kept = REPEATED.sub(r"\1", STRETCHED.sub(r"\1\2", kept))[:KEPT].rstrip()
    other = " ".join(LATIN.sub(" ", kept).split())
    if other and weight(other) > 2 * weight("".join(LATIN.findall(kept))):
        kept = other
    return kept


def small(text: str) -> str:
    """Write a text in small letters, the Turkish İ as i without a second dot."""
    return text.lower().replace("i\u0307", "i")


def weight(text: str) -> int:
    """Count letters, a wide one as three: a Chinese character or a Korean syllable says as much."""
    if text.isascii():
        return sum(map(str.isalpha, text))
    return sum(3 if east_asian_width(one) in "WF" else 1 for one in text if one.isalpha())
