"""The mood in seven levels over the last six customer messages; neutral is the prior of that window and no answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry_desk.mood import LEVELS, WINDOW, Mood, conversation_score, mood

pytestmark = pytest.mark.row("D27")

scores = st.floats(-1, 1)
maybe = st.lists(st.none() | scores, max_size=12)


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (-1.0, Mood.VERY_NEGATIVE),
        (-0.75, Mood.VERY_NEGATIVE),
        (-0.74, Mood.NEGATIVE),
        (-0.4, Mood.NEGATIVE),
        (-0.39, Mood.SLIGHTLY_NEGATIVE),
        (-0.1, Mood.SLIGHTLY_NEGATIVE),
        (-0.09, Mood.NEUTRAL),
        (0.0, Mood.NEUTRAL),
        (0.09, Mood.NEUTRAL),
        (0.1, Mood.SLIGHTLY_POSITIVE),
        (0.4, Mood.POSITIVE),
        (0.75, Mood.VERY_POSITIVE),
        (1.0, Mood.VERY_POSITIVE),
    ],
)
def test_every_score_has_its_level(score: float, level: Mood) -> None:
    assert mood(score) is level


def test_there_are_seven_levels_from_the_worst_to_the_best() -> None:
    assert list(LEVELS) == [
        *("very-negative", "negative", "slightly-negative"),
        "neutral",
        *("slightly-positive", "positive", "very-positive"),
    ]


@given(scores)
def test_the_levels_are_symmetric(score: float) -> None:
    assert LEVELS.index(mood(score)) + LEVELS.index(mood(-score)) == len(LEVELS) - 1


@given(scores, scores)
def test_a_higher_score_has_no_lower_level(one: float, other: float) -> None:
    assert LEVELS.index(mood(min(one, other))) <= LEVELS.index(mood(max(one, other)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        ([None], None),
        ([None] * 9, None),
        ([-0.9, *[None] * 6], None),  # what was scored has left the window
        ([-0.9], -0.45),
        ([None, -0.9, None], -0.45),
        ([0.0], 0.0),
        ([-0.8, -0.8, -0.8], -0.6),
        ([1.0, -0.7, -0.7, -0.7, -0.7, -0.7, -0.7], -0.6),  # seven messages: the first is forgotten
    ],
)
def test_a_conversation_has_the_mean_of_its_window_with_one_neutral_message(
    given: list[float | None], expected: float | None
) -> None:
    assert conversation_score(given) == pytest.approx(expected)


def test_nothing_is_known_until_one_message_has_been_scored_and_then_it_is_no_longer_nothing() -> None:
    assert conversation_score([None, None]) is None
    assert conversation_score([None, None, 0.0]) == 0.0


def test_a_conversation_is_very_negative_only_after_several_messages() -> None:
    shown = [mood(found) for number in range(1, 7) if (found := conversation_score([-0.9] * number)) is not None]
    assert shown == [*[Mood.NEGATIVE] * 4, *[Mood.VERY_NEGATIVE] * 2]


@given(maybe)
def test_only_the_window_counts(given: list[float | None]) -> None:
    assert conversation_score(given) == conversation_score(given[-WINDOW:])


@given(maybe.filter(lambda given: any(one is not None for one in given[-WINDOW:])))
def test_the_prior_only_ever_draws_towards_neutral(given: list[float | None]) -> None:
    found = conversation_score(given)
    scored = [one for one in given[-WINDOW:] if one is not None]
    assert found is not None
    assert abs(found) <= abs(sum(scored) / len(scored))
