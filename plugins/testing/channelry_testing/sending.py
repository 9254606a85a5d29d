"""The rules about what is sent: actions, calls, receipts, errors."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote_plus

import orjson
from attrs import evolve

from channelry.codec import from_json, to_json
from channelry.errors import PermanentError, SendError
from channelry.model import (
    Audience,
    Call,
    Capabilities,
    Delete,
    Edit,
    Hide,
    Kind,
    Outbound,
    React,
    Receipt,
    SendMessage,
    Target,
    Thread,
)

from .bench import Bench
from .conformance import Grade, fail, not_declared, rule, run
from .guard import watching_purity
from .receiving import TEXTS, ReceivingRules
from .samples import SENDABLE, excesses, sample

PLACES = ("private", "public", "aside")
"""Where an action goes: a private conversation, a public answer, a private answer to a public message."""


class SendingRules(ReceivingRules):
    """What holds for `compose`, `send` and `reconcile`."""

    def sample(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities) -> Outbound:
        """Give an action of a kind; override it where the provider wants more (a template that it knows).

        `ours` is the provider's id of a message that was sent to `target` before; theirs is `target.reply_to`.
        """
        return sample(kind, target, ours, capabilities)

    def action(self, kind: Kind, target: Target, ours: str, capabilities: Capabilities, key: str) -> Outbound:
        """Give the action of `sample` under a key, its text unlike any other: some providers refuse a repetition."""
        made = evolve(self.sample(kind, target, ours, capabilities), key=key)
        return evolve(made, text=f"{made.text} {key}") if isinstance(made, SendMessage) and made.text else made

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
        return await self._sent(bench, self.action(kind, target, target.reply_to, carried, key))

    @rule("sends", Grade.SILVER)
    def test_everything_declared_is_sent(self, bench: Bench, simulator: Any) -> None:
        """For each kind in `capabilities.sends` (and `.public`, `.aside`) an example is composed and sent, is taken by
        the simulator, and gives a receipt per call; the receipt of a message names its id. What is done to a message
        that is not the last (an edit, a reaction) names that message to the provider.

        Why: what is declared is offered to agents. Mend: send it, or declare it no more; what an action changes is its
        `external_id`, whatever its target answers. Where the provider wants special content (a template it knows),
        override `sample`; where it is public, `target`.
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
                ours = await self._sent_before(bench, target, carried, f"kit-before-{place}-{kind}")
                outbound = self.action(kind, target, ours, carried, f"kit-{place}-{kind}")
                changed, naming = "", set[str]()
                if isinstance(outbound, Edit | Delete | React | Hide):  # what is read is a conversation to many
                    changed, latest = outbound.external_id, self.target(place, bench, simulator)
                    ours = await self._sent_before(bench, latest, carried, f"kit-then-{place}-{kind}")
                    newer = self.action(kind, latest, ours, carried, outbound.key)
                    outbound = evolve(outbound, target=latest)
                    naming = _words(changed) & (_told(bench, outbound) - _told(bench, newer))
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
                requested = " ".join(
                    f"{entry.path} {entry.body.decode(errors='replace')}" for entry in simulator.ledger.entries[seen:]
                )
                if changed and not naming & _words(requested):
                    fail(
                        f"{kind} ({place}) of the message {changed!r} does not name it to the provider",
                        "the message of `external_id`, whatever is newer",
                        "take outbound.external_id, not target.reply_to and not what was sent last",
                    )
                if isinstance(outbound, SendMessage):
                    if len(simulator.ledger.taken) == taken:
                        fail(f"{kind} ({place}) is not in `ledger.taken`", "what customers see", "mend the simulator")
                    if not any(receipt.external_ids for receipt in receipts):
                        fail(f"the receipts of {kind} ({place}) name no id", "the provider's ids", "read its answer")

    async def _sent_before(self, bench: Bench, target: Target, carried: Capabilities, key: str) -> str:
        """Send a message to have one, and give its id."""
        receipts = await self._message_sent(bench, target, carried, key)
        return next((one for receipt in receipts for one in receipt.external_ids), "")

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
        emoji = "".join(chr(0x1F600 + number * number % 61) for number in range(carried.text + 1))
        full = ("word " * carried.text)[: carried.text - 1] + "."
        for what, text, pieces in (
            ("as long as declared", full, 1),
            ("one longer than declared", full + "x", 2),
            ("of emoji beyond the limit", emoji[: carried.text // carried.unit.measure("😀") + 1], 2),
        ):
            before = len(simulator.ledger.taken)
            try:
                await self._sent(bench, SendMessage(key=f"kit-{place}-{pieces}-{what}", target=target, text=text))
            except SendError as error:
                if place == "aside" and pieces > 1:
                    continue  # it is one message by its nature
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
                    outbound = self.action(kind, target, target.reply_to, carried, f"kit-{kind}-{number}")
                    calls = composed(bench, outbound)
                    for call in calls:
                        _demand_plain(call)
                    keys += [call.key for call in calls]
            if Kind.TEXT in carried.sends:
                long = SendMessage(key="kit-long", target=target, text="word " * carried.text)
                keys += [call.key for call in composed(bench, long)]
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
                once = composed(bench, outbound)
                with watching_purity() as found:
                    again = composed(bench, outbound)
                if found:
                    fail(f"compose of {kind} reads {', '.join(sorted(set(found)))}", "no such read")
                if list(once) != list(again):
                    fail(f"compose of {kind} gives other calls the second time", "the same calls", "keep no state")

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
                            if "\0" in text or (place == "aside" and carried.unit.measure(text) > carried.text):
                                continue  # what goes aside is one message by its nature
                            raise
                        found = " ".join(one.text for one in simulator.ledger.taken[before:])
                        if found.split() != text.split() and "".join(found.split()) != "".join(text.split()):
                            fail(f"{text[:40]!r} goes as {found[:40]!r} ({place})", "the same text", "change nothing")

        run(main, doing=lambda: bench.doing)


def composed(bench: Bench, outbound: Outbound) -> Sequence[Call]:
    """Compose; nothing where it is refused, of which another rule tells."""
    try:
        return bench.compose(outbound)
    except SendError:
        return ()


def _told(bench: Bench, outbound: Outbound) -> set[str]:
    """Give the words of an action's calls."""
    return _words(" ".join(f"{call.action} {orjson.dumps(call.body).decode()}" for call in composed(bench, outbound)))


def _words(text: str) -> set[str]:
    """Take a text apart: ids are written in parts here and there (a chat's, a message's)."""
    return set(re.findall(r"\w+", unquote_plus(text)))


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
