"""How right, sure, fast and small the language plugin is, on the labelled sentences that nothing was tuned on."""

import subprocess
import sys
from collections.abc import Sequence
from itertools import groupby
from statistics import mean

import langdetect
from attrs import evolve
from labelled import Sentence, sentences
from measure import Figure, interleaved, per_call

from channelry.model import Language, Text
from channelry_langdetect.plugin import LangDetect

CANDIDATES = tuple(sorted({one.language for one in sentences(held_back=True)}))
"""Those of a desk that serves all the languages of the file: a real one has fewer, which is easier."""
OPEN = {"minimum_confidence": 0.0, "shortest": 1}
"""The settings that abstain from nothing."""
IN_A_ROW = 5
"""Long sentences of one language that make a long text: about 450 letters in the mean."""
BINS = 10
NAMES = {"zh-cn": "zh-Hans", "zh-tw": "zh-Hant"}
"""langdetect's names where they are not BCP 47 tags."""


def short() -> list[Sentence]:
    return [one for one in sentences(held_back=True) if one.short]


def answers(told: Sequence[Sentence], **settings: object) -> list[Language | None]:
    plugin = LangDetect(LangDetect.Config(**settings))  # type: ignore[arg-type]
    return list(plugin.detect_language([Text(text=one.text) for one in told]))


def right(told: Sequence[Sentence], found: Sequence[Language | None]) -> list[bool]:
    return [one is not None and one.code == sentence.language for sentence, one in zip(told, found, strict=True)]


def speed() -> Figure:
    langdetect.DetectorFactory.seed = 0
    told = short()
    texts = [Text(text=one.text) for one in told]
    plugin = LangDetect(LangDetect.Config())
    langdetect.detect(told[0].text), plugin.detect_language(texts[:1])

    def theirs() -> None:
        for one in told:
            langdetect.detect(one.text)

    floor, ours, _ = interleaved(per_call(theirs, 1), per_call(lambda: plugin.detect_language(texts), 1), 3)
    base, mine, times = floor / len(told), ours / len(told), floor / ours
    found = f"{times:.0f} × ({mine * 1e6:.0f} µs : {base * 1e6:.0f})"
    return Figure("langdetect, speed on short texts", found, "≥ 20 ×", times >= 20)


def agreement() -> Figure:
    """With langdetect on long texts: all rotations of the long sentences of each language."""
    langdetect.DetectorFactory.seed = 0
    long = [one for one in (*sentences(held_back=True), *sentences(held_back=False)) if not one.short]
    texts = []
    for _, group in groupby(sorted(long, key=lambda one: one.language), lambda one: one.language):
        own = list(group)
        texts += [
            evolve(own[0], text=" ".join(one.text for one in (own * 2)[at : at + IN_A_ROW])) for at in range(len(own))
        ]
    theirs = [langdetect.detect(one.text) for one in texts]
    theirs = [NAMES.get(code, code) for code in theirs]
    found = answers(texts, **OPEN)
    equal = mean(one is not None and one.code == code for one, code in zip(found, theirs, strict=True))
    ours, base = mean(right(texts, found)), mean(one.language == code for one, code in zip(texts, theirs, strict=True))
    told = f"{equal:.3f} (right: {ours:.3f}, its: {base:.3f})"
    return Figure("langdetect, agreement on long texts", told, "≥ 0.99", equal >= 0.99)


def accuracy() -> Figure:
    told = short()
    given = mean(right(told, answers(told, **OPEN, languages=CANDIDATES)))
    free = mean(right(told, answers(told, **OPEN)))
    found = f"{given:.3f} of {len(CANDIDATES)} languages, {free:.3f} of all"
    return Figure("langdetect, right on short texts", found, "≥ .95, .90", given >= 0.95 and free >= 0.90)


def precision() -> Figure:
    told = short()
    found = answers(told)
    answered = sum(map(bool, found)) / len(told)
    precise = sum(right(told, found)) / sum(map(bool, found))
    text = f"{precise:.3f} of {answered:.3f} answered"
    return Figure("langdetect, right when it answers", text, "≥ .97, .75", precise >= 0.97 and answered >= 0.75)


def calibration() -> Figure:
    """The expected calibration error: how far, over ten bins of confidence, the share of right ones is from it."""
    told = sentences(held_back=True)
    found = answers(told, **OPEN)
    sure = [one.confidence if one else 0.0 for one in found]
    rows = sorted(zip(sure, right(told, found), strict=True))
    error = 0.0
    for _, group in groupby(rows, lambda row: min(int(row[0] * BINS), BINS - 1)):
        own = list(group)
        error += abs(mean(row[0] for row in own) - mean(row[1] for row in own)) * len(own) / len(rows)
    return Figure("langdetect, calibration error", f"{error:.3f}", "≤ 0.05", error <= 0.05)


PROGRAM = """
from pathlib import Path
from channelry.model import Text
from channelry_langdetect.plugin import LangDetect

def megabytes():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6

before = megabytes()
plugin = LangDetect(LangDetect.Config())
for _ in range(100):
    plugin.detect_language([Text(text="Where is my order? Wo bleibt mein Paket? Где моя посылка?")])
print(megabytes() - before)
"""


def memory() -> Figure:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    more = float(ran.stdout)
    return Figure("langdetect, memory when warm", f"{more:.0f} MB more", "≤ 60 MB", more <= 60)
