"""The mood of a message and of a conversation: seven levels, and the window that a conversation's is taken from."""

from bisect import bisect_right
from collections.abc import Sequence
from enum import StrEnum

WINDOW = 6
"""The customer's last messages, scored or not, that say the mood of a conversation."""
PRIOR = 1
"""How many neutral messages the window is taken to hold besides, so that one message alone decides nothing."""
BOUNDS = (0.1, 0.4, 0.75)
"""The distances from 0 at which a score is slightly, plainly and very much what its sign says."""


class Mood(StrEnum):
    """What an agent is shown of a score."""

    VERY_NEGATIVE = "very-negative"
    NEGATIVE = "negative"
    SLIGHTLY_NEGATIVE = "slightly-negative"
    NEUTRAL = "neutral"
    SLIGHTLY_POSITIVE = "slightly-positive"
    POSITIVE = "positive"
    VERY_POSITIVE = "very-positive"


LEVELS = tuple(Mood)


def mood(score: float) -> Mood:
    """Name the level of a score from -1 to 1."""
    strength = bisect_right(BOUNDS, abs(score))
    return LEVELS[len(BOUNDS) + (strength if score > 0 else -strength)]


def conversation_score(scores: Sequence[float | None]) -> float | None:
    """Give the score of a conversation by those of its customer's messages, oldest first, None where there is none.

    It is the mean over the window, `PRIOR` included; None until one message of the window has been scored, for a
    conversation of which nothing is known is not neutral.
    """
    scored = [score for score in scores[-WINDOW:] if score is not None]
    return sum(scored) / (len(scored) + PRIOR) if scored else None
