"""Many agents who accept from one queue at once: each conversation has one winner, and the losers are told who."""

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import people
import sample
import stores
from measure import Figure

from channelry.config import load_configuration
from channelry.hub import open_hub
from channelry.model import OK
from channelry_desk.desk import Desk, without_worker
from channelry_desk.errors import ConflictError
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.policies import Policy

AGENTS = 200
CONVERSATIONS = 10_000
AT_ONCE = 50
"""Webhooks that come at once before."""
TRIES = 2
"""Agents who want each conversation, at the same time."""


def winners() -> Figure:
    return _figure(f"{AGENTS} agents, one queue")


def winners_postgresql() -> Figure:
    with stores.empty_database() as url:
        return _figure(f"{AGENTS} agents, one queue, PostgreSQL", url)


def _figure(name: str, database: str = "") -> Figure:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "channelry.toml")
        file.write_text(people.configuration(Path(scratch), database=database).replace("PORT", "8080"))
        told, won, rate = asyncio.run(_race(file))
    met = won == CONVERSATIONS and told == (TRIES - 1) * CONVERSATIONS
    return Figure(name, f"{won} won, {told} told ({rate:.0f}/s)", "one each", met)


async def _race(file: Path) -> tuple[int, int, float]:
    """Give the losers who were told the winner's name, the conversations with one winner, and the tries a second."""
    async with open_hub(load_configuration(file), without_worker) as hub:
        desk = hub.sink
        assert isinstance(desk, Desk)
        agents = await _furnish(desk)
        for first in range(0, CONVERSATIONS, AT_ONCE):
            bodies = [sample.webhook(person, f"w.{person}") for person in range(first, first + AT_ONCE)]
            answers = await asyncio.gather(*(hub.receive("support", people.request(body)) for body in bodies))
            assert all(answer == OK for answer in answers)
        began = time.perf_counter()
        outcomes = await asyncio.gather(*(_work(desk, agent, n) for n, agent in enumerate(agents)))
        took = time.perf_counter() - began
        names = {agent.name for agent in agents}
        told = sum(any(name in reason for name in names) for _, reasons in outcomes for reason in reasons)
        accepted = Counter(number for numbers, _ in outcomes for number in numbers)
        return told, sum(count == 1 for count in accepted.values()), TRIES * CONVERSATIONS / took


async def _furnish(desk: Desk) -> list[User]:
    """Make the queue and its members."""
    service = desk.service
    queue = await service.catalogue.create_queue(by=SYSTEM, name="all")
    await service.catalogue.set_policy(by=SYSTEM, policy=Policy(route_to=queue.id))
    agents = []
    for n in range(AGENTS):
        user, _ = await service.people.invite(by=SYSTEM, email=f"{n}@example.org", first_name=f"Agent{n}.")
        granted = {"access": [Access.CHAT_CENTER], "queues": [queue.id]}
        agents.append(await service.people.grant(by=SYSTEM, user=user.id, **granted))
    return agents


async def _work(desk: Desk, agent: User, n: int) -> tuple[list[int], list[str]]:
    """Accept one after the other of a share that another agent wants too; give what was won, and the refusals."""
    won, refused = [], []
    share = TRIES * CONVERSATIONS // AGENTS
    for step in range(share):
        number = 1 + (n * share // TRIES + step) % CONVERSATIONS
        try:
            won.append((await desk.service.conversations.accept(by=agent, conversation=number)).id)
        except ConflictError as error:
            refused.append(str(error))
    return won, refused
