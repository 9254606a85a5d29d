"""The rules about what arrives: webhooks, their signatures, their events."""

import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from functools import partial
from random import Random
from typing import Any

import attrs
import orjson
import pytest
from attrs import evolve

from channelry.model import (
    OK,
    Announced,
    CallRecord,
    Contact,
    DeliveredUpTo,
    Event,
    FormReply,
    Kind,
    Location,
    Media,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Order,
    Postback,
    ReactionChanged,
    ReadUpTo,
    Received,
    Request,
    Status,
    StatusChanged,
    Sticker,
    Typing,
)
from channelry.secrets import Secret, Secrets

from .bench import PUBLIC_URL, Bench
from .conformance import Conformance, Grade, exempt, fail, inline, not_declared, rule, run
from .guard import watching_purity
from .mutation import BATCHES, arrays, changed_at, disturb, forgeries, halves, mutated
from .payloads import Payload, differences, read_payloads, written

TEXTS = (
    "plain", "zażółć gęślą jaźń", "😀👩‍👩‍👧 🇦🇹", "שלום עולם", "أين طلبي؟", "\u202eabc\u202c", "注文はどこですか",
    "a\0b", '"</script>\\ & \' {0} %s', "line one\nline two", "x" * 3000,
)  # fmt: skip
"""What customers and agents write: other scripts, emoji, both directions, NUL, what other syntaxes escape."""


MUTANTS_AT_ONCE = 500
"""Bodies that are tried before it is asked whether they take too long."""

_NOTHING = (b"[]", b"{}", b"null")

_PURE = "move what is no function of the request into `expand`, `profile` or `fetch`"


