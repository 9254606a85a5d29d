"""Personal data made unreadable before a text leaves the machine: every character of it becomes a `*`."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["email", "phone", "card"]
Span: TypeAlias = tuple[int, int]

_EMAIL = re.compile(r"[^\s@<>\"'(),:;]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{2,63}")  # lengths by RFC 5321, 4.5.3.1
_DIGITS = re.compile(r"\d+")
_GROUPED = re.compile(r"\d+(?:[ \u00a0.-]{1,2}\d+)*")
SHORTEST_CARD, LONGEST_CARD = 13, 19
"""Digits of a payment card's number (ISO/IEC 7812-1 allows up to 19; no issuer has fewer than 13)."""


def mask(text: str, kinds: Collection[Kind], patterns: Collection[str], country: str) -> str:
    """Mask what is found of the kinds and of one's own patterns (regular expressions).

    Phone numbers are those that phonenumbers holds valid: international ones, and national ones of `country`.
    """
    for pattern in patterns:
        text = re.sub(pattern, lambda match: "*" * len(match[0]), text)
    for kind, find in _FINDERS.items():
        if kind in kinds:
            for start, end in find(text, country):
                text = text[:start] + "*" * (end - start) + text[end:]
    return text


def _emails(text: str, _: str) -> Iterator[Span]:
    yield from (match.span() for match in _EMAIL.finditer(text))


def _cards(text: str, _: str) -> Iterator[Span]:
    """Find each sequence of whole groups of digits that Luhn's sum holds for, whatever stands beside it."""
    for run in _GROUPED.finditer(text):
        groups = list(_DIGITS.finditer(text, *run.span()))
        for first, group in enumerate(groups):
            number = ""
            for last in groups[first : first + LONGEST_CARD]:
                number += last[0]
                if len(number) > LONGEST_CARD:
                    break
                if len(number) >= SHORTEST_CARD and luhn(number):
                    yield group.start(), last.end()


def _phones(text: str, country: str) -> Iterator[Span]:
    import phonenumbers  # the plans of all countries, for those who mask

    yield from ((match.start, match.end) for match in phonenumbers.PhoneNumberMatcher(text, country or None))


_FINDERS: Mapping[Kind, Callable[[str, str], Iterator[Span]]] = {"email": _emails, "card": _cards, "phone": _phones}
"""A card before a phone, which a part of it could be."""


def luhn(number: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    digits = list(map(int, reversed(number)))
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
