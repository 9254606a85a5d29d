"""The desk with a million conversations: what a page costs, and what a webhook costs more than with ten thousand."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import people
import sample
from measure import Figure
from stores import CONNECTIONS, FEW, MANY, NOW, Kept, Stored

from channelry.config import load_configuration
from channelry.hub import open_hub
from channelry_desk import queries, search
from channelry_desk.database import Database
from channelry_desk.desk import without_worker
from channelry_desk.fill import AGENTS, LONG_TALKS, TAGS, VOCABULARY, word
from channelry_desk.grants import Access, User
from channelry_desk.moments import DAY, moment
from channelry_desk.queries import Stream
from channelry_desk.search import Wanted
from channelry_desk.sqlite import Sqlite
from channelry_desk.states import ConversationState

WEBHOOKS = 3_000
AT_ONCE = 32


# Pages


def conversation_page(stored: Stored) -> Figure:
    """A conversation with its last 50 messages; every second has as many."""

    def read(db: Database, random: Random) -> None:
        number = random.randrange(MANY)
        number = 1 + (number - number % LONG_TALKS if random.random() < 0.5 else number)
        queries.conversation(db, number)
        queries.messages(db, number, 50, "")

    return _percentile(stored, "a conversation and its messages", 99, 20.0, [read] * 500)


def lists(stored: Stored) -> Figure:
    """An agent's lists, in turn."""

    def read(db: Database, random: Random, which: Stream) -> None:
        agent = User(
            id=random.randint(1, AGENTS), name="", access=frozenset({Access.CHAT_CENTER}),
            connections=frozenset(CONNECTIONS), queues=frozenset({1, 2}),
        )  # fmt: skip
        queries.stream(db, agent, which, None, 50, "")

    return _percentile(stored, "an agent's lists", 99, 50.0, [partial(read, which=which) for which in Stream] * 100)


def any_two_filters(stored: Stored) -> Figure:
    """All Conversations by every pair of filters, rare words among them."""
    pairs = [partial(_search, kinds=pair) for pair in combinations(FILTERS, 2)]
    return _percentile(stored, "All Conversations, any two filters", 99, 200.0, pairs * 10)


def common_words(stored: Stored) -> Figure:
    """All Conversations by words that stand in up to all messages, alone and with each filter."""
    kinds = [("common",), *(("common", kind) for kind in FILTERS if kind != "words")]
    return _percentile(
        stored, "All Conversations, common words", 95, 500.0, [partial(_search, kinds=one) for one in kinds] * 20
    )


def _search(db: Database, random: Random, kinds: Sequence[str]) -> None:
    wanted: dict[str, Any] = {}
    for kind in kinds:
        wanted |= FILTERS[kind](random) if kind != "common" else {"text": word(random.randint(1, 20))}
    search.found(db, Wanted(**wanted), 50, "")


RARE = 20
"""The first word of the vocabulary that 1 % of messages have, or fewer."""


def _day(random: Random) -> Any:
    return moment(NOW - random.randint(0, 365 * DAY))


FILTERS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "connection": lambda random: {"connections": [random.choice(CONNECTIONS)]},
    "from": lambda random: {"opened_from": _day(random)},
    "to": lambda random: {"opened_to": _day(random)},
    "week": lambda random: {"opened_from": (day := _day(random)), "opened_to": day + timedelta(days=7)},
    "customer": lambda random: {"customer": random.randint(1, MANY // 10)},
    "user": lambda random: {"user": random.choice(("agent1@", "ada", "zoë a", "agent4"))},
    "tag": lambda random: {"tags": [random.randint(1, TAGS)]},
    "subject": lambda random: {"subject": random.randint(1, 39)},
    "state": lambda random: {"state": random.choice(list(ConversationState))},
    "number": lambda random: {"number": f"C-{random.randint(1, MANY):06}"},
    "words": lambda random: {"text": word(int(RARE * (VOCABULARY / RARE) ** random.random()))},
}


def _percentile(
    stored: Stored, name: str, percent: int, goal: float, reads: Sequence[Callable[[Database, Random], None]]
) -> Figure:
    """Time reads, each on a snapshot of its own, in milliseconds."""
    random, took = Random(1), []
    with stored(MANY) as engine:
        db = engine.reader()
        for read in random.sample(reads, len(reads)):
            began = time.perf_counter()
            db.begin()
            read(db, random)
            db.rollback()
            took.append((time.perf_counter() - began) * 1000)
        db.close()
    worst = statistics.quantiles(took, n=100)[percent - 1]
    found = f"p{percent} {worst:.1f} ms (median {statistics.median(took):.1f})"
    return Figure(name, found, f"≤ {goal:.0f} ms", worst <= goal)


# Intake


def intake(stored: Stored) -> Figure:
    """What a webhook of somebody known costs with many stored, of what it costs with few."""
    costs = []
    for count in (FEW, MANY):
        with stored(count) as engine, tempfile.TemporaryDirectory() as scratch:
            costs.append(asyncio.run(_webhooks(engine, Path(scratch))))
    few, many = costs
    found = f"{many / few:.2f} ({many * 1e6:.0f} µs : {few * 1e6:.0f} µs)"
    return Figure("intake with a million stored", found, "≤ 2.5", many / few <= 2.5)


async def _webhooks(engine: Kept, scratch: Path) -> float:
    """Give the seconds of one webhook, the median of three rounds after one that makes the people known."""
    file = scratch / "channelry.toml"
    database = str(engine.file) if isinstance(engine, Sqlite) else engine.url
    file.write_text(people.configuration(scratch, database=database).replace("PORT", "8080"))
    rounds, began_at = [], time.time_ns()
    async with open_hub(load_configuration(file), without_worker) as hub:
        for turn in range(4):
            bodies = [sample.webhook(one, f"many.{began_at}.{turn}.{one}") for one in range(WEBHOOKS)]
            began = time.perf_counter()
            for first in range(0, WEBHOOKS, AT_ONCE):
                some = bodies[first : first + AT_ONCE]
                await asyncio.gather(*(hub.receive("support", people.request(body)) for body in some))
            rounds.append((time.perf_counter() - began) / WEBHOOKS)
    return statistics.median(rounds[1:])


FIGURES: Mapping[str, Callable[[Stored], Figure]] = {
    "intake": intake,
    "conversation": conversation_page,
    "lists": lists,
    "filters": any_two_filters,
    "words": common_words,
}
