"""The rules of an enricher: what names languages and scores feelings."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channelry.model import Language, Sentiment, Text

from .asked import AskedRules
from .bench import Bench
from .conformance import Grade, fail, not_declared, rule, run

HOOKS = ("detect_language", "score_sentiment")
ODD_TEXTS = (
    "", " \n\t", "\0", "a\0b", "\ud83d alone", "😀👩‍👩‍👧😡" * 200, "שלום عالم", "\u202eabc\u202c", "12345 !?",
    "\ufe0f\u200d", "<b>hi</b><script>", "word " * 20_000, "!" * 5000, "\U0010ffff", "مرحبا" * 300,
)  # fmt: skip
"""Texts that customers write, or could: empty, broken, huge, in other scripts, of nothing but signs."""
_BCP47 = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MANY = 250


class EnricherConformance(AskedRules):
    """The rules of an enricher: subclass it in a test module, and pytest runs them all.

        class TestAcme(EnricherConformance):
            languages = (("Guten Tag, wo ist meine Bestellung?", "de"), ("Where is my order?", "en"))
            feelings = (("I love it, thank you", "en", 1), ("This is terrible", "en", -1))

            @pytest.fixture
            def plugin(self) -> Acme:
                return Acme(Acme.Config())

    - `languages`: texts and their languages, for `detect_language`; two at least.
    - `feelings`: texts with their language, and 1 or -1 for good or bad, for `score_sentiment`; two at least.
    - fixtures: `plugin`, and `simulator` where a service is asked.
    """

    languages: Sequence[tuple[str, str]] = ()
    feelings: Sequence[tuple[str, str, int]] = ()

    def asked(self) -> Iterator[tuple[str, list[Text]]]:
        """Give the texts of the examples, by the hook that they are for."""
        yield HOOKS[0], [Text(text=text) for text, _ in self.languages]
        yield HOOKS[1], [Text(text=text, language=language) for text, language, _ in self.feelings]

    async def ask(self, bench: Bench) -> Any:
        return [list(await bench.call(hook, texts)) for hook, texts in self.asked() if bench.has(hook)]

    @rule("examples", Grade.BRONZE)
    def test_examples_have_the_answers_written_for_them(self, bench: Bench) -> None:
        """Each text of `languages` is given its language, each of `feelings` a score of its sign.

        Why: it is what the plugin is for. Mend: write down what is right, and mend what differs.
        """
        expected: Sequence[list[Any]] = ([one[1] for one in self.languages], [one[2] for one in self.feelings])

        async def main() -> None:
            async with bench.opened():
                for (hook, texts), wanted in zip(self.asked(), expected, strict=True):
                    if not bench.has(hook):
                        continue
                    if len(set(wanted)) < 2:
                        name = "languages" if hook == HOOKS[0] else "feelings"
                        fail(f"`{name}` has examples of {len(set(wanted))} kinds", "of two at least", "write them down")
                    for text, answer, one in zip(texts, await bench.call(hook, texts), wanted, strict=True):
                        if _told(answer) != one:
                            fail(f"{hook} of {text.text[:60]!r} is {answer}", f"{one}")

        run(main, doing=lambda: bench.doing)

    @rule("batches", Grade.BRONZE)
    def test_there_are_as_many_answers_as_texts_in_their_order(self, bench: Bench) -> None:
        """No text, one, and many give as many answers; a text's answer is the same alone, among others and reversed.

        Why: answers are told apart by their place only. Mend: give None where there is no answer; cut a large batch
        into what the service takes, and put the answers together by their ids.
        """

        async def main() -> None:
            async with bench.opened():
                for hook, texts in self.asked():
                    if not bench.has(hook) or not texts:
                        continue
                    many = (texts * (MANY // len(texts) + 1))[:MANY]
                    once = list(await bench.call(hook, texts))
                    for what, batch, wanted in (
                        ("no text", [], []),
                        ("one text", texts[:1], once[:1]),
                        ("reversed texts", texts[::-1], once[::-1]),
                        (f"{MANY} texts", many, (once * (MANY // len(texts) + 1))[:MANY]),
                        ("texts among blank ones", [one for text in texts for one in (text, Text(text=""))], None),
                    ):
                        found = list(await bench.call(hook, batch))
                        if len(found) != len(batch):
                            fail(f"{hook} gives {len(found)} answers for {what}", f"{len(batch)}")
                        if (found[::2] if wanted is None else found) != (once if wanted is None else wanted):
                            fail(f"{hook} answers otherwise for {what}", "the same answers", "keep texts apart")

        run(main, doing=lambda: bench.doing)

    @rule("texts", Grade.BRONZE)
    def test_no_text_harms_its_neighbours(self, bench: Bench) -> None:
        """Empty, broken, huge and foreign texts raise nothing, and the text beside them has its answer.

        Why: customers write anything, and a batch is lost as a whole. Mend: give None for what cannot be judged, cut
        what is too long, replace what the service's JSON cannot hold (lone surrogates).
        """

        async def main() -> None:
            async with bench.opened():
                for hook, texts in self.asked():
                    if not bench.has(hook) or not texts:
                        continue
                    (alone,) = await bench.call(hook, texts[:1])
                    for odd in ODD_TEXTS:
                        batch = [Text(text=odd, language=texts[0].language), texts[0]]
                        answers = await bench.call(hook, batch)
                        if len(answers) != 2 or answers[1] != alone:
                            fail(f"beside {odd[:30]!r} the answer is {answers[-1:]}", f"{alone}")

        run(main, doing=lambda: bench.doing)

    @rule("ranges", Grade.BRONZE)
    def test_answers_are_within_their_ranges(self, bench: Bench) -> None:
        """Confidence is from 0 to 1, a score from -1 to 1, a language a BCP 47 tag, whatever the text is; what has no
        letters has no language.

        Why: they are compared and shown as such. Mend: scale the service's numbers; map its names to tags.
        """

        async def own() -> None:
            for hook, texts in self.asked():
                if bench.has(hook):
                    for text, answer in zip(texts, await bench.call(hook, texts), strict=False):
                        _demand_range(hook, text, answer)

        run(own, doing=lambda: bench.doing)
        quick = settings(
            max_examples=50, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )

        @quick
        @given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
        def sound(strings: Sequence[str]) -> None:
            async def main() -> None:
                async with bench.opened():
                    for hook, texts in self.asked():
                        if bench.has(hook):
                            language = texts[0].language if texts else ""
                            more = [Text(text=one, language=language) for one in strings]
                            for text, answer in zip(more, await bench.call(hook, more), strict=False):
                                _demand_range(hook, text, answer)

            run(main, doing=lambda: bench.doing)

        sound()

    @rule("unsure", Grade.SILVER)
    def test_what_says_nothing_has_no_answer(self, bench: Bench) -> None:
        """A text without content has no language and no feeling: None, so that the next plugin is asked.

        Why: a guess looks like knowledge. Mend: give None for it.
        """
        if not any(map(bench.has, HOOKS)):
            not_declared("it has neither `detect_language` nor `score_sentiment`")

        async def main() -> None:
            async with bench.opened():
                for hook, texts in self.asked():
                    for empty in ("", "  ", "\n") if bench.has(hook) else ():
                        language = texts[0].language if texts else ""
                        (answer,) = await bench.call(hook, [Text(text=empty, language=language)])
                        if answer is not None:
                            fail(f"{hook} of {empty!r} is {answer}", "None")

        run(main, doing=lambda: bench.doing)


def _told(answer: Language | Sentiment | None) -> str | int | None:
    """Give the tag of a language, the sign of a feeling."""
    if isinstance(answer, Sentiment):
        return (answer.score > 0) - (answer.score < 0)
    return answer.code if answer else None


def _demand_range(hook: str, text: Text, answer: Language | Sentiment | None) -> None:
    if answer is None:
        return
    sure, score = 0 <= answer.confidence <= 1, getattr(answer, "score", 0)
    tag = _BCP47.fullmatch(answer.code) if isinstance(answer, Language) else True
    if not sure or not -1 <= score <= 1 or not tag:
        fail(f"{hook} of {text.text!r} is {answer}", "values within their ranges")
