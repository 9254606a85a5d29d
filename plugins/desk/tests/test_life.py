"""Random agents, customers, channels and time against a simple model of the rules, on both stores."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import pytest
from attrs import define, field
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from channelry.model import Surface, Thread
from channelry_desk.errors import DeskError
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.moments import MINUTE
from channelry_desk.policies import Policy
from channelry_desk.queries import Stream
from channelry_desk.values import Conversation

from .conftest import House, Opening

_Result = TypeVar("_Result")

PATIENCE = {"post": 24 * 3600, "second": 2 * 3600}
WRAP_UP = {"post": 300, "second": 0}
LEADS = {
    "accept": {"pending": "active"},
    "reject": {"pending": "closed"},
    "release": {"active": "pending", "waiting": "pending"},
    "assign": {"pending": "active", "active": "active", "waiting": "active"},
    "route": {"pending": "pending", "active": "pending", "waiting": "pending"},
    "hold": {"active": "waiting"},
    "resume": {"waiting": "active"},
    "end": {"active": "wrap-up", "waiting": "wrap-up"},
    "close": {"pending": "closed", "active": "closed", "waiting": "closed", "wrap-up": "closed"},
}
ACTS = (*LEADS, "describe", "reply", "read", "accept", "accept", "hold", "hold", "end", "describe")
"""What leads on to more is tried more often."""
EXAMPLES = 100
WHOEVER = 5
"""Stands for who has the conversation, else who can take it."""


@define(eq=False)
class Talk:
    """What the model knows of a conversation; times in seconds."""

    number: int
    connection: str
    customer: str
    social: bool
    deadline: float
    state: str = "pending"
    owner: int | None = None
    queue: int | None = None
    described: bool = False
    reason: str = ""
    version: int = 1
    worked: float = 0.0
    since: float | None = None

    def is_over(self, now: float) -> bool:
        return self.state == "closed" or now > self.deadline

    def move(self, state: str, owner: int | None, now: float, reason: str = "") -> None:
        if self.since is not None:
            self.worked += now - self.since
        self.since = now if state in ("active", "wrap-up") else None
        self.state, self.owner, self.reason = state, owner, reason
        self.version += 1

    def expire(self, now: float) -> None:
        if self.state != "closed" and self.is_over(now):
            self.move("closed", self.owner, now, "done" if self.state == "wrap-up" else "inactive")


@define(eq=False)
class World:
    """The desk under test, who works there, and the loop that it runs in."""

    house: House
    loop: asyncio.AbstractEventLoop
    users: list[User] = field(factory=list)
    queue: int = 0
    customers: int = 0

    def do(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return self.loop.run_until_complete(work)


class Life(RuleBasedStateMachine):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.service = world.house.desk.service.conversations
        self.talks: list[Talk] = []
        world.customers += 1
        self.name = f"x{world.customers}"

    @property
    def now(self) -> float:
        return self.world.house.clock.now().timestamp()

    # Customers and time

    @rule(customer=st.sampled_from("ab"), connection=st.sampled_from(sorted(PATIENCE)), social=st.booleans())
    def a_customer_writes(self, customer: str, connection: str, social: bool) -> None:
        self.world.customers += 1
        key, who = f"m{self.world.customers}", f"{self.name}{customer}"
        more = {"surface": Surface.COMMENT, "thread": Thread(root="p", private=False, depth=1)} if social else {}
        number = self.world.do(self._write(connection, who, key, more))
        talk = next((one for one in self.talks if self._is_open(one, who, connection) and not social), None)
        if talk is None:
            for one in self.talks:
                if not social and self._is_at(one, who, connection):
                    one.expire(self.now)
            talk = Talk(number, connection, who, social, 0.0)
            self.talks.append(talk)
        assert number == talk.number
        talk.deadline = self.now + PATIENCE[connection]
        if talk.state == "waiting":
            there = any(user.id == talk.owner and user.present for user in self.world.users)
            talk.move("active" if there else "pending", talk.owner if there else None, self.now)

    async def _write(self, connection: str, who: str, key: str, more: dict[str, Any]) -> int:
        from .conftest import message

        house = self.world.house
        assert await house.deliver(message(who, "hi", key=key, **more), connection=connection) == 200
        ((number,),) = await house.rows("SELECT conversation FROM messages WHERE key = ?", key)
        return int(number)

    def _is_open(self, talk: Talk, who: str, connection: str) -> bool:
        return self._is_at(talk, who, connection) and not talk.is_over(self.now)

    def _is_at(self, talk: Talk, who: str, connection: str) -> bool:
        """Tell whether a customer's direct messages belong to a conversation that has not ended."""
        return (talk.customer, talk.connection, talk.social) == (who, connection, False) and talk.state != "wrap-up"

    @rule(seconds=st.sampled_from([1, 60, 60, 299, 301, 301, 3600, 2 * 3600, 2 * 3600 + 1, 24 * 3600 + 1]))
    def time_passes(self, seconds: int) -> None:
        self.world.do(self.world.house.clock.advance(seconds))

    @rule()
    def the_clock_is_looked_at(self) -> None:
        self.world.do(self.world.house.desk.worker.sweep())
        for talk in self.talks:
            talk.expire(self.now)

    @rule(who=st.integers(0, 4), present=st.booleans())
    def somebody_comes_or_goes(self, who: int, present: bool) -> None:
        people, user = self.world.house.desk.service.people, self.world.users[who]
        self.world.do(people.be_present(by=user, present=present))
        self.world.users[who] = self.world.do(people.read(by=SYSTEM, user=user.id))

    # Agents

    @precondition(lambda self: self.talks)
    @rule(
        acts=st.lists(
            st.tuples(
                st.sampled_from(ACTS), st.sampled_from([*range(5), *[WHOEVER] * 9]), st.integers(0, 4),
                st.sampled_from([-1, -1, -1, 0, 1, 2]), st.sampled_from([0] * 5 + [1]),
            ),
            min_size=1, max_size=8,
        )
    )  # fmt: skip
    def agents_act(self, acts: list[tuple[str, int, int, int, int]]) -> None:
        for act in acts:
            self._act(*act)
            self.the_desk_and_the_model_agree()

    def _act(self, act: str, who: int, to: int, which: int, stale: int) -> None:
        talk = self.talks[which % len(self.talks)]
        by, recipient = self._somebody(who, talk), self.world.users[to]
        given: dict[str, Any] = {"by": by, "conversation": talk.number}
        if act == "assign":
            given["to"] = recipient.id
        if act == "route":
            given["queue"] = self.world.queue
        if act in ("describe", "reply"):
            given["text"] = "a parcel"
        if act not in ("reply", "read"):
            given["version"] = talk.version - stale
        expected = self._expected(act, by, recipient, talk, stale)
        refused = nullcontext() if expected is None else pytest.raises(DeskError)
        with refused as error:
            self.world.do(getattr(self.service, act)(**given))
        assert (None if error is None else error.value.code) == expected

    def _somebody(self, who: int, talk: Talk) -> User:
        if who != WHOEVER:
            return self.world.users[who]
        first = self.world.users[0 if talk.queue is None else 2]
        return next((user for user in self.world.users if user.id == talk.owner), first)

    def _expected(self, act: str, by: User, to: User, talk: Talk, stale: int) -> str | None:
        """Give the code of the refusal, or apply the act to the model."""
        works, supervises = Access.CHAT_CENTER in by.access, Access.DASHBOARD in by.access
        mine = works and talk.owner == by.id
        takes = works and (talk.connection in by.connections if talk.queue is None else talk.queue in by.queues)
        directs = mine or supervises or (talk.state == "pending" and takes)
        if act == "assign" and not (Access.CHAT_CENTER in to.access and talk.connection in to.connections):
            return "not_granted"
        if act == "route" and talk.social:
            return "unsupported"
        if act == "accept" and talk.state == "active" and mine and not talk.is_over(self.now):
            return None
        past = talk.state == "closed" and any(
            one.owner == by.id and one.customer == talk.customer and one.state != "closed" for one in self.talks
        )  # who has to answer a customer reads what was said before
        rights = {"accept": takes, "reject": takes, "read": directs or past} | dict.fromkeys(
            ("release", "assign", "route"), directs
        )
        if not rights.get(act, mine):
            return "not_granted"
        if act == "read":
            return None
        if act != "describe" and talk.is_over(self.now):
            return "closed"
        if act == "reply":
            return "closed" if talk.state == "wrap-up" else None
        if stale and not (act == "accept" and talk.state != "pending"):
            return "conflict"
        if act == "describe":
            talk.described = True
            talk.version += 1
            return None
        state = LEADS[act].get(talk.state)
        if state is None:
            return "conflict"
        if act == "end" and not WRAP_UP[talk.connection]:
            state = "closed"
        if act in ("end", "close") and state == "closed" and not talk.described:
            return "undescribed"
        owner = {"accept": by.id, "assign": to.id}.get(act, None if state == "pending" else talk.owner)
        reason = {"reject": "rejected"}.get(act, "done") if state == "closed" else ""
        talk.move(state, owner, self.now, reason)
        if act == "route":
            talk.queue = self.world.queue
        if state == "wrap-up":
            talk.deadline = self.now + WRAP_UP[talk.connection]
        return None

    # What must hold

    @invariant()
    def the_desk_and_the_model_agree(self) -> None:
        for talk in self.talks:
            found = self.world.do(self.world.house.read(talk.number))
            assert self._told(found) == (
                talk.state, talk.owner, talk.queue, talk.version, talk.reason, talk.described,
                round(talk.worked + (0 if talk.since is None else self.now - talk.since)),
            )  # fmt: skip

    def _told(self, found: Conversation) -> tuple[Any, ...]:
        return (
            found.state, found.assignee and found.assignee.id, found.queue and found.queue.id, found.version,
            found.reason, found.description != "",
            round(found.duration(self.world.house.clock.now()).total_seconds()),
        )  # fmt: skip

    def teardown(self) -> None:
        numbers = {talk.number: talk for talk in self.talks}
        for by in self.world.users:
            if Access.CHAT_CENTER in by.access:
                self._lists(by, numbers)

    def _lists(self, by: User, numbers: dict[int, Talk]) -> None:
        """The three lists of an agent are disjoint, and what the model says."""
        listed = {}
        for which in Stream:
            page = self.world.do(self.service.stream(by=by, which=which, limit=len(numbers) or 1))
            listed[which] = {one.id for one in page.rows} & set(numbers)
        takes = {
            number for number, talk in numbers.items()
            if (talk.connection in by.connections if talk.queue is None else talk.queue in by.queues)
        }  # fmt: skip
        assert listed[Stream.OPEN] == {number for number in takes if numbers[number].state == "pending"}
        mine = {number for number, talk in numbers.items() if talk.owner == by.id}
        assert listed[Stream.MINE] == {number for number in mine if numbers[number].state != "closed"}
        closed = {number for number, talk in numbers.items() if talk.state == "closed"}
        assert listed[Stream.CLOSED] == (closed if Access.DASHBOARD in by.access else closed & mine)


