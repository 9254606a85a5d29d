"""The rules about a channel's accounts: several of them, their registration, credentials, files and listeners."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import anyio
import orjson
import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError, SendError
from channelry.model import Announced, Media, Received, Request

from .bench import PUBLIC_URL, Bench, origins, raised
from .conformance import Grade, fail, inline, not_declared, rule, run
from .http import AsgiHttp
from .mutation import mutated
from .payloads import Payload, event_differences
from .plugin_rules import with_canaries
from .receiving import posted
from .running import RunningRules
from .samples import FILE

MOST_ANSWERS = 500
"""How many mutated answers of the provider are tried."""


class AccountRules(RunningRules):
    """What holds for the accounts of a channel."""

    def held(self, simulator: Any) -> Media | None:
        """Have the simulator hold a file of a customer's with the content `FILE`, and name it as `parse` would.

        A channel with the hook `fetch` overrides this.
        """
        return None

    @rule("accounts", Grade.SILVER)
    def test_two_accounts_live_side_by_side(
        self, bench: Bench, another: Bench | None, simulator: Any, second: Any
    ) -> None:
        """Two connections of one channel send with their own credentials and take no webhook that the other's secrets
        signed; events bear the account that they came to.

        Why: two numbers, two bots, two pages are usual. Mend: keep everything in `self`, nothing in the module or the
        class. The fixture `second` gives the simulator of the other account.
        """
        if another is None:
            fail(
                f"{type(self).__name__} names no second account",
                "a fixture `second` that gives a simulator with another account and other secrets",
                "add it beside the fixture `simulator`",
            )
        for one, own, other in ((bench, simulator, second), (another, second, simulator)):
            event = self.message(one, own, "to whom?")
            account = getattr(one.plugin, "account", "")
            if account and event.account != account:
                fail(f"an event bears the account {event.account!r}", repr(account), "read it from the webhook")
            if one.has("verify"):
                theirs = posted(other, other.message(self.customer, "hello"))
                if inline(one.accepts, theirs, doing=f"{one.name}.verify"):
                    fail("a webhook of the other account's secret is accepted", "RejectedError", "keep secrets in self")
        if bench.has("send"):
            run(lambda: self._send_both(bench, another, simulator, second), doing=lambda: another.doing)

    async def _send_both(self, bench: Bench, another: Bench, simulator: Any, second: Any) -> None:
        async with bench.opened(), another.opened():
            for one, own, other in ((bench, simulator, second), (another, second, simulator)):
                for place, target, carried in self.targets(one, own):
                    counts = len(own.ledger.taken), len(other.ledger.taken)
                    try:
                        await self._message_sent(one, target, carried, f"kit-{place}-account")
                    except AuthError as error:
                        fail(f"one of two accounts is refused: {error}", "each with its own credentials")
                    if (len(own.ledger.taken) == counts[0]) or len(other.ledger.taken) != counts[1]:
                        fail("a message goes out by the other account", "each by its own", "keep everything in self")

    @rule("check", Grade.GOLD)
    def test_check_tells_credentials_that_are_not_good(self, bench: Bench, simulator: Any) -> None:
        """After `setup`, `check` finds nothing wrong and sends nothing; with other credentials it raises AuthError.

        Why: `channelry check` is how a user finds a wrong token before a customer does. Mend: ask the provider who we
        are, and map its answer as `send` does.
        """
        if not bench.has("check"):
            not_declared("it has no hook `check`")

        async def main() -> None:
            async with bench.opened():
                self._connect(bench, simulator)
                await bench.tried("setup", PUBLIC_URL)
                taken = len(simulator.ledger.taken)
                error = await raised(bench.call("check"))
                if error is not None:
                    fail(f"`check` finds fault with a good account: {error}", "nothing", "mend it, or the simulator")
                if len(simulator.ledger.taken) != taken:
                    fail("`check` sends something that customers see", "calls that change nothing", "ask who we are")
                config = with_canaries(bench.plugin.config)
                if config != bench.plugin.config:
                    stranger = Bench(type(bench.plugin)(config), bench.services)
                    error = await raised(stranger.call("check"))
                    if not isinstance(error, AuthError):
                        fail(f"with other credentials `check` says {error!r}", "AuthError", "map its refusal")

        run(main, doing=lambda: bench.doing)

    @rule("setup", Grade.GOLD)
    def test_setup_registers_the_webhook(self, bench: Bench, simulator: Any) -> None:
        """`setup` registers the URL that it is given, answers the provider's own call back, can be run again, and with
        other credentials raises an error of the taxonomy.

        Why: `channelry setup` is run while the server serves, and again after every move. Mend: register exactly the
        `url`, as a call that may be repeated.
        """
        if not bench.has("setup"):
            not_declared("it has no hook `setup`")

        async def main() -> None:
            async with bench.opened():
                refused = self._connect(bench, simulator)
                for _ in range(2):
                    seen = len(simulator.ledger.entries)
                    error = await raised(bench.call("setup", PUBLIC_URL))
                    if error is not None:
                        fail(f"`setup` fails: {error}", "the URL registered", "mend it, or the simulator")
                    bodies = b"".join(entry.body + entry.path.encode() for entry in simulator.ledger.entries[seen:])
                    if b"care.example.com" not in bodies:
                        fail("`setup` does not name the URL to the provider", PUBLIC_URL, "register the `url` given")
                if refused:
                    fail(f"the provider's call back is rejected: {refused[0]}", "2xx", "verify and answer handshakes")
                config = with_canaries(bench.plugin.config)
                if config != bench.plugin.config:
                    stranger = Bench(type(bench.plugin)(config), bench.services)
                    if await raised(stranger.call("setup", PUBLIC_URL)) is None:
                        fail("`setup` with other credentials says nothing", "an error", "map the provider's refusal")

        run(main, doing=lambda: bench.doing)

    def _connect(self, bench: Bench, simulator: Any) -> list[str]:
        """Let the simulator post to the plugin, as while the server serves; give what was refused."""
        refused: list[str] = []

        async def post(request: Request) -> int:
            request = evolve(request, public_url=request.public_url or PUBLIC_URL)
            if bench.has("verify") and not bench.accepts(request):
                refused.append(f"{request.method} {request.path}")
                return 401
            return bench.parse(request).answer.status

        simulator.post = post
        return refused

    @rule("media", Grade.GOLD)
    def test_a_customers_file_is_fetched(self, bench: Bench, simulator: Any) -> None:
        """`fetch` saves exactly the file's bytes and tells its size; a file that is gone, or has neither id nor link,
        is a PermanentError, and nothing is saved.

        Why: agents open what customers send; what is gone must not be asked for for ever. Mend: stream by
        `services.http.download`. Override `held` so that the kit can have the simulator hold a file.
        """
        if not bench.has("fetch"):
            not_declared("it has no hook `fetch`")
        media = self.held(simulator)
        if media is None:
            fail(
                f"{type(self).__name__}.held gives no file",
                "a Media as `parse` gives it, whose content the simulator holds",
                "override held(self, simulator) and have the simulator hold channelry_testing.FILE",
            )

        async def main() -> None:
            async with bench.opened():
                saved = list[bytes]()

                async def save(piece: bytes) -> None:
                    saved.append(piece)

                fetched = await bench.call("fetch", media, save)
                if b"".join(saved) != FILE:
                    fail(f"{len(b''.join(saved))} bytes are saved of {len(FILE)}", "the file", "stream it into `save`")
                if fetched.size != len(FILE):
                    fail(f"the fetched file's size is {fetched.size}", f"{len(FILE)}", "tell what the download says")
                saved.clear()
                gone: dict[str, Any] = {"id": f"{media.id}0"} if media.id else {"url": f"{media.url}0"}
                for what, missing in (("gone", gone), ("nameless", {"id": "", "url": ""})):
                    try:
                        await bench.call("fetch", evolve(media, **missing), save)
                    except PermanentError:
                        pass
                    except SendError as error:
                        fail(f"a file that is {what} is {type(error).__name__}: {error}", "PermanentError")
                    else:
                        fail(f"a file that is {what} is fetched", "PermanentError")
                if saved:
                    fail("something is saved of a file that is gone", "nothing", "save only what was found")

        run(main, doing=lambda: bench.doing)

    @rule("profiles", Grade.SILVER)
    def test_who_wrote_is_looked_up(self, bench: Bench, simulator: Any) -> None:
        """`profile` gives the profile of somebody who wrote, under the same address, and None or an error of the
        taxonomy for a stranger.

        Why: agents see names. Mend: map the provider's answer; keep the address that was asked for.
        """
        if not bench.has("profile"):
            not_declared("it has no hook `profile`")

        async def main() -> None:
            async with bench.opened():
                address = self.message(bench, simulator, "who am I?").sender.address
                found = await bench.call("profile", address)
                if found is None or found.address != address:
                    fail(f"`profile` of {address} is {found}", "a Profile with this address")
                await raised(bench.call("profile", evolve(address, value=f"{address.value}0")))

        run(main, doing=lambda: bench.doing)

    @rule("expands", Grade.SILVER)
    def test_what_is_announced_becomes_what_was_written_for_it(
        self, bench: Bench, simulator: Any, recorded: Sequence[Payload], mutants: int
    ) -> None:
        """Of each recorded payload that only announces something, `expand` makes exactly the events of its file
        (`expanded`) from what the provider answers (`answers`), with other keys than the announcement's and the same
        ones each time; of answers that are mutated it makes events, or raises an error of the taxonomy.

        Why: it is tried again after a failure, and a broken answer must neither lose the message for ever nor harm
        others. Mend: read the provider's answer as `parse` reads a webhook (`channelry.parsing`); key by its ids.
        """
        if not bench.has("expand"):
            not_declared("it has no hook `expand`")
        announcing = [one for one in recorded if any(isinstance(event, Announced) for event in one.events)]
        if not announcing:
            fail("no recorded payload announces anything", "one that `expand` is asked about", "record it")
        chance = Random(0)

        async def main() -> None:
            async with bench.opened():
                for payload in announcing:
                    await self._expand(bench, simulator, payload)
                    for _ in range(min(mutants, MOST_ANSWERS) // len(announcing) if payload.answers else 0):
                        await self._expand_mutant(bench, simulator, payload, chance)

        run(main, doing=lambda: bench.doing)

    async def _expand(self, bench: Bench, simulator: Any, payload: Payload) -> None:
        if payload.expanded is None:
            fail(
                f"{payload.name} does not say what `expand` makes of it",
                '"answers" (what the provider tells, by method and path) and "expanded" (the events) in the file',
                "write both from the provider's documentation",
            )
        known = {name: orjson.dumps(answer) for name, answer in payload.answers.items()}
        seen = len(simulator.ledger.entries)
        found, again = [await _answered(bench, simulator, known).expanded(payload.events) for _ in range(2)]
        if lines := event_differences(found, payload.expanded):
            asked = {f"{entry.method} {entry.path.partition('?')[0]}" for entry in simulator.ledger.entries[seen:]}
            beside = f"; {', '.join(sorted(asked))} is asked and not in its `answers`" if asked else ""
            told = f"{payload.name}, expanded: {'; '.join(lines)}{beside}"
            fail(told, "what the file says", "mend `expand`, or the file")
        if found != again:
            fail(f"{payload.name} is expanded to something else the second time", "the same events", "keep no state")
        announced = {event.key for event in payload.events if isinstance(event, Announced)}
        if shared := announced & {event.key for event in found if not isinstance(event, Announced)}:
            fail(f"{payload.name}: expanded it has the announcement's own key {shared}", "another key", "add to it")

    async def _expand_mutant(self, bench: Bench, simulator: Any, payload: Payload, chance: Random) -> None:
        told = {name: mutated(orjson.dumps(answer), chance) for name, answer in payload.answers.items()}
        try:
            await raised(_answered(bench, simulator, told).expanded(payload.events))
        except pytest.fail.Exception as failure:
            failure.msg = f"{failure.msg}\n  of the answers {told!r:.400}"
            raise

    @rule("listens", Grade.GOLD)
    def test_a_listener_delivers_and_can_be_stopped(self, bench: Bench, simulator: Any) -> None:
        """While `listen` runs, what a customer writes is delivered once as a `Received` that `parse` gives again; it
        ends when it is cancelled.

        Why: it is the only way in for what no webhook brings, and replay knows it only as a request. Mend: wrap what
        was read in a `Request` and `parse` it; move the cursor after `deliver` has returned.
        """
        if not bench.has("listen"):
            not_declared("it has no hook `listen`")

        async def main() -> None:
            found = list[Received]()

            async def deliver(received: Received) -> None:
                found.append(received)

            async with bench.opened():
                with anyio.move_on_after(2):
                    async with anyio.create_task_group() as group:
                        group.start_soon(bench.call, "listen", deliver)
                        await anyio.sleep(0.05)
                        simulator.message(self.customer, "hello")
                        for _ in range(100):
                            if any(one.events for one in found):
                                break
                            await anyio.sleep(0.01)
                        group.cancel_scope.cancel()
            if not found and bench.has("verify"):
                not_declared("with this configuration its messages come by webhook")
            if not found:
                fail("what a customer writes is not delivered within a second", "it delivered")
            for received in found:
                if bench.parse(received.request).events != received.events:
                    fail("`parse` gives other events of a delivered request", "the same", "deliver what `parse` gives")

        run(main, doing=lambda: bench.doing)


def _answered(bench: Bench, simulator: Any, told: Mapping[str, bytes]) -> Bench:
    """Let the provider's API answer what was recorded, by method and path; all else the simulator answers."""

    async def provider(scope: Any, receive: Any, send: Any) -> None:
        body = told.get(f"{scope['method']} {scope['path']}")
        if body is None:
            return await simulator.app(scope, receive, send)  # type: ignore[no-any-return]
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        return await send({"type": "http.response.body", "body": body})  # type: ignore[no-any-return]

    return Bench(bench.plugin, evolve(bench.services, http=AsgiHttp(dict.fromkeys(origins(bench.plugin), provider))))
