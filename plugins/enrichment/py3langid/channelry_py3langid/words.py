"""What of a text is language: its words, without links, addresses, codes and tags."""

import re
from unicodedata import category, east_asian_width, normalize

READ, KEPT = 5_000, 400
"""Characters that are looked at, and those of the words kept: more makes no answer surer, only later."""

NAMES = 3
"""So many words, each with a capital in it, are taken for names."""
REPEATED = re.compile(r"\b(\w+)(?: \1\b)+")
NOISE = re.compile(
    r"""
      (?:https?://|www\.) [!-~]+                     # links; ASCII, for Chinese or Thai may follow without a space
    | (?<![\w.%+-]) [\w.%+-]{0,64} @ [\w.-]+        # e-mail addresses and mentions
    | (?<![\w#/-]) [\w#/-]* \d [\w#/-]*             # numbers, order codes, hours
    | </?[A-Za-z] [^<>]* > | & \#? \w{2,8} ;         # tags, and what HTML writes for a character
    """,
    re.VERBOSE | re.ASCII,
)


def words(text: str, shortest: int) -> str:
    """Give the words of a text in small letters, with single spaces; nothing if they have fewer letters than that, or
    look like names: up to `NAMES`, each with a capital in it. “No no no” is no.

    A wide letter counts three: a Chinese character or a Korean syllable says as much.
    """
    plain = NOISE.sub(" ", normalize("NFC", text[:READ]))
    found = "".join(one if category(one)[0] in "LM" else " " for one in plain).split()
    if len(found) <= NAMES and all(any(map(str.isupper, word)) for word in found):
        return ""
    kept = REPEATED.sub(r"\1", " ".join(found)[:KEPT].lower())
    letters = sum(3 if east_asian_width(one) in "WF" else 1 for one in kept if one.isalpha())
    return kept if letters >= shortest else ""
