"""The rules about what is sent: actions, calls, receipts, errors."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import orjson
from attrs import evolve

from channelry.codec import from_json, to_json
from channelry.errors import (
    AmbiguousError,
    AuthError,
    PermanentError,
    RecipientError,
    RetryableError,
    SendError,
    WindowClosedError,
)
from channelry.model import (
    Audience,
    Call,
    Capabilities,
    Kind,
    Outbound,
    Receipt,
    Resend,
    SendMessage,
    Status,
    StatusChanged,
    Target,
    Thread,
)
from channelry.services import HttpResponse

from .bench import PUBLIC_URL, Bench, raised
from .conformance import Grade, fail, not_declared, rule, run
from .guard import Watchdog, watching_network, watching_purity
from .http import AsgiHttp
from .plugin_rules import with_canaries
from .receiving import TEXTS, ReceivingRules, posted
from .samples import MEDIA, SENDABLE, excesses, sample

PLACES = ("private", "public", "aside")
"""Where an action goes: a private conversation, a public answer, a private answer to a public message."""
RETRY_AFTER = 7.0
AT_ONCE = 100
_ANSWERS: Sequence[tuple[int, bytes]] = (
    (200, b""), (200, b"[]"), (200, b"{}"), (200, b"null"), (200, b"<html>a proxy's page</html>"), (200, b"\xff\xfe"),
    (204, b""), (302, b""), (400, b"{}"), (401, b""), (403, b"[]"), (404, b"<html>"), (409, b"null"), (413, b""),
    (429, b""), (429, b'{"error":7}'), (500, b"{}"), (502, b"<html>"), (503, b""), (504, b"\0"),
)  # fmt: skip


class SendingRules(ReceivingRules):
    """What holds for `compose`, `send` and `reconcile`."""

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities) -> Outbound:
        """Give an action of a kind; override it where the provider wants more (a template that it knows).

        `ours` is the provider's id of a message that was sent to `target` before; theirs is `target.reply_to`.
        """
        return sample(kind, target, ours, capabilities)

    def target(self, place: str, bench: Bench, simulator: Any) -> Target:
        """Give where actions go at a place (`PLACES`); override it for a channel with public messages."""
        found = Target.answering(self.message(bench, simulator, "hello"))
        if place == "public" and found.audience is not Audience.PUBLIC:
            return evolve(found, audience=Audience.PUBLIC, thread=Thread(root=found.reply_to, private=False))
        if place == "aside":
            return evolve(found, audience=Audience.PRIVATE, thread=Thread(root=found.reply_to, private=False))
        return found

    def targets(self, bench: Bench, simulator: Any) -> Iterator[tuple[str, Target, Capabilities]]:
        """Give each place that the channel sends to, with what it carries there."""
        capabilities = bench.plugin.capabilities
        for place, carried in zip(PLACES, (capabilities, capabilities.public, capabilities.aside), strict=True):
            if carried is not None and carried.sends:
                yield place, self.target(place, bench, simulator), carried

    def _demand_sending(self, bench: Bench) -> None:
        if not bench.has("send") or not bench.has("compose"):
            not_declared("it has no hooks `compose` and `send`")

    async def _sent(self, bench: Bench, outbound: Outbound) -> list[Receipt]:
        return [await bench.call("send", call) for call in bench.compose(outbound)]

    async def _message_sent(self, bench: Bench, target: Target, carried: Capabilities, key: str) -> list[Receipt]:
        """Send the plainest message that the channel carries."""
        kind = Kind.TEXT if Kind.TEXT in carried.sends else min(carried.sends & SENDABLE)
        return await self._sent(bench, evolve(self.sample(kind, target, target.reply_to, carried), key=key))

    @rule("sends", Grade.SILVER)
    def test_everything_declared_is_sent(self, bench: Bench, simulator: Any) -> None:
        """For each kind in `capabilities.sends` (and `.public`, `.aside`) an example is composed and sent, is taken by
        the simulator, and gives a receipt per call; the receipt of a message names its id.

        Why: what is declared is offered to agents. Mend: send it, or declare it no more. Where the provider wants
        special content (a template it knows), override `sample`; where it is public, `target`.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                await self._send_everything(bench, simulator)

        run(main, doing=lambda: bench.doing)

    async def _send_everything(self, bench: Bench, simulator: Any) -> None:
        for place, target, carried in self.targets(bench, simulator):
            for kind in sorted(carried.sends):
                if kind not in SENDABLE:
                    fail(f"{kind} is declared among what is sent", "kinds that an action exists for", "leave it out")
                receipts = await self._message_sent(bench, target, carried, f"kit-before-{place}-{kind}")
                ours = next((one for receipt in receipts for one in receipt.external_ids), "")
                outbound = evolve(self.sample(kind, target, ours, carried), key=f"kit-{place}-{kind}")
                seen, taken = len(simulator.ledger.entries), len(simulator.ledger.taken)
                try:
                    receipts = await self._sent(bench, outbound)
                except SendError as error:
                    fail(
                        f"{bench.name} declares {kind} ({place}) and refuses it: {type(error).__name__}: {error}",
                        "it to be sent",
                        "send it, or leave it out of `capabilities.sends`; `sample` gives what the kit sends",
                    )
                if len(simulator.ledger.entries) == seen:
                    fail(f"{kind} ({place}) makes no request", "one at least in the simulator's ledger", "send it")
                if isinstance(outbound, SendMessage):
                    if len(simulator.ledger.taken) == taken:
                        fail(f"{kind} ({place}) is not in `ledger.taken`", "what customers see", "mend the simulator")
                    if not any(receipt.external_ids for receipt in receipts):
                        fail(f"the receipts of {kind} ({place}) name no id", "the provider's ids", "read its answer")

    async def _exercise(self, bench: Bench, simulator: Any) -> None:
        """Send what is declared and check the account, whatever comes of it: other rules tell of that."""
        if bench.has("send") and bench.has("compose"):
            for place, target, carried in self.targets(bench, simulator):
                for kind in sorted(carried.sends & SENDABLE):
                    outbound = evolve(self.sample(kind, target, "", carried), key=f"kit-{place}-{kind}")
                    for call in _composed(bench, outbound):
                        await bench.tried("send", call)
        await bench.tried("check")

    @rule("refuses", Grade.SILVER)
    def test_what_is_not_declared_is_refused_before_any_request(self, bench: Bench, simulator: Any) -> None:
        """Kinds that are not declared, places that it has not, and what is beyond the declared limits is a
        PermanentError of `compose`, with no request in the simulator's ledger.

        Why: an agent must be told before anything is sent. Mend: begin `compose` with
        `self.capabilities.admit(outbound)`, and declare the provider's limits as data.
        """
        self._demand_sending(bench)
        capabilities, cases = bench.plugin.capabilities, list[tuple[str, Outbound]]()
        for place, target, carried in self.targets(bench, simulator):
            cases += [
                (f"{kind} ({place})", sample(kind, target, target.reply_to, carried))
                for kind in sorted(SENDABLE - carried.sends)
            ]
            cases += [(f"{what} ({place})", outbound) for what, outbound in excesses(carried, target)]
        target = Target.answering(self.message(bench, simulator, "hello"))
        if capabilities.public is None:
            public = evolve(target, audience=Audience.PUBLIC, thread=Thread(root="1", private=False))
            cases.append(("a public answer", SendMessage(key="kit", target=public, text="hello")))
        seen = len(simulator.ledger.entries)
        for what, outbound in cases:
            try:
                calls = bench.compose(outbound)
            except PermanentError:
                continue
            except SendError as error:
                fail(f"{what} is refused as {type(error).__name__}", "PermanentError", "let `admit` refuse it")
            fail(
                f"{bench.name}.compose makes {len(calls)} calls of {what}, which it does not declare",
                "PermanentError",
                "begin `compose` with self.capabilities.admit(outbound)",
            )
        if len(simulator.ledger.entries) != seen:
            fail("`compose` made requests", "none", "compose is pure; make requests in `send`")

    @rule("limits", Grade.SILVER)
    def test_declared_limits_are_those_of_the_provider(self, bench: Bench, simulator: Any) -> None:
        """A text as long as declared goes in one call and is taken; a longer one is split, each piece is taken, and no
        word is lost; buttons are taken up to their limits.

        Why: a limit that is too high loses messages, one that is too low cuts them up. Mend: state the provider's
        limit in its unit (`text`, `unit`), and split by `channelry.text.split`.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    if Kind.TEXT in carried.sends:
                        await self._fill(bench, simulator, place, target, carried)
                    if carried.buttons and Kind.BUTTONS in carried.sends:
                        await self._fill_buttons(bench, simulator, target, carried)

        run(main, doing=lambda: bench.doing)

    async def _fill(self, bench: Bench, simulator: Any, place: str, target: Target, carried: Capabilities) -> None:
        full = ("word " * carried.text)[: carried.text - 1] + "."
        for what, text, pieces in (
            ("as long as declared", full, 1),
            ("one longer than declared", full + "x", 2),
            ("of emoji beyond the limit", "😀" * (carried.text // carried.unit.measure("😀") + 1), 2),
        ):
            before = len(simulator.ledger.taken)
            try:
                await self._sent(bench, SendMessage(key=f"kit-{place}-{pieces}-{what}", target=target, text=text))
            except SendError as error:
                fail(
                    f"a text {what} ({carried.text} {carried.unit}, {place}) is refused: {error}",
                    "it to be taken",
                    "declare the provider's own limit and unit, and split at them",
                )
            taken = [one.text for one in simulator.ledger.taken[before:]]
            if len(taken) != pieces:
                fail(f"a text {what} goes in {len(taken)} calls ({place})", f"{pieces}", "split at the declared limit")
            if "".join("".join(taken).split()) != "".join(text.split()):
                fail(f"of a text {what} something is lost ({place})", "every word", "use channelry.text.split")

    async def _fill_buttons(self, bench: Bench, simulator: Any, target: Target, carried: Capabilities) -> None:
        limit = carried.buttons
        assert limit is not None
        base = self.sample(Kind.BUTTONS, target, target.reply_to, carried)
        assert isinstance(base, SendMessage)
        yes = base.buttons[0]
        buttons = [evolve(yes, title=f"{number}".ljust(limit.title, "t")) for number in range(limit.count)]
        if not yes.url:
            buttons = [evolve(one, payload=f"{number}".ljust(limit.payload, "p")) for number, one in enumerate(buttons)]
        before = len(simulator.ledger.taken)
        try:
            await self._sent(bench, evolve(base, key="kit-buttons", buttons=tuple(buttons)))
        except SendError as error:
            fail(f"{limit} is declared and refused: {error}", "as many and as long buttons taken", "declare its limits")
        if len(simulator.ledger.taken) == before:
            fail("a message with all its buttons is not in `ledger.taken`", "it there", "mend the simulator")

    @rule("calls", Grade.SILVER)
    def test_calls_are_plain_data_with_keys_of_their_own(self, bench: Bench, simulator: Any) -> None:
        """Calls survive their journey through JSON, and each has a key that is derived from the action's and unique.

        Why: they wait in the outbox, in a database, perhaps for days; the key is what makes a call one call.
        Mend: put plain JSON into `body`; make keys as f"{outbound.key}:{index}".
        """
        self._demand_sending(bench)
        for _, target, carried in self.targets(bench, simulator):
            keys: list[str] = []
            for kind in sorted(carried.sends & SENDABLE):
                for number in (1, 2):
                    outbound = evolve(self.sample(kind, target, target.reply_to, carried), key=f"kit-{kind}-{number}")
                    calls = _composed(bench, outbound)
                    for call in calls:
                        _demand_plain(call)
                    keys += [call.key for call in calls]
            if Kind.TEXT in carried.sends:
                long = SendMessage(key="kit-long", target=target, text="word " * carried.text)
                keys += [call.key for call in bench.compose(long)]
            if len(set(keys)) < len(keys) or not all(keys):
                twice = sorted({key for key in keys if keys.count(key) > 1})
                fail(f"calls share the keys {twice}", "a key each", 'f"{outbound.key}:{index}"')

    @rule("pure-compose", Grade.BRONZE)
    def test_compose_is_pure(self, bench: Bench, simulator: Any) -> None:
        """`compose` reads no clock, no chance, no file and no network, and gives the same calls twice.

        Why: the outbox composes again after a crash, and finds its rows by their keys. Mend: time and files belong
        into `send`; keys come from `outbound.key`.
        """
        self._demand_sending(bench)
        for _, target, carried in self.targets(bench, simulator):
            for kind in sorted(carried.sends & SENDABLE):
                outbound = self.sample(kind, target, target.reply_to, carried)
                once = _composed(bench, outbound)
                with watching_purity() as found:
                    again = _composed(bench, outbound)
                if found:
                    fail(f"compose of {kind} reads {', '.join(sorted(set(found)))}", "no such read")
                if list(once) != list(again):
                    fail(f"compose of {kind} gives other calls the second time", "the same calls", "keep no state")

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
                        odd = Bench(bench.plugin, evolve(bench.services, http=_Answering(status, body)))
                        await raised(self._message_sent(odd, target, carried, f"kit-{status}-{body!r}"))

        run(main, doing=lambda: bench.doing)

    @rule("texts-out", Grade.SILVER)
    def test_whatever_an_agent_writes_is_sent_as_it_is(self, bench: Bench, simulator: Any) -> None:
        """Text in other scripts, with emoji, from right to left and with what other syntaxes escape reaches the
        provider unchanged; with NUL it is sent or refused.

        Why: agents write in their customers' languages. Mend: send UTF-8, and escape only where the provider's
        markup asks for it.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    for number, text in enumerate(TEXTS if Kind.TEXT in carried.sends else ()):
                        before = len(simulator.ledger.taken)
                        try:
                            message = SendMessage(key=f"kit-{place}-{number}", target=target, text=text)
                            await self._sent(bench, message)
                        except PermanentError:
                            if "\0" in text:
                                continue
                            raise
                        found = " ".join(one.text for one in simulator.ledger.taken[before:])
                        if found.split() != text.split() and "".join(found.split()) != "".join(text.split()):
                            fail(f"{text[:40]!r} goes as {found[:40]!r} ({place})", "the same text", "change nothing")

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
                    await self._lose_preparation(bench, target, carried)

        run(main, doing=lambda: bench.doing)

    async def _lose(self, bench: Bench, simulator: Any, place: str, target: Target, carried: Capabilities) -> None:
        kind = Kind.TEXT if Kind.TEXT in carried.sends else min(carried.sends & SENDABLE)
        for fault in ("lost", "lost-untaken"):
            outbound = evolve(self.sample(kind, target, target.reply_to, carried), key=f"kit-{place}-{fault}")
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

    async def _lose_preparation(self, bench: Bench, target: Target, carried: Capabilities) -> None:
        """Lose the answer of a request that comes before the visible one."""
        for kind in sorted(carried.sends & set(MEDIA)):
            for call in _composed(bench, evolve(self.sample(kind, target, "", carried), key=f"kit-{kind}-prepared")):
                counting = _Losing(bench.services.http, 0)
                await Bench(bench.plugin, evolve(bench.services, http=counting)).tried("send", call)
                if counting.requests > 1:
                    losing = Bench(bench.plugin, evolve(bench.services, http=_Losing(bench.services.http, 1)))
                    error = await raised(losing.call("send", call))
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

    @rule("rates", Grade.GOLD)
    def test_rates_are_declared_as_data(self, bench: Bench, simulator: Any) -> None:
        """Rates are declared with positive counts and seconds, and name only actions that `compose` makes.

        Why: the outbox spaces calls by them; a misspelt action is never limited. Mend: use `Call.action`'s own names.
        """
        self._demand_sending(bench)
        found, actions = 0, set[str]()
        places = list(self.targets(bench, simulator))
        for _, target, carried in places:
            for kind in sorted(carried.sends & SENDABLE):
                actions |= {call.action for call in _composed(bench, self.sample(kind, target, "", carried))}
        for _, _, carried in places:
            for rate in carried.rates:
                found += 1
                if rate.count <= 0 or rate.seconds <= 0:
                    fail(f"{rate} lets nothing through", "counts and seconds above 0", "mend it")
                if rate.actions - actions:
                    fail(f"{rate} names {sorted(rate.actions - actions)}", f"actions of {sorted(actions)}", "mend them")
        if not found:
            not_declared("its capabilities name no rates; the provider's answer 429 tells (rule errors)")

    @rule("cancellation", Grade.GOLD)
    def test_a_cancellation_in_mid_send_leaves_nothing_open(self, bench: Bench, simulator: Any) -> None:
        """Cancelled while each of its requests is under way, `send` ends at once, leaves no task behind, and the next
        send goes through.

        Why: time-outs and shutdown cancel. Mend: catch no BaseException, start no task of your own, hold locks by
        `async with`.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    tasks = len(anyio.get_running_tasks())
                    held = _Holding(bench.services.http)
                    stuck = Bench(bench.plugin, evolve(bench.services, http=held))
                    with anyio.move_on_after(5):
                        async with anyio.create_task_group() as group:
                            group.start_soon(self._message_sent, stuck, target, carried, f"kit-{place}-cancelled")
                            await held.reached.wait()
                            group.cancel_scope.cancel()
                    if held.swallowed(await _settled(tasks)):
                        fail("`send` goes on after it was cancelled", "it to end at once", "catch no BaseException")
                    await self._message_sent(bench, target, carried, f"kit-{place}-after")

        run(main, doing=lambda: bench.doing)

    @rule("at-once", Grade.GOLD)
    def test_a_hundred_sends_at_once_are_a_hundred_messages(self, bench: Bench, simulator: Any) -> None:
        """A hundred messages that are sent at once are taken once each, and each has its own receipt.

        Why: the outbox sends side by side. Mend: keep nothing of one send on the plugin; guard tokens by
        `services.state.compare_and_set`.
        """
        self._demand_sending(bench)

        async def main() -> None:
            async with bench.opened():
                for place, target, carried in self.targets(bench, simulator):
                    await self._send_many(bench, simulator, place, target, carried)

        run(main, doing=lambda: bench.doing)

    async def _send_many(self, bench: Bench, simulator: Any, place: str, target: Target, carried: Capabilities) -> None:
        before, receipts = len(simulator.ledger.taken), dict[int, Receipt]()
        is_text = Kind.TEXT in carried.sends

        async def one(number: int) -> None:
            if is_text:
                outbound: Outbound = SendMessage(key=f"kit-{place}-{number}", target=target, text=f"number {number}")
            else:
                kind = min(carried.sends & SENDABLE)
                outbound = evolve(self.sample(kind, target, "", carried), key=f"kit-{place}-{number}")
            (receipts[number],) = await self._sent(bench, outbound)

        async with anyio.create_task_group() as group:
            for number in range(AT_ONCE):
                group.start_soon(one, number)
        taken = {entry.external_id: entry.text for entry in simulator.ledger.taken[before:]}
        ids = {number: receipt.external_ids[0] for number, receipt in receipts.items() if receipt.external_ids}
        if len(taken) != AT_ONCE or set(ids.values()) != set(taken):
            fail(
                f"{AT_ONCE} sends are {len(taken)} messages and {len(set(ids.values()))} receipts",
                f"{AT_ONCE} of both",
                "keep nothing of one send on the plugin",
            )
        if is_text and (mixed := [number for number, id in ids.items() if taken[id] != f"number {number}"]):
            fail(f"{len(mixed)} receipts are those of another message", "each its own", "keep nothing on the plugin")

    @rule("loop", Grade.GOLD)
    def test_nothing_blocks_the_event_loop(self, bench: Bench, simulator: Any) -> None:
        """While everything declared is sent, fetched and checked, the event loop turns.

        Why: one hook that blocks stops every connection of the process. Mend: await; where a library blocks, make the
        hook a plain function (`def`), which then runs in a thread.
        """
        dog = Watchdog()

        async def main() -> None:
            async with anyio.create_task_group() as group:
                await group.start(dog.beat)
                async with bench.opened():
                    await self._exercise(bench, simulator)
                group.cancel_scope.cancel()

        run(main, doing=lambda: bench.doing)
        if dog.stalls:
            fail(f"{bench.name} blocks the event loop at\n{dog.stalls[0]}", "a loop that turns")

    @rule("network", Grade.GOLD)
    def test_everything_goes_through_the_services(self, bench: Bench, simulator: Any) -> None:
        """While everything declared is sent, nothing but `services.http` reaches out.

        Why: it has the time-outs, the redaction and the list of allowed hosts, and tests stand in for it. Mend: call
        `services.http`; a protocol that is not HTTP needs an exemption with its reason.
        """
        with watching_network() as found:

            async def main() -> None:
                async with bench.opened():
                    await self._exercise(bench, simulator)

            run(main, doing=lambda: bench.doing)
        if found:
            fail(f"{bench.name} reaches out by itself: {', '.join(found)}", "services.http only")

    @rule("backends", Grade.SILVER)
    def test_it_runs_on_trio_as_on_asyncio(self, bench: Bench, simulator: Any) -> None:
        """What is sent and asked on asyncio is sent and asked on trio too, with the same receipts and errors.

        Why: the core runs on both. Mend: use anyio (sleep, locks, task groups) in place of asyncio's own.
        """
        problems: dict[str, list[str]] = {}
        for backend in ("asyncio", "trio"):

            async def main() -> list[str]:
                async with bench.opened():
                    return [problem async for problem in self._problems(bench, simulator)]

            problems[backend] = run(main, doing=lambda: bench.doing, backend=backend)
        if problems["asyncio"] != problems["trio"]:
            fail(f"on trio: {'; '.join(problems['trio'])}", "what asyncio gives")

    async def _problems(self, bench: Bench, simulator: Any) -> AsyncIterator[str]:
        """Send what is declared and ask the other hooks; tell which of them end how."""
        if bench.has("send") and bench.has("compose"):
            for _, target, carried in self.targets(bench, simulator):
                for kind in sorted(carried.sends & SENDABLE):
                    for call in _composed(bench, self.sample(kind, target, "", carried)):
                        yield f"send {kind}: {await bench.tried('send', call)}"
        for hook in ("setup", "check"):
            yield f"{hook}: {await bench.tried(hook, *[PUBLIC_URL] * (hook == 'setup'))}"


def _composed(bench: Bench, outbound: Outbound) -> Sequence[Call]:
    """Compose; nothing where it is refused, of which another rule tells."""
    try:
        return bench.compose(outbound)
    except SendError:
        return ()


class _Answering:
    """An HTTP client whose provider always gives the same answer."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body

    async def request(self, method: str, url: str, **_: Any) -> HttpResponse:
        await anyio.lowlevel.checkpoint()
        return HttpResponse(self.status, {"content-type": "application/json"}, self.body)

    async def download(self, url: str, save: Any, **_: Any) -> Any:
        raise PermanentError("the kit has no file here", code="404")


