"""Texts of many callers become few requests; each caller gets its own answers or an error, whatever fails."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from random import Random
from threading import Barrier, Event, Lock
from typing import Any

import anyio
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from channelry.errors import AuthError, PermanentError, RetryableError, SendError
from channelry.model import Sentiment, Text
from channelry_azure.batching import AT_ONCE, Batcher
from channelry_azure.breaker import FAILURES, LONGEST_PAUSE, Breaker
from channelry_azure.documents import Document
from channelry_azure.plugin import Azure
from channelry_azure.simulator import AzureSimulator
from channelry_simulation import FaultKind
from channelry_testing import FakeClock

DOWN = RetryableError("down")


@define(eq=False)
class Provider:
    """Answers each document with its text in upper case, fails when `fails` says so, and keeps what it was asked."""

    fails: Callable[[list[str]], bool] = lambda texts: False
    requests: list[list[str]] = field(factory=list)
    _lock: Lock = field(factory=Lock)

    def __call__(self, documents: Sequence[Document], seconds: float) -> list[str | None]:
        with self._lock:
            texts = [document["text"] for document in documents]
            self.requests.append(texts)
            if self.fails(texts):
                raise DOWN
        return [document["text"].upper() for document in documents]


def batcher(provider: Any, most: int = 4, linger: float = 0.0, remember: int = 1_000) -> Batcher:
    return Batcher(provider, FakeClock(), most, linger, 15.0, remember)


def asked(*texts: str) -> list[Document]:
    return [{"text": text} for text in texts]


def test_one_callers_documents_are_split_and_merged() -> None:
    provider = Provider()
    assert batcher(provider).ask(asked(*"abcdefghi")) == list("ABCDEFGHI")
    assert sorted(provider.requests) == [list("abcd"), list("efgh"), ["i"]]


def test_several_requests_of_one_caller_are_made_at_the_same_time() -> None:
    """Each waits for the others here, and fails if they do not come."""
    together = Barrier(AT_ONCE)

    def wait(documents: Sequence[Document], seconds: float) -> list[Any]:
        together.wait(10)
        return [document["text"].upper() for document in documents]

    texts = [f"text {number}" for number in range(2 * AT_ONCE * 3)]
    assert batcher(wait, most=3).ask(asked(*texts)) == [text.upper() for text in texts]


def test_nothing_is_no_request() -> None:
    provider = Provider()
    assert batcher(provider).ask([]) == []
    assert provider.requests == []


def test_callers_share_a_request_that_leaves_when_it_is_full() -> None:
    """Nobody's answer waits for the linger, which would fail this test by its length."""
    provider, together = Provider(), Barrier(4)
    one = batcher(provider, linger=60.0)

    def ask(text: str) -> list[Any]:
        together.wait()
        return one.ask(asked(text))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, "abcd")) == [["A"], ["B"], ["C"], ["D"]]
    assert [sorted(request) for request in provider.requests] == [list("abcd")]


def test_a_request_that_is_not_full_leaves_when_nobody_came() -> None:
    provider = Provider()
    assert batcher(provider, linger=0.001).ask(asked("a")) == ["A"]


def test_a_failed_request_fails_who_is_in_it_and_what_was_answered_is_kept() -> None:
    provider = Provider(lambda texts: "e" in texts and provider.requests.count(texts) == 1)
    one = batcher(provider)
    with pytest.raises(RetryableError):
        one.ask(asked(*"abcdefghi"))
    assert one.ask(asked(*"abcdefghi")) == list("ABCDEFGHI")
    assert provider.requests[3:] == [list("efgh")]


def test_only_so_many_answers_are_remembered() -> None:
    provider = Provider()
    one = batcher(provider, remember=2)
    for text in "abca":
        one.ask(asked(text))
    assert provider.requests == [["a"], ["b"], ["c"], ["a"]]


def test_who_waits_for_anothers_request_waits_no_longer_than_its_own_time() -> None:
    """One caller makes the request of both, which hangs; the other gives up by the clock."""
    begun, release, clock = Event(), Event(), FakeClock()

    def hang(documents: Sequence[Document], seconds: float) -> list[Any]:
        begun.set()
        release.wait()
        return ["late"] * len(documents)

    one = Batcher(hang, clock, 2, 60.0, 0.01, 0)
    with ThreadPoolExecutor(2) as pool:
        callers = [pool.submit(one.ask, asked(text)) for text in "ab"]
        begun.wait()
        anyio.run(clock.advance, 1)
        gave_up = next(as_completed(callers))
        assert isinstance(gave_up.exception(), RetryableError)
        release.set()
        (other,) = {*callers} - {gave_up}
        assert other.result() == ["late"]