@contextmanager
def running(opening: Opening) -> Iterator[World]:
    """Keep a house open in a task of its own, beside which others run."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        ready: asyncio.Future[World] = loop.create_future()
        stopped = asyncio.Event()

        async def live() -> None:
            async with opening() as house:
                ready.set_result(await furnished(house, loop))
                await stopped.wait()

        living = loop.create_task(live())
        loop.run_until_complete(asyncio.wait({living, ready}, return_when=asyncio.FIRST_COMPLETED))
        yield ready.result()
        stopped.set()
        loop.run_until_complete(living)


async def furnished(house: House, loop: asyncio.AbstractEventLoop) -> World:
    """Make the users, the queue and the policies."""
    catalogue = house.desk.service.catalogue
    queue = (await catalogue.create_queue(by=SYSTEM, name="parcels")).id
    for connection, seconds in PATIENCE.items():
        policy = Policy(
            connection=connection, open_for=seconds * MINUTE // 60, wrap_up=WRAP_UP[connection] * MINUTE // 60
        )
        await catalogue.set_policy(by=SYSTEM, policy=policy)
    users = [
        await house.user("Ann"),
        await house.user("Bea", connections=["post"]),
        await house.user("Cid", connections=[], queues=[queue]),
        await house.user("Sue", Access.CHAT_CENTER, Access.DASHBOARD),
        await house.user("Ada", Access.ADMINISTRATION),
    ]
    return World(house, loop, users, queue)


@pytest.mark.row("D26")
@pytest.mark.row("A9")
@pytest.mark.row("A30")
@pytest.mark.row("D29")
def test_random_lives_follow_the_rules_on_both_stores(opening: Opening, database: str) -> None:
    examples = EXAMPLES if database.endswith(".db") else EXAMPLES // 5  # a server takes longer for each step
    with running(opening) as world:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: Life(world),
            settings=settings(
                max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