class _Losing:
    """An HTTP client that loses the answer of one request, counted from 1; `requests` says how many there were."""

    def __init__(self, http: Any, which: int) -> None:
        self.http, self.which, self.requests = http, which, 0

    async def request(self, method: str, url: str, *, repeatable: bool | None = None, **more: Any) -> HttpResponse:
        self.requests += 1
        answer: HttpResponse = await self.http.request(method, url, repeatable=repeatable, **more)
        if self.requests == self.which:
            safe = method == "GET" if repeatable is None else repeatable
            raise (RetryableError if safe else AmbiguousError)("the answer was lost", code="answer_lost")
        return answer

    async def download(self, url: str, save: Any, **more: Any) -> Any:
        return await self.http.download(url, save, **more)


class _Holding:
    """An HTTP client whose request never comes back."""

    def __init__(self, http: Any) -> None:
        self.http, self.reached, self.again = http, anyio.Event(), 0

    async def request(self, method: str, url: str, **_: Any) -> HttpResponse:
        self.again += self.reached.is_set()
        self.reached.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def download(self, url: str, save: Any, **_: Any) -> Any:
        return await self.request("GET", url)

    def swallowed(self, left: int) -> bool:
        """Tell whether the plugin went on: with another request, or in tasks of its own."""
        return self.again > 0 or left > 0


async def _settled(tasks: int) -> int:
    """Give how many tasks are left beyond those that were there before."""
    for _ in range(10):
        await anyio.lowlevel.checkpoint()
    return len(anyio.get_running_tasks()) - tasks


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


def _demand_plain(call: Call) -> None:
    try:
        again = from_json(orjson.loads(orjson.dumps(to_json(call))), Call)
    except Exception as error:  # orjson and cattrs have many ways to say that a value is not plain
        fail(f"the call {call.action} is not plain data: {error}", "JSON in `body`", "put ids and text into it only")
    if again != call:
        fail(
            f"the call {call.action} changes on its journey through JSON",
            "the same call",
            "use lists, not tuples, in `body`",
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
