"""Splitting text at a channel's limit, the same way on every channel."""

from bisect import bisect_right
from collections.abc import Callable


def split(text: str, limit: int, measure: Callable[[str], int] = len) -> list[str]:
    """Cut a text into pieces of at most `limit` by `measure`, on line ends, else on spaces, else anywhere.

    The white space at a cut is dropped; nothing else is. A text without content gives no pieces.
    `limit` is at least 4, so that one character fits in every unit.
    """
    pieces, rest = [], text.strip()
    while measure(rest) > limit:
        end = _longest(rest, limit, measure)
        window = rest[: end + 1]
        for separator in ("\n", " "):
            cut = window.rfind(separator)
            if cut > end // 2:
                end = cut
                break
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*pieces, rest] if rest else pieces


def _longest(text: str, limit: int, measure: Callable[[str], int]) -> int:
    """Give how many characters of `text` fit: one at least, or there would be no end."""
    return max(1, bisect_right(range(len(text) + 1), limit, key=lambda end: measure(text[:end])) - 1)
