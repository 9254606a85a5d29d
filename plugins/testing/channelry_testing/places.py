"""The rules about where customers write: each such place is written from, and answered there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from attrs import evolve, frozen

from channelry.codec import to_json
from channelry.errors import SendError
from channelry.model import Audience, Capabilities, Kind, MessageReceived, Request, SendMessage, Surface, Target

from .bench import Bench
from .conformance import Grade, fail, not_declared, rule, run
from .payloads import Payload
from .sending import SendingRules, composed


@frozen
class Place:
    """Where a message stands: the name space of the address that is answered, the surface, who reads the thread."""

    scheme: str
    surface: Surface
    thread: str

    @classmethod
    def of(cls, message: MessageReceived) -> "Place":
        address, thread = message.reply_address or message.sender.address, message.thread
        return cls(
            address.scheme,
            message.surface,
            "no thread" if thread is None else "a private thread" if thread.private else "a public thread",
        )

    def __str__(self) -> str:
        return f"{self.scheme}, {self.surface}, {self.thread}"


class PlaceRules(SendingRules):
    """What holds wherever customers write."""

    def writings(self, simulator: Any) -> Iterable[Request]:
        """Write as the customer at each place but that of `message`: a group, a thread, a comment, a mention.

        A channel whose customers write at several places overrides this.
        """
        return ()

    @rule("places", Grade.SILVER)
    def test_an_answer_goes_where_the_customer_wrote(
        self, bench: Bench, simulator: Any, recorded: Sequence[Payload]
    ) -> None:
        """From each place that the recorded payloads come from (name space of the address, surface, thread and who
        reads it) the simulator's customer writes too; an answer to it is taken, and is another call than the answer
        to any other place.

        Why: a group's question that is answered to one of its members, or a comment that is answered in private, is
        answered to the wrong people. Mend: send to `target.to` and `target.thread`, and keep what the provider needs
        for it in the message's `context`. Where the simulator has other ways to write than `message`, override
        `writings`.
        """
        written = {Place.of(one): one for one in self._written(bench, simulator)}
        ours = getattr(bench.plugin, "account", "")
        shown = {
            Place.of(event): payload.name
            for payload in recorded
            for event in (*payload.events, *(payload.expanded or ()))
            if isinstance(event, MessageReceived) and (not ours or event.account in ("", ours))
        }
        if not written:
            fail("no message of the simulator's arrives", "one at least", "see what `parse` and `expand` make of it")
        if missing := shown.keys() - written.keys():
            fail(
                "; ".join(sorted(f"nothing is written at the place of {shown[one]} ({one})" for one in missing)),
                "a customer of the simulator at each place that a payload comes from",
                f"override {type(self).__name__}.writings with the simulator's other ways to write",
            )
        if len(written) == 1:
            not_declared("its customers write at one place")
        if bench.has("send") and bench.has("compose"):
            run(lambda: self._answer(bench, simulator, written), doing=lambda: bench.doing)

    def _written(self, bench: Bench, simulator: Any) -> list[MessageReceived]:
        """Give the messages that the simulator's ways to write become."""
        found: list[MessageReceived] = []
        for request in (simulator.message(self.customer, "hello"), *self.writings(simulator)):
            events = self.arrived(bench, simulator, request)
            found += [event for event in events if isinstance(event, MessageReceived)]
        return found

    async def _answer(self, bench: Bench, simulator: Any, written: Mapping[Place, MessageReceived]) -> None:
        """Answer at each place by the same words."""
        calls, readers = dict[bytes, Place](), dict[str, tuple[Place, Target]]()
        async with bench.opened():
            for place, message in written.items():
                target = Target.answering(message)
                if Kind.TEXT not in _carried(bench, target).sends:
                    continue
                answer = SendMessage(key="kit-place", target=target, text="hello from the kit")
                before = len(simulator.ledger.taken)
                try:
                    await self._sent(bench, answer)
                except SendError as error:
                    fail(f"the answer to {place} is refused: {type(error).__name__}: {error}", "it to be taken")
                if len(simulator.ledger.taken) == before:
                    fail(f"the answer to {place} is not in `ledger.taken`", "what is read there", "mend the simulator")
                twin, other = readers.setdefault(simulator.ledger.taken[-1].to, (place, target))
                if other.to != target.to:
                    fail(
                        f"answers to {twin} and to {place} both go to {simulator.ledger.taken[-1].to}",
                        f"the first to go to {other.to.value}, the second to {target.to.value}",
                        "use target.to",
                    )
                unquoted = evolve(target, reply_to="", reply_to_at=None)  # ids of messages differ, places must
                if made := composed(bench, evolve(answer, target=unquoted)):
                    twin = calls.setdefault(orjson.dumps(to_json(list(made))), place)
                    if twin is not place:
                        fail(
                            f"answers to {twin} and to {place} are the same calls",
                            "each to go where the customer wrote",
                            "use target.to, target.thread and target.context",
                        )


def _carried(bench: Bench, target: Target) -> Capabilities:
    """Give what the channel carries where a target is; nothing where it has no such place."""
    capabilities: Capabilities = bench.plugin.capabilities
    if target.audience is Audience.PRIVATE:
        return capabilities
    return capabilities.public or evolve(capabilities, sends=frozenset())
