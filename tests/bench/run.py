"""Measure every figure of README.md here, or those named, beside its goal; exit status 1 if one is missed."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial

import languages
import many
import moods
import stores
from batches import azure_batches
from endpoint import endpoint
from hotpath import enriched, hot_path, hot_path_enriched, hot_path_postgresql
from measure import Figure
from replies import replies, replies_at_once
from rules import dispatch, import_time, lines, receiving
from startup import memory, ready
from winners import winners, winners_postgresql

from channelry.discovery import available

FIGURES: Mapping[str, Callable[[], Figure]] = {
    "endpoint": endpoint,
    **{f"receive-{name}": partial(receiving, name) for name in sorted(available("channelry.simulators"))},
    "hook": dispatch,
    "import": import_time,
    "lines": lines,
    "hot-path": hot_path,
    "hot-path-enriched": hot_path_enriched,
    "enriched": enriched,
    "hot-path-postgresql": hot_path_postgresql,
    "replies": replies,
    "replies-at-once": replies_at_once,
    "winners": winners,
    "winners-postgresql": winners_postgresql,
    **{f"many-{name}": partial(figure, stores.sqlite) for name, figure in many.FIGURES.items()},
    **{f"many-{name}-postgresql": partial(figure, stores.postgres) for name, figure in many.FIGURES.items()},
    "ready": ready,
    "memory": memory,
    "language-speed": languages.speed,
    "language-agreement": languages.agreement,
    "language-accuracy": languages.accuracy,
    "language-precision": languages.precision,
    "language-calibration": languages.calibration,
    "language-memory": languages.memory,
    "azure-batches": azure_batches,
    "sentiment-english": moods.english,
    "sentiment-seven": moods.seven,
    "sentiment-others": moods.others,
}


def main() -> None:
    names = sys.argv[1:] or list(FIGURES)
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        sys.exit(f"there is no figure {', '.join(unknown)}; there are: {', '.join(FIGURES)}")
    all_met = True
    for name in names:
        try:
            figure = FIGURES[name]()
        except AssertionError as error:  # what was measured was disturbed, and the other figures are not
            figure = Figure(name, "not measured", "–", False)
            print(f"{name}: {error}", file=sys.stderr)
        all_met = all_met and figure.met
        word = "met" if figure.met else "MISSED"
        load = os.getloadavg()[0]
        row = f"{figure.name:<36}  {figure.found:>32}  goal {figure.goal:<10}  {word:<6}  (load {load:.1f})"
        print(row, flush=True)
    sys.exit(0 if all_met else 1)


if __name__ == "__main__":
    main()
