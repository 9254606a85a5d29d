"""How a figure is measured: against a floor, in turn, as medians; and how it is told."""

import statistics
import timeit
from collections.abc import Callable
from typing import Any

from attrs import frozen

ROUNDS = 7
BURST = 50
"""Calls that are timed together."""


@frozen
class Figure:
    """What was measured, as text, beside its goal."""

    name: str
    found: str
    goal: str
    met: bool


def interleaved(
    floor: Callable[[], float], ours: Callable[[], float], rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """Measure both in turn; give the medians of both and the median ratio ours / floor."""
    pairs = [(floor(), ours()) for _ in range(rounds)]
    ratio = statistics.median(mine / base for base, mine in pairs)
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs), ratio


def per_call(function: Callable[[], Any], number: int) -> Callable[[], float]:
    """Make a measurement of the seconds that one call takes: the least of many short bursts, of `number` calls in all.

    A burst of a millisecond may be undisturbed on a machine that others use too; a long one never is.
    """
    burst = min(BURST, number)
    return lambda: min(timeit.repeat(function, number=burst, repeat=max(3, number // burst))) / burst


def at_least(name: str, least: float, floor: Callable[[], float], ours: Callable[[], float]) -> Figure:
    """Measure two rates, a second; ours is to reach a share of the floor's."""
    base, mine, ratio = interleaved(floor, ours)
    return Figure(name, f"{ratio:.2f} ({mine:.0f}/s : {base:.0f}/s)", f"≥ {least}", ratio >= least)