class ReceivingRules(Conformance):
    """What holds for `verify` and `parse`."""

    rows: Collection[str] = ()
    customer = "491700000001"

    @rule("payloads", Grade.BRONZE)
    def test_recorded_payloads_become_the_events_written_for_them(
        self, bench: Bench, recorded: Sequence[Payload]
    ) -> None:
        """Every recorded payload is parsed to exactly the events, ignored rows and answer that its file expects.

        Why: the files are written by hand from the provider's documentation, so they are what the plugin has to say.
        Mend: compare both with the documentation, and mend the one that is wrong.
        """
        lines = []
        for payload in recorded:
            found = inline(bench.parse, payload.request, doing=f"{bench.name}.parse of {payload.name}")
            lines += [f"{payload.name}: {line}" for line in differences(payload, found)]
        if lines:
            fail("\n".join(lines), "exactly what the files say", "mend `parse`, or the file if it is wrong")

    @rule("rows", Grade.BRONZE)
    def test_every_row_of_the_table_of_types_has_a_recorded_payload(self, recorded: Sequence[Payload]) -> None:
        """Each row of the channel's own table of types (`rows`) is shown by a payload, and no payload shows another.

        Why: what has no payload was never tried. Mend: record what is missing (from the provider's documentation),
        or name the row in `rows`.
        """
        shown = {payload.row for payload in recorded}
        if not self.rows:
            fail(f"{type(self).__name__}.rows is empty", "the names of all types that the provider sends", "list them")
        for what, names in (("without a payload", set(self.rows) - shown), ("not in `rows`", shown - set(self.rows))):
            if names:
                fail(f"rows {what}: {', '.join(sorted(names))}", "the same rows in both", "add them where they miss")

    @rule("signatures", Grade.BRONZE)
    def test_only_the_providers_own_requests_are_verified(self, bench: Bench, simulator: Any) -> None:
        """A request with the provider's signature is accepted; with a bad, missing, cut, empty or non-ASCII one, with
        another body under it, or without any secret configured, it is a RejectedError, whatever the body is.

        Why: everybody can post to a webhook. Mend: compare bytes with `hmac.compare_digest` (a non-ASCII str raises
        TypeError), over the raw body, before anything is parsed; refuse everything where no secret is configured.
        """
        if not bench.has("verify"):
            not_declared("it has no hook `verify`, for nothing is posted to it")
        good = posted(simulator, simulator.message(self.customer, "hello"))
        check = partial(inline, bench.accepts, doing=f"{bench.name}.verify")
        if not check(good):
            fail(
                f"{bench.name}.verify rejects what its simulator signs",
                "that the provider's own requests are accepted",
                "compare both with the provider's test vectors; the configuration must hold the simulator's secrets",
            )
        for what, request in forgeries(simulator, good):
            if check(request):
                fail(f"{bench.name}.verify accepts {what}", "RejectedError")
        for request in halves(simulator, good):
            check(request)  # where several headers sign, one may be enough; none may raise anything else
        if fields := _secrets_fields(bench.plugin):
            bare = type(bench.plugin)(evolve(bench.plugin.config, **dict.fromkeys(fields, ())))
            if inline(Bench(bare, bench.services).accepts, good, doing=f"{bench.name}.verify"):
                empty = " and ".join(fields)
                fail(f"{bench.name}.verify accepts a request although {empty} is empty", "RejectedError", "refuse it")

    @rule("rotation", Grade.SILVER)
    def test_two_secrets_are_accepted_while_one_replaces_the_other(self, bench: Bench, simulator: Any) -> None:
        """With (new, old) and with (old, new) configured, what is signed with the old secret is accepted.

        Why: secrets rotate while webhooks come. Mend: type the field `Secrets` and try each.
        """
        names = _secrets_fields(bench.plugin)
        if not bench.has("verify") or not names:
            not_declared("no secret of its Config is of type Secrets")
        good = posted(simulator, simulator.message(self.customer, "hello"))
        config = bench.plugin.config
        other = (Secret("another-secret-of-the-kit"),)
        for first, last in ((other, ()), ((), other)):
            both = evolve(config, **{name: (*first, *getattr(config, name), *last) for name in names})
            if not inline(Bench(type(bench.plugin)(both), bench.services).accepts, good, doing=f"{bench.name}.verify"):
                fail(f"{bench.name}.verify tries only one secret of two", "each to be tried", "loop over them")

    @rule("garbage", Grade.BRONZE)
    def test_garbage_is_kept_and_never_raises(
        self, bench: Bench, simulator: Any, recorded: Sequence[Payload], mutants: int
    ) -> None:
        """Recorded bodies that are mutated, cut or replaced by noise give events, ignored rows or `Unparsed`, and never
        an exception; one that does not say itself that it is empty (by `[]`, `{}` or `null`) is never answered as if
        nothing had been in it; `verify` raises RejectedError only. The same bodies each time.

        Why: an exception loses the neighbours, an empty answer acknowledges what was never read. Mend: build rows
        with `channelry.parsing` (`received`, `each`, `identifier`, …), which turns what it cannot read into `Unparsed`.
        """
        bodies = [payload for payload in recorded if payload.request.body]
        if not bodies:
            exempt("no recorded payload has a body")
        _many(mutants, bench, lambda chance: _try_mutant(bench, simulator, chance.choice(bodies), chance))
        for payload in bodies:
            if payload.events:
                whole = payload.request.body
                for cut in {0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
                    found = inline(bench.parse, evolve(payload.request, body=whole[:cut]), doing=f"{bench.name}.parse")
                    if not found.events and not found.ignored:
                        fail(
                            f"{payload.name} cut after {cut} bytes gives neither events nor ignored rows",
                            "an Unparsed with the raw body",
                            "let `channelry.parsing.received` read the body",
                        )

    @rule("pure-receiving", Grade.BRONZE)
    def test_verify_and_parse_are_pure(self, bench: Bench, simulator: Any, recorded: Sequence[Payload]) -> None:
        """`verify` and `parse` read no clock, no chance, no file and no network, and answer the same twice.

        Why: they run inline, thousands a second, and a replay next year must give the same events. Mend: time is
        `request.received_at`; what comes from elsewhere belongs into `expand`, `profile` or `fetch`.
        """
        for payload in recorded:
            signed = posted(simulator, payload.request)
            once = bench.parse(signed)
            with watching_purity() as found:
                if bench.has("verify"):
                    bench.accepts(signed)
                again = bench.parse(signed)
            if found:
                fail(f"{payload.name}: verify or parse reads {', '.join(sorted(set(found)))}", "no such read")
            if once != again:
                fail(
                    f"{payload.name} is parsed differently the second time", "the same answer", "keep no state in parse"
                )

    @rule("keys", Grade.BRONZE)
    def test_keys_are_stable_under_redelivery_and_distinct_otherwise(
        self, bench: Bench, simulator: Any, recorded: Sequence[Payload]
    ) -> None:
        """An event's key is the same when its request is delivered again, later and over another way; the events of
        one request, and two messages with the same words, have different keys.

        Why: the key is what a redelivery is known by; a key that changes doubles messages, one that is shared loses
        them. Mend: make it of the provider's ids, never of content or time alone.
        """
        for payload in recorded:
            events = bench.parse(payload.request).events
            keys = [event.key for event in events]
            if not all(isinstance(key, str) and key for key in keys):
                fail(f"{payload.name}: the keys are {keys}", "strings that are not empty", "use the provider's id")
            later = payload.request.received_at + timedelta(hours=7)
            headers = (*payload.request.headers, (b"x-request-id", b"another"))
            again = bench.parse(evolve(payload.request, received_at=later, headers=headers)).events
            if keys != [event.key for event in again]:
                fail(
                    f"{payload.name}: delivered again, the keys {keys} become {[event.key for event in again]}",
                    "the same keys",
                    "leave time of arrival and headers out of the key",
                )
            if len(set(keys)) < len({orjson.dumps(written(event)) for event in events}):
                fail(f"{payload.name}: different events share a key: {keys}", "a key each", "add what tells them apart")
        pair = [self.message(bench, simulator, "the same words") for _ in range(2)]
        if pair[0].key == pair[1].key:
            fail(f"two messages share the key {pair[0].key!r}", "a key each", "never make a key of content alone")

    @rule("utc", Grade.BRONZE)
    def test_times_are_aware_and_utc(self, bench: Bench, simulator: Any, recorded: Sequence[Payload]) -> None:
        """Every event occurred at an aware time in UTC.

        Why: naive times are guessed at, local ones sort wrongly. Mend: `channelry.parsing.timestamp`.
        """
        requests = {payload.name: payload.request for payload in recorded}
        requests["a message of the simulator"] = posted(simulator, simulator.message(self.customer, "hello"))
        for name, request in requests.items():
            for event in bench.parse(request).events:
                if event.occurred_at.tzinfo is None or event.occurred_at.tzinfo is not UTC:
                    fail(f"{name}: {type(event).__name__} occurred at {event.occurred_at!r}", "tzinfo=UTC")

    @rule("batches", Grade.SILVER)
    def test_a_bad_row_costs_no_neighbour(self, bench: Bench, recorded: Sequence[Payload], mutants: int) -> None:
        """Where a payload holds an array of rows, junk and mutated rows among them cost no other row its event.

        Why: one bad row in a batch of a hundred would lose ninety-nine messages, or be redelivered for ever.
        Mend: build each row alone, with `channelry.parsing.each`. Arrays of rows are those whose events
        come twice when the rows are doubled.
        """
        batches = [(payload, *place) for payload in recorded for place in _batches(bench, payload)]
        if not batches:
            not_declared("no recorded payload holds an array of rows")
        for payload, body, path in batches:
            before = _events(bench, payload.request, body)
            for what, change in BATCHES:
                after = _events(bench, payload.request, changed_at(body, path, change))
                if lost := before - after:
                    fail(
                        f"{payload.name}: with the rows of {'.'.join(map(str, path)) or 'the body'} {what}, "
                        f"{lost.total()} of {before.total()} events are lost",
                        "every good row to arrive",
                        "build each row alone, with channelry.parsing.each",
                    )
        _many(mutants, bench, lambda chance: _try_neighbours(bench, *chance.choice(batches), chance))

    @rule("receives", Grade.SILVER)
    def test_what_is_received_is_what_is_declared(self, bench: Bench, recorded: Sequence[Payload]) -> None:
        """Every kind in `capabilities.receives`, and every declared status, is in the events of a recorded payload, and
        the other way round.

        Why: agents are shown what a channel carries. Mend: record what is missing, or declare what you receive.
        """
        declared = bench.plugin.capabilities
        events = [event for payload in recorded for event in (*payload.events, *(payload.expanded or ()))]
        kinds = {kind for event in events for kind in kinds_of(event)}
        statuses = {status for event in events for status in _statuses_of(event)}
        for what, said, shown in (
            ("kinds", set(declared.receives), kinds),
            ("statuses", set(declared.statuses), statuses),
        ):
            if said - shown:
                fail(f"{what} declared and in no payload: {_names(said - shown)}", "a payload each", "record them")
            if shown - said:
                fail(f"{what} in payloads and not declared: {_names(shown - said)}", "them declared", "add them")

    @rule("texts-in", Grade.SILVER)
    def test_whatever_a_customer_writes_arrives_as_it_is(self, bench: Bench, simulator: Any) -> None:
        """Text in other scripts, with emoji, from right to left, with NUL and with what other syntaxes escape arrives
        unchanged; an empty one raises nothing.

        Why: customers write what they like. Mend: decode once, as UTF-8, and change nothing.
        """
        for text in TEXTS:
            found = self.message(bench, simulator, text).text
            if found != text:
                fail(f"{text[:40]!r} arrives as {found[:40]!r}", "the same text", "change nothing in it")
        sound(bench.parse(posted(simulator, simulator.message(self.customer, ""))))

    def message(self, bench: Bench, simulator: Any, text: str) -> MessageReceived:
        """Let a customer write, and give the event that it becomes."""
        events = self.arrived(bench, simulator, simulator.message(self.customer, text))
        for event in events:
            if isinstance(event, MessageReceived):
                return event
        return fail(
            f"a message of {type(simulator).__name__} becomes {[type(one).__name__ for one in events]}",
            "a MessageReceived",
            "mend the simulator or `parse` (`expand` where a webhook brings ids only); where customers have other ids, "
            "set `customer` in your test class",
        )

    def arrived(self, bench: Bench, simulator: Any, request: Request) -> list[Event]:
        """Post a request as the simulator does, and give its events; what it only announces is expanded."""
        events = inline(bench.parse, posted(simulator, request), doing=f"{bench.name}.parse").events
        if not bench.has("expand") or not any(isinstance(event, Announced) for event in events):
            return list(events)
        return run(partial(bench.expanded, events), doing=lambda: bench.doing)

    @pytest.fixture
    def recorded(self, payloads: Any) -> list[Payload]:
        """Give the recorded payloads."""
        found = read_payloads(payloads)
        if not found:
            fail(
                f"there is no recorded payload in {payloads}",
                "a file *.json for each row of the type table",
                "write one",
            )
        return found


def posted(simulator: Any, request: Request) -> Request:
    """Sign a request as the provider posts it to the public address."""
    if not request.public_url:
        request = evolve(request, public_url=PUBLIC_URL + request.path.removeprefix("/"))
    signed: Request = simulator.signed(request)
    return signed


def sound(received: Received) -> None:
    """Fail unless times are aware and ignored rows have reasons."""
    for event in received.events:
        if event.occurred_at.tzinfo is None:
            fail(
                f"{type(event).__name__} occurred at {event.occurred_at!r}",
                "an aware time",
                "channelry.parsing.timestamp",
            )
    if not all(isinstance(reason, str) for reason in received.ignored):
        fail(f"ignored holds {received.ignored!r:.80}", "a reason in words for each row", "yield a str")


def _many(mutants: int, bench: Bench, attempt: Callable[[Random], None]) -> None:
    """Make so many attempts, the same each time."""
    chance = Random(0)

    def some(number: int) -> None:
        for _ in range(number):
            attempt(chance)

    for done in range(0, mutants, MUTANTS_AT_ONCE):
        inline(some, min(MUTANTS_AT_ONCE, mutants - done), doing=lambda: bench.doing)


def _try_mutant(bench: Bench, simulator: Any, payload: Payload, chance: Random) -> None:
    """Mutate a body, parse it and verify it, as it is and signed."""
    request = evolve(payload.request, body=mutated(payload.request.body, chance))
    with _naming(request):
        found = bench.parse(request)
        sound(found)
        told = found.events or found.ignored or found.answer != OK  # a handshake's answer says that it was read
        if not told and not any(nothing in request.body for nothing in _NOTHING):
            fail(
                "a body gives neither events nor ignored rows",
                "an Unparsed with the raw body, or the reason to ignore it",
            )
        for one in (request, simulator.signed(request)) if bench.has("verify") else ():
            bench.accepts(one)


def _try_neighbours(bench: Bench, payload: Payload, body: Any, path: tuple[Any, ...], chance: Random) -> None:
    """Mutate the rows at `path`, and parse them among the good ones."""

    def beside(rows: list[Any]) -> list[Any]:
        bad = copy.deepcopy(rows)
        disturb(bad, chance)
        return [*bad, *rows] if chance.random() < 0.5 else [*rows, *bad]

    request = evolve(payload.request, body=orjson.dumps(changed_at(body, path, beside)))
    with _naming(request):
        due = Counter(event.key for event in payload.events)
        if lost := due - Counter(event.key for event in bench.parse(request).events):
            fail(f"beside a bad row {lost.total()} of {due.total()} events are lost", "every good row to arrive")


@contextmanager
def _naming(request: Request) -> Iterator[None]:
    """Let a failure name the body that it came of."""
    try:
        yield
    except pytest.fail.Exception as failure:
        failure.msg = f"{failure.msg}\n  of the body {request.body!r:.400}"
        raise


def _batches(bench: Bench, payload: Payload) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Give a payload's body with the way to each array of rows in it, whose events come twice when it is doubled."""
    try:
        body = payload.request.json()
    except ValueError:
        return
    before = _events(bench, payload.request, body)
    for path in arrays(body):
        doubled = _events(bench, payload.request, changed_at(body, path, lambda rows: [*rows, *rows]))
        if doubled.keys() == before.keys() and doubled != before:  # else they are parts of one row
            yield body, path


def _events(bench: Bench, request: Request, body: Any) -> Counter[bytes]:
    """Count the events of a JSON body, as JSON."""
    found = inline(bench.parse, evolve(request, body=orjson.dumps(body)), doing=f"{bench.name}.parse").events
    return Counter(orjson.dumps(written(event)) for event in found)


_EVENT_KINDS: Mapping[type, Kind] = {
    MessageEdited: Kind.EDIT, MessageDeleted: Kind.DELETE, ReactionChanged: Kind.REACTION, Typing: Kind.TYPING,
    CallRecord: Kind.CALL,
}  # fmt: skip
_PART_KINDS: Mapping[type, Kind] = {
    Location: Kind.LOCATION, Contact: Kind.CONTACT, Postback: Kind.BUTTONS, FormReply: Kind.FORM, Order: Kind.ORDER,
    Sticker: Kind.STICKER,
}  # fmt: skip


def kinds_of(event: Any) -> set[Kind]:
    """Name the kinds that an event shows a channel to receive."""
    if not isinstance(event, MessageReceived):
        return {_EVENT_KINDS[type(event)]} if type(event) in _EVENT_KINDS else set()
    kinds = {part.kind if isinstance(part, Media) else _PART_KINDS.get(type(part)) for part in event.parts}
    return {kind for kind in kinds if kind} | ({Kind.TEXT} if event.text else set())


def _statuses_of(event: Any) -> set[Status]:
    if isinstance(event, StatusChanged):
        return {event.status} - {Status.ACCEPTED}
    return (
        {Status.READ}
        if isinstance(event, ReadUpTo)
        else {Status.DELIVERED}
        if isinstance(event, DeliveredUpTo)
        else set()
    )


def _names(kinds: set[Any]) -> str:
    return ", ".join(sorted(str(kind) for kind in kinds))


def _secrets_fields(plugin: Any) -> list[str]:
    """Name the fields of a Config that hold several secrets at once."""
    fields = attrs.fields(type(plugin.config))
    return [one.name for one in fields if one.type == Secrets and getattr(plugin.config, one.name)]
