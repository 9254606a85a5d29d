"""How well providers do on a labelled file: each in a process of its own, so that its memory is its own."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import anyio
from attrs import evolve, frozen

from channelry.discovery import available
from channelry.errors import PluginError
from channelry.hub import Hub
from channelry.registry import examine, marked
from channelry_desk.mood import LEVELS, Mood, mood

from .answers import asked
from .lines import Labelled
from .providers import HOOKS, configuration, opened

BATCH = 32
"""Texts that a provider is given at once, as many as the desk gives it."""
CONFUSIONS = 10
"""So many of its confusions are told of each provider, the most frequent first."""


@frozen
class Comparison:
    """How one provider did with one of its hooks.

    - `told`: of each text its language, what was expected and what was answered, None where nothing was.
    - `seconds`: per text, when warm; `megabytes`: of memory that opening and the first text took, where it is known.
    """

    plugin: str
    hook: str
    told: tuple[tuple[str, str, str | None], ...]
    seconds: float
    megabytes: float | None
    failures: tuple[str, ...] = ()

    @property
    def answered(self) -> int:
        return sum(answer is not None for _, _, answer in self.told)

    @property
    def right(self) -> int:
        return sum(expected == answer for _, expected, answer in self.told)

    @property
    def near(self) -> int:
        """How many are right, or the same language in another script or country, or the next level of sentiment."""
        return sum(answer is not None and _near(expected, answer) for _, expected, answer in self.told)

    def by_language(self) -> dict[str, tuple[int, int]]:
        """Give, for each language, how many answers were right and how many texts there are."""
        texts, right = Counter[str](), Counter[str]()
        for language, expected, answer in self.told:
            texts[language] += 1
            right[language] += expected == answer
        return {language: (right[language], number) for language, number in sorted(texts.items())}

    def confusions(self) -> list[tuple[str, str, int]]:
        """Give what was expected, what was answered instead, and how often."""
        wrong = Counter((expected, answer) for _, expected, answer in self.told if answer not in (None, expected))
        return [(expected, str(answer), number) for (expected, answer), number in wrong.most_common(CONFUSIONS)]

    def as_json(self) -> dict[str, Any]:
        number = len(self.told)
        return {
            "plugin": self.plugin,
            "hook": self.hook,
            "texts": number,
            "answered": self.answered,
            "right": self.right,
            "near": self.near,
            "accuracy": round(self.right / number, 4) if number else None,
            "precision": round(self.right / self.answered, 4) if self.answered else None,
            "ms": round(self.seconds * 1000, 3),
            "megabytes": self.megabytes,
            "languages": {tag: {"right": right, "texts": texts} for tag, (right, texts) in self.by_language().items()},
            "confusions": [dict(zip(("expected", "answered", "times"), one, strict=True)) for one in self.confusions()],
            "failures": list(self.failures),
        }


def _near(expected: str, answer: str) -> bool:
    if expected in LEVELS:
        return abs(LEVELS.index(Mood(expected)) - LEVELS.index(Mood(answer))) <= 1
    return expected.split("-")[0] == answer.split("-")[0]


def installed_providers() -> list[str]:
    """Name the installed plugins that tell a language or a sentiment."""
    names = []
    for name, found in sorted(available().items()):
        try:
            cls = found.load()
            examine(name, cls)
        except (ImportError, PluginError):
            continue  # `channelry plugins` says why
        if not marked(cls).keys().isdisjoint(HOOKS):
            names.append(name)
    return names


def compare(file: Path, names: Sequence[str], sentences: Sequence[Labelled]) -> list[Comparison]:
    """Measure each provider on the sentences, one after the other."""
    found = []
    for name in names:
        with get_context("spawn").Pool(1) as pool:
            found += pool.apply(partial(anyio.run, _measured, file, name, tuple(sentences)))
    return found


async def _measured(file: Path, name: str, sentences: Sequence[Labelled]) -> list[Comparison]:
    settings = configuration(file, [name])
    before = _megabytes()
    async with opened(settings) as hub:
        return [
            await _one(hub, name, hook, sentences, before)
            for hook in HOOKS
            if settings.orders[hook] and (hook == HOOKS[0] or any(one.sentiment for one in sentences))
        ]


async def _one(hub: Hub, name: str, hook: str, sentences: Sequence[Labelled], before: float | None) -> Comparison:
    sentiment = hook == "score_sentiment"
    failures: dict[str, str] = {}
    if sentiment:
        sentences = [one for one in sentences if one.sentiment]
    texts = [evolve(one.text, language=one.language if sentiment else "") for one in sentences]
    await asked(hub, hook, texts[:1], failures.setdefault)
    after = _megabytes()
    began = perf_counter()
    answers: list[Any] = []
    for start in range(0, len(texts), BATCH):
        found = await asked(hub, hook, texts[start : start + BATCH], failures.setdefault)
        answers += [one.answer for one in found]
    seconds = (perf_counter() - began) / max(1, len(texts))
    told = [str(mood(one.score) if sentiment else one.code) if one else None for one in answers]
    expected = [one.sentiment if sentiment else one.language for one in sentences]
    rows = zip([one.language for one in sentences], expected, told, strict=True)
    megabytes = None if before is None or after is None else round(after - before, 1)
    return Comparison(name, hook, tuple(rows), seconds, megabytes, tuple(failures.values()))


def _megabytes() -> float | None:
    """Give the resident memory of this process, where Linux tells it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6
