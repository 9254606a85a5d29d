"""The rules about what goes wrong: refusals, odd answers, lost answers, and statuses in any order."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from attrs import evolve

from channelry.errors import AmbiguousError, AuthError, RecipientError, RetryableError, SendError, WindowClosedError
from channelry.model import Audience, Call, Capabilities, Kind, Receipt, Resend, Status, StatusChanged, Target

from .bench import Bench, raised
from .broken_http import Answering, Losing
from .conformance import Grade, fail, not_declared, rule, run
from .http import AsgiHttp
from .places import PlaceRules
from .plugin_rules import with_canaries
from .receiving import posted
from .samples import MEDIA, SENDABLE
from .sending import composed

RETRY_AFTER = 7.0
_ANSWERS: Sequence[tuple[int, bytes]] = (
    (200, b""), (200, b"[]"), (200, b"{}"), (200, b"null"), (200, b"<html>a proxy's page</html>"), (200, b"\xff\xfe"),
    (204, b""), (302, b""), (400, b"{}"), (401, b""), (403, b"[]"), (404, b"<html>"), (409, b"null"), (413, b""),
    (429, b""), (429, b'{"error":7}'), (500, b"{}"), (502, b"<html>"), (503, b""), (504, b"\0"),
)  # fmt: skip


class FaultRules(PlaceRules):
    """What holds when the provider refuses, answers oddly, or is not heard."""

    @rule("errors", Grade.SILVER)
    def test_each_fault_is_the_error_that_it_means(self, bench: Bench, simulator: Any) -> None:
        """A rate limit is a RetryableError with the provider's `retry_after`; a provider that is down or refuses the
        connection a RetryableError; a block a RecipientError; a closed window a WindowClosedError (where a window is
        declared); credentials that are not good an AuthError; and the next call goes through.

        Why: what is done next hangs on the class. Mend: map the provider's codes as data, most particular first.
        """
        self._demand_sending(bench)
        expected: Mapping[str, type[SendError]] = {
            "rate-limited": RetryableError, "unavailable": RetryableError, "blocked": RecipientError
        } | ({"window-closed": WindowClosedError} if bench.plugin.capabilities.window else {})  # fmt: skip

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    send = partial(self._message_sent, bench, target, carried)
                    for fault, wanted in expected.items():
                        simulator.faults.add(fault, retry_after=RETRY_AFTER)
                        error = await raised(send(f"kit-{place}-{fault}"))
                        _demand_error(error, wanted, f"{fault} ({place})")
                        if fault == "rate-limited":
                            _demand_retry_after(error)
                        await send(f"kit-{place}-{fault}-after")
                    nowhere = Bench(bench.plugin, evolve(bench.services, http=AsgiHttp({})))
                    refused = await raised(self._message_sent(nowhere, target, carried, f"kit-{place}-refused"))
                    _demand_error(refused, RetryableError, "a refused connection")
                    await self._demand_auth(bench, target, carried)

        run(main, doing=lambda: bench.doing)

    async def _demand_auth(self, bench: Bench, target: Target, carried: Capabilities) -> None:
        config = with_canaries(bench.plugin.config)
        if config == bench.plugin.config:
            return
        stranger = Bench(type(bench.plugin)(config), bench.services)
        error = await raised(self._message_sent(stranger, target, carried, "kit-stranger"))
        _demand_error(error, AuthError, "a send with other credentials")

    @rule("answers", Grade.SILVER)
    def test_odd_answers_are_errors_of_the_taxonomy(self, bench: Bench, simulator: Any) -> None:
        """Whatever the provider answers (a proxy's page, nothing, other JSON, any status), `send` gives a receipt or
        raises an error of `channelry.errors`.

        Why: anything else counts as a broken plugin, and leaves it open whether the call was taken. Mend: decide on
        the status first; a success that cannot be read is an AmbiguousError.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for _, target, carried in self.targets(bench, simulator):
                    for status, body in _ANSWERS:
                        odd = Bench(bench.plugin, evolve(bench.services, http=Answering(status, body)))
                        await raised(self._message_sent(odd, target, carried, f"kit-{status}-{body!r}"))

        run(main, doing=lambda: bench.doing)

    @rule("statuses", Grade.SILVER)
    def test_statuses_are_understood_in_any_order(self, bench: Bench, simulator: Any) -> None:
        """The statuses that the simulator tells of a message are declared, name its receipt or our key, and mean the
        same in any order, also before the receipt.

        Why: providers tell them in any order. Mend: give `StatusChanged` the provider's id, and our key where the
        provider echoes it; keep nothing between two requests.
        """
        self._demand_sending(bench)
        if not bench.plugin.capabilities.statuses:
            not_declared("its capabilities name no statuses")

        async def main() -> None:
            async with bench.opened():
                for _, target, carried in self.targets(bench, simulator):
                    simulator.webhooks.clear()
                    receipts = await self._message_sent(bench, target, carried, "kit-status")
                    webhooks = [posted(simulator, webhook) for webhook in simulator.webhooks]
                    if not webhooks and target.audience is not Audience.PUBLIC:
                        fail("the simulator tells no status", "webhooks of what it took", "add them to `webhooks`")
                    _demand_statuses(bench, receipts, webhooks)

        run(main, doing=lambda: bench.doing)

    @rule("answer-lost", Grade.GOLD)
    def test_a_lost_answer_is_ambiguous_and_then_settled_as_declared(self, bench: Bench, simulator: Any) -> None:
        """When the answer is lost `send` raises AmbiguousError; then, by `resend`: SAFE, the same call again gives the
        same message; LOOKUP, `reconcile` finds it or tells that it was not taken; CALLBACK, a webhook bears our key;
        NEVER, nothing is sent again and `reconcile`, where there is one, says Unknown. What only prepares a call (an
        upload) is repeatable: its lost answer is a RetryableError.

        Why: a message that is sent twice cannot be taken back. Mend: leave the error of `services.http` as it is, and
        declare in `resend` what the provider really offers.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    await self._lose(bench, simulator, place, target, carried)
                    await self._lose_preparation(bench, simulator, place, carried)

        run(main, doing=lambda: bench.doing)

    async def _lose(self, bench: Bench, simulator: Any, place: str, target: Target, carried: Capabilities) -> None:
        kind = Kind.TEXT if Kind.TEXT in carried.sends else min(carried.sends & SENDABLE)
        for fault in ("lost", "lost-untaken"):
            outbound = self.action(kind, target, target.reply_to, carried, f"kit-{place}-{fault}")
            call = bench.compose(outbound)[0]
            before = len(simulator.ledger.taken)
            simulator.webhooks.clear()
            simulator.faults.add(fault)
            _demand_error(await raised(bench.call("send", call)), AmbiguousError, f"an answer that was {fault}")
            if len(simulator.ledger.taken) - before != (fault == "lost"):
                fail("`send` tried again by itself", "one request", "leave repeating to the outbox")
            taken = simulator.ledger.taken[before:]
            resend = call.resend or carried.resend
            if resend is Resend.SAFE:
                receipt = await bench.call("send", call)
                if len(simulator.ledger.taken) - before != 1:
                    fail("sent again, the message is there twice", "once: `resend` says SAFE", "send our key along")
                if taken and receipt.external_ids[:1] != (taken[0].external_id,):
                    fail(f"sent again, the receipt is {receipt}", f"that of {taken[0].external_id}", "read its answer")
            elif resend is Resend.LOOKUP:
                await self._look_up(bench, call, fault, taken)
            elif resend is Resend.CALLBACK and fault == "lost":
                events = [event for hook in simulator.webhooks for event in bench.parse(posted(simulator, hook)).events]
                if call.key not in {getattr(event, "reference", "") for event in events}:
                    fail(
                        f"no webhook after a lost answer bears the key {call.key}",
                        "a StatusChanged with our key in `reference`: `resend` says CALLBACK",
                        "send the key along and read it from the status, or declare NEVER",
                    )
            elif resend is Resend.NEVER and bench.has("reconcile"):
                answer = await bench.call("reconcile", call)
                if type(answer).__name__ != "Unknown":
                    fail(f"`reconcile` answers {answer} although `resend` says NEVER", "Unknown", "declare LOOKUP")

    async def _lose_preparation(self, bench: Bench, simulator: Any, place: str, carried: Capabilities) -> None:
        """Lose the answer of a request that comes before the visible one.

        Each time in answer to a new message: what a channel stored with one may be good for one answer only.
        """

        def calls(key: str) -> Sequence[Call]:
            return composed(bench, self.action(kind, self.target(place, bench, simulator), "", carried, key))

        for kind in sorted(carried.sends & set(MEDIA)):
            for call, again in zip(calls(f"kit-{kind}-counted"), calls(f"kit-{kind}-prepared"), strict=True):
                counting = Losing(bench.services.http, 0)
                await Bench(bench.plugin, evolve(bench.services, http=counting)).tried("send", call)
                if counting.requests > 1:
                    losing = Bench(bench.plugin, evolve(bench.services, http=Losing(bench.services.http, 1)))
                    error = await raised(losing.call("send", again))
                    _demand_error(error, RetryableError, f"the lost answer of what prepares {kind}")

    async def _look_up(self, bench: Bench, call: Call, fault: str, taken: Sequence[Any]) -> None:
        if not bench.has("reconcile"):
            fail("`resend` says LOOKUP and there is no hook `reconcile`", "the hook", "implement it, or declare NEVER")
        answer = await bench.call("reconcile", call)
        name = type(answer).__name__
        if fault == "lost":
            if name == "Accepted" and taken and taken[0].external_id not in answer.receipt.external_ids:
                fail(f"`reconcile` finds {answer.receipt}", f"that of {taken[0].external_id}", "compare by our key")
            if name not in ("Accepted", "Unknown") and not (
                name == "NotTaken" and await self._is_safe(bench, call, taken)
            ):
                fail(f"`reconcile` says {name} of a call that was taken", "Accepted", "look for our key")
        elif name == "Accepted":
            fail("`reconcile` says Accepted of a call that was not taken", "NotTaken", "compare by our key")

    async def _is_safe(self, bench: Bench, call: Call, taken: Sequence[Any]) -> bool:
        """Tell whether a repeat gives the message that is there already (LINE's retry key)."""
        receipt = await bench.call("send", call)
        return bool(receipt.external_ids[:1] == (taken[0].external_id,))


def _demand_error(error: SendError | None, wanted: type[SendError], what: str) -> None:
    if type(error) is not wanted:
        found = f"{type(error).__name__}: {error}" if error else "no error"
        fail(f"{what} is {found}", wanted.__name__, "map the provider's answer to it in `send`")


def _demand_retry_after(error: SendError | None) -> None:
    after = getattr(error, "retry_after", None)
    if after is None or abs(after - RETRY_AFTER) > 1:
        fail(
            f"a rate limit asks for {RETRY_AFTER:g} s and the error says retry_after={after}",
            f"retry_after={RETRY_AFTER:g}",
            "read it from the answer (HttpResponse.retry_after, or the provider's own field)",
        )


def _demand_statuses(bench: Bench, receipts: Sequence[Receipt], webhooks: Sequence[Any]) -> None:
    known = {one for receipt in receipts for one in receipt.external_ids}
    forwards = [bench.parse(webhook).events for webhook in webhooks]
    backwards = [bench.parse(webhook).events for webhook in reversed(webhooks)][::-1]
    if forwards != backwards:
        fail("statuses mean something else in another order", "the same events", "keep nothing between two requests")
    declared = bench.plugin.capabilities.statuses | {Status.ACCEPTED}
    for event in (event for events in forwards for event in events if isinstance(event, StatusChanged)):
        if event.status not in declared:
            fail(f"the status {event.status} is told and not declared", "it in capabilities.statuses", "add it")
        if event.external_id not in known and not event.reference.startswith("kit-status"):
            fail(f"{event} names no message of ours", f"one of {sorted(known)}", "give it the provider's id")
