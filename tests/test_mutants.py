"""The mutants are run by hand, for they take long; here only that they still find what they break."""

import pytest
from mutants.run import DESK, MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.rule)
def test_the_rule_that_a_mutant_breaks_is_where_it_looks_for_it(mutant: Mutant) -> None:
    assert mutant.text in (DESK / "channelry_desk" / mutant.module).read_text()
    assert (DESK / "tests" / mutant.tests).exists()
