"""The rules of a recognizer: who a profile belongs to."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from channelry.model import Address, Match, Profile

from .asked import AskedRules
from .bench import Bench
from .conformance import Grade, fail, rule, run

NOBODY = Profile(address=Address("kit", "nobody-of-the-kit"), name="Nobody Of The Kit")
_ODD = ("", "\0", "a\0b", "😀" * 200, "שלום", "' OR 1=1 --", "%_*", "../..", "x" * 20_000, "\n\r\n")


class RecognizerConformance(AskedRules):
    """The rules of a recognizer: subclass it in a test module, and pytest runs them all.

        class TestAcme(RecognizerConformance):
            known = ((Profile(address=Address("phone", "+491700000001")), {}, "customer-7"),)

            @pytest.fixture
            def simulator(self) -> AcmeSimulator: …

            @pytest.fixture
            def plugin(self, simulator: AcmeSimulator) -> Acme: …

    - `known`: profiles and hints, and the customer that each belongs to; None: nobody's.
    - fixtures: `plugin`, and `simulator` where a service is asked.
    """

    known: Sequence[tuple[Profile, Mapping[str, str], str | None]] = ()

    async def ask(self, bench: Bench) -> Any:
        return [await bench.call("recognize", profile, hints) for profile, hints, _ in self.known]

    @rule("examples", Grade.BRONZE)
    def test_examples_are_recognized(self, bench: Bench) -> None:
        """Each profile of `known` is given its customer with evidence in words, and a stranger is given none.

        Why: it is what the plugin is for; a wrong match shows one customer another's messages. Mend: write down what
        is right, and mend what differs.
        """
        if not any(customer for _, _, customer in self.known):
            fail("`known` names nobody", "one profile at least, with its customer", "write it down")

        async def main() -> None:
            async with bench.opened():
                for profile, hints, customer in (*self.known, (NOBODY, {}, None)):
                    match: Match | None = await bench.call("recognize", profile, hints)
                    if (match.customer if match else None) != customer:
                        fail(f"{profile} {dict(hints)} is {match}", f"{customer}")
                    if match and not match.evidence.strip():
                        fail(f"the match of {profile} gives no evidence", "words for the agent", "say what matched")

        run(main, doing=lambda: bench.doing)

    @rule("profiles", Grade.BRONZE)
    def test_odd_profiles_match_nobody(self, bench: Bench) -> None:
        """Empty, broken, huge and hostile names, addresses and hints raise nothing and match nobody.

        Why: customers choose their names. Mend: pass values as parameters, never as part of a query.
        """

        async def main() -> None:
            async with bench.opened():
                for odd in _ODD:
                    profile = evolve(NOBODY, name=odd, address=Address("kit", f"kit{odd}"), first_name=odd)
                    match = await bench.call("recognize", profile, {"email": odd, "phone": odd, "kit": odd})
                    if match is not None:
                        fail(f"{odd[:30]!r} is {match}", "None", "match whole values only, and no empty ones")

        run(main, doing=lambda: bench.doing)