@given(st.integers(0, 2**32), st.integers(1, 12), st.lists(st.integers(0, 25), min_size=1, max_size=6))
def test_under_random_failures_nothing_is_lost_and_nothing_swapped(seed: int, most: int, sizes: list[int]) -> None:
    """Each caller asks again until it is answered: then with its own answers, all of them."""
    random = Random(seed)
    one = batcher(Provider(lambda _: random.random() < 0.3), most)

    def ask(number: int) -> bool:
        documents = asked(*(f"caller {number} text {index}" for index in range(sizes[number])))
        while True:
            try:
                return one.ask(documents) == [document["text"].upper() for document in documents]
            except RetryableError:
                continue

    with ThreadPoolExecutor(len(sizes)) as pool:
        assert all(pool.map(ask, range(len(sizes))))


@pytest.mark.parametrize("seed", range(3))
def test_against_the_simulator_nothing_is_lost_and_nothing_swapped(
    connect: Callable[..., Azure], simulator: AzureSimulator, clock: FakeClock, seed: int
) -> None:
    """Eight callers, Microsoft's SDK, real sockets; a third of the requests fail, answers come in any order."""
    random = Random(seed)
    kinds = (FaultKind.UNAVAILABLE, FaultKind.LOST, FaultKind.LOST_UNTAKEN, FaultKind.RATE_LIMITED)
    simulator.reordered = True
    azure = connect(timeout=1e6)  # which the leaps of the clock do not use up

    def ask(number: int) -> tuple[list[Sentiment | None], list[float]]:
        own = Random(seed * 100 + number)
        expected = [own.choice((0.94, -0.94, 0.0)) for _ in range(20)]
        words = {0.94: "love", -0.94: "terrible", 0.0: "parcel"}
        texts = [Text(text=f"{words[one]} {number} {index}", language="en") for index, one in enumerate(expected)]
        while True:
            if random.random() < 0.3:
                simulator.faults.add(random.choice(kinds))
            try:
                return list(azure.score_sentiment(texts)), expected
            except RetryableError:
                anyio.run(clock.advance, 60)

    with ThreadPoolExecutor(8) as pool:
        for found, expected in pool.map(ask, range(8)):
            assert [one and one.score for one in found] == expected
    assert any(entry.status != 200 for entry in simulator.ledger.entries)
    assert azure.billed["sentiment"] == 8 * 20  # each of them once, whatever failed beside it


def opened(breaker: Breaker) -> float:
    """Give for how long the breaker refuses requests."""
    try:
        breaker.admit()
    except RetryableError as error:
        return error.retry_after or 0.0
    return 0.0


def test_the_breaker_opens_after_some_failures_in_a_row_and_ever_longer() -> None:
    clock = FakeClock()
    breaker = Breaker(clock)
    pauses = []
    for _ in range(FAILURES + 8):
        breaker.failed(DOWN)
        pauses.append(opened(breaker))
        anyio.run(clock.advance, pauses[-1])
        assert opened(breaker) == 0
    assert pauses[: FAILURES + 2] == [*[0.0] * (FAILURES - 1), 1.0, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE


@pytest.mark.parametrize(
    ("errors", "pause"),
    [
        ([RetryableError("busy", retry_after=17)], 17),
        ([PermanentError("bad document")] * 9, 0),
        ([AuthError("wrong key")] * FAILURES, 1),
        ([DOWN, DOWN, RetryableError("busy", retry_after=90)], 90),
        ([RetryableError("busy", retry_after=17), DOWN], 17),  # which was on its way already
    ],
)
def test_the_breaker_knows_what_an_error_says_of_azure(errors: list[SendError], pause: float) -> None:
    breaker = Breaker(FakeClock())
    for error in errors:
        breaker.failed(error)
    assert opened(breaker) == pause


def test_one_success_closes_it() -> None:
    breaker = Breaker(FakeClock())
    for _ in range(FAILURES - 1):
        breaker.failed(DOWN)
    breaker.succeeded()
    breaker.failed(DOWN)
    assert opened(breaker) == 0
