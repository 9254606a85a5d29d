"""PostgreSQL as a store: several processes on one database, and a server that goes away at any moment."""

import asyncio
import random
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from attrs import define, field

from channelry.model import Event, Received, Request
from channelry.services import SystemClock
from channelry_desk import postgresql, worker
from channelry_desk.arrivals import Arrivals
from channelry_desk.database import Database
from channelry_desk.errors import StoreError
from channelry_desk.grants import SYSTEM
from channelry_desk.intake import Intake
from channelry_desk.moments import HOUR
from channelry_desk.postgresql import Postgres
from channelry_desk.schema import SCRIPTS
from channelry_desk.store import Store, open_store
from channelry_desk.writer import commit

from .conftest import START, House, Provider, message, missing, opened
from .postgresql import MissingError, Server, answers, made_database, own_server, running_server

pytestmark = pytest.mark.anyio

READY_SECONDS = 5.0
ROUNDS = 3
WRITERS = 8
NEVER = b"\0never\0"


@pytest.fixture
def url(postgresql_server: str) -> Iterator[str]:
    with made_database(postgresql_server) as made:
        yield made


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    made = await open_store(Postgres(url))
    await made.write(lambda db: db.execute("CREATE TABLE t (x BIGINT PRIMARY KEY CHECK (x > 0), y TEXT)").rowcount)
    yield made
    await made.close()


def insert(db: Database, x: int) -> int:
    return db.execute("INSERT INTO t VALUES (?, 'here')", (x,)).rowcount


async def numbers(store: Store) -> list[int]:
    return await store.read(lambda db: [x for (x,) in db.execute("SELECT x FROM t ORDER BY x")])


async def test_a_statement_is_run_for_each_of_many_values_in_their_order(store: Store) -> None:
    def work(db: Database) -> list[Any]:
        db.executemany("INSERT INTO t VALUES (?, ?)", [(1, "one"), (2, "two")])
        db.executemany("UPDATE t SET y = y || ?2 WHERE x = ?1", [(1, "!"), (1, "?")])
        db.executemany("DELETE FROM t WHERE x = ?", [])
        return [tuple(row) for row in db.execute("SELECT x, y FROM t ORDER BY x")]

    assert await store.write(work) == [(1, "one!?"), (2, "two")]


async def test_a_transaction_that_failed_takes_no_statement_of_the_next_with_it(store: Store) -> None:
    """What is made for many values within a transaction is undone with it."""

    def broken(db: Database) -> None:
        db.executemany("INSERT INTO t VALUES (?, ?)", [(7, "seven")])
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await store.write(broken)
    await store.write(lambda db: db.executemany("INSERT INTO t VALUES (?, ?)", [(8, "eight")]))
    assert await numbers(store) == [8]


async def test_what_one_transaction_made_is_not_confused_with_what_is_made_after_a_failure(store: Store) -> None:
    """The function of the first statement is there still when the second one's is made."""
    await store.write(lambda db: db.executemany("INSERT INTO t VALUES (?, ?)", [(1, "one")]))
    with pytest.raises(ZeroDivisionError):
        await store.write(lambda db: 1 / 0)
    await store.write(lambda db: db.executemany("UPDATE t SET x = ? WHERE x = ?", [(2, 1)]))
    assert await numbers(store) == [2]


async def test_work_that_fails_alone_takes_no_statement_of_its_neighbours_with_it(store: Store, url: str) -> None:
    """What is made for many values after a savepoint is undone with it."""

    def work(db: Database, xs: Sequence[int]) -> Sequence[int]:
        db.executemany("INSERT INTO t VALUES (?, ?)", [(x, "") for x in xs])
        return xs

    db = await asyncio.to_thread(Postgres(url).writer)
    (refused, one, two) = await asyncio.to_thread(commit, db, [(work, -1), (work, 1), (work, 2)])
    await asyncio.to_thread(db.close)
    assert isinstance(refused[1], asyncpg.CheckViolationError)
    assert (one, two) == ((1, None), (2, None))
    assert await numbers(store) == [1, 2]


async def test_a_newer_schema_is_refused_with_the_next_step(store: Store, url: str) -> None:
    await store.write(lambda db: db.execute("UPDATE channelry_schema SET version = ?", (len(SCRIPTS) + 1,)).rowcount)
    with pytest.raises(StoreError, match="pip install --upgrade channelry-desk"):
        await open_store(Postgres(url))


async def test_a_server_that_is_not_there_is_named_and_its_password_never(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"postgresql://eve@127\.0\.0\.1:1/desk: cannot be opened") as caught:
        await open_store(Postgres("postgresql://eve@127.0.0.1:1/desk", "s3cret"))
    told = f"{caught.value!r} {caught.value.__cause__!r} {Postgres('postgresql://eve@h/desk', 's3cret')!r}"
    assert "s3cret" not in told


async def test_opening_it_by_several_processes_at_once_makes_the_schema_once(url: str) -> None:
    stores = await asyncio.gather(*(open_store(Postgres(url)) for _ in range(4)))
    versions = await asyncio.gather(
        *(one.read(lambda db: db.execute("SELECT version FROM channelry_schema").fetchall()) for one in stores)
    )
    assert [[tuple(row) for row in rows] for rows in versions] == [[(len(SCRIPTS),)]] * 4
    for one in stores:
        await one.close()


async def test_what_is_checked_and_then_written_holds_though_many_processes_write(store: Store, url: str) -> None:
    """Each adds one to a number that it has read: no addition is lost."""

    def add(db: Database) -> None:
        (x,) = db.execute("SELECT max(x) FROM t").fetchone()
        db.execute("INSERT INTO t VALUES (?, '')", (x + 1,))

    await store.write(partial(insert, x=1))
    other = await open_store(Postgres(url))
    await asyncio.gather(*(one.write(add) for _ in range(50) for one in (store, other)))
    await other.close()
    assert await numbers(store) == list(range(1, 102))


async def test_a_writer_that_waited_sees_what_was_written_meanwhile(store: Store, url: str) -> None:
    """Whatever isolation the database gives to those who ask for none."""
    name = url.partition("?")[0].rpartition("/")[2]
    isolation = f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
    await store.write(lambda db: db.execute(isolation).rowcount)
    one, other = await asyncio.to_thread(Postgres(url).writer), await asyncio.to_thread(Postgres(url).writer)
    await asyncio.to_thread(one.begin)
    waiting = asyncio.create_task(asyncio.to_thread(other.begin))
    locks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not await store.read(lambda db: db.execute(locks).fetchall()):  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)
    await asyncio.to_thread(insert, one, 1)
    await asyncio.to_thread(one.commit)
    await waiting
    assert (await asyncio.to_thread(other.execute, "SELECT x FROM t")).fetchone()[0] == 1
    for db in (one, other):
        await asyncio.to_thread(db.close)


async def test_arrivals_are_recorded_by_indexes_though_there_are_no_statistics(store: Store) -> None:
    """As after an upgrade of the server; nobody has looked at what a transaction has written only."""
    many = 20_000
    intake = Intake({}, HOUR)
    raw = Request("POST", "/", (), b"", START)
    arrived = [
        Received(raw, (message(f"p{n}", "hi", key=key),), connection="post")
        for n, key in [(n, f"k{n}") for n in range(1, 40)] + [(1, "k1")]
    ]
    filled = (
        "INSERT INTO profiles SELECT n, 'post', 'post', 'p' || n, '', '', '', '', '', '', '', '', NULL, NULL, NULL, 0,"
        " NULL, NULL, NULL, 0 FROM {rows}",
        "INSERT INTO addresses SELECT 'post', 'post', 'p' || n, '', n FROM {rows}",
        "INSERT INTO conversations (connection, profile, place, surface, type, state, hold, description, version,"
        " opened_at, open_for, expires_at, last_message_at, worked, reason, language)"
        " SELECT 'post', n, '', 'direct', '', 'pending', '', '', 1, 0, 0, 9e18, 0, 0, '', '' FROM {rows}",
        "INSERT INTO messages (conversation, connection, key, direction, author, occurred_at, recorded_at, text)"
        " SELECT n, 'post', n, 'in', '', 0, 0, '' FROM {rows}",
        "INSERT INTO events (connection, key, type, subject, reference, occurred_at, payload, settled)"
        " SELECT 'post', n, '', n, '', 0, '', 0 FROM {rows}",
        "UPDATE profiles SET seen = E'post\\x1f' || value || E'\\x1f\\x1f' || initcap(value)"
        " || E'\\x1f\\x1f\\x1f\\x1f'",
    )

    def work(db: Database) -> list[Any]:
        for statement in filled:
            db.execute(statement.format(rows=f"generate_series(1, {many}) AS numbers (n)"))
        read = "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname <> 'state'"
        before = {tuple(row) for row in db.execute(read)}
        assert Arrivals(intake).record(db, arrived) == [1] * 39 + [0]
        return [row for row in db.execute(read) if tuple(row) not in before]

    assert await store.write(work) == []


async def test_connections_that_the_server_ended_while_they_rested_are_opened_again(store: Store) -> None:
    await store.write(partial(insert, x=1))
    assert await numbers(store) == [1]
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
    with suppress(StoreError):  # it ends itself too
        await store.write(lambda db: db.execute(f"{ended} AND pid <> pg_backend_pid()").rowcount)
        await store.read(lambda db: db.execute(f"{ended} AND pid <> pg_backend_pid()").rowcount)
    await store.write(partial(insert, x=2))
    assert await numbers(store) == [1, 2]


async def test_a_process_that_hangs_within_a_transaction_holds_up_the_others_for_a_limited_time(
    url: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "COMMAND_SECONDS", 0.5)
    hanging = await asyncio.to_thread(Postgres(url).writer)
    await asyncio.to_thread(hanging.begin)
    assert await asyncio.wait_for(store.write(partial(insert, x=1)), 10) == 1
    with pytest.raises(asyncpg.PostgresError):
        await asyncio.to_thread(hanging.execute, "SELECT 1")
    await asyncio.to_thread(hanging.close)


@define(eq=False)
class Cable:
    """What lies between us and the server: it can swallow everything, or break when a word is answered."""

    target: str
    swallows: bool = False
    cut_after: bytes = NEVER
    port: int = 0
    _open: list[asyncio.StreamWriter] = field(factory=list)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_unix_connection(self.target)
        self._open += [writer, there[1]]
        with suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer, answers=True))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool = False) -> None:
        while piece := await reader.read(65_536):
            if self.swallows:
                continue
            if answers and self.cut_after in piece:
                break
            writer.write(piece)
            await writer.drain()
        for one in self._open:
            one.close()


@asynccontextmanager
async def cable(postgresql_server: str, url: str) -> AsyncIterator[tuple[Cable, str]]:
    """Give a cable to the server, and the URL of a database through it."""
    connection = await asyncpg.connect(postgresql_server)
    folder, port = await connection.fetchrow(
        "SELECT split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port')"
    )
    await connection.close()
    made = Cable(f"{folder.strip()}/.s.PGSQL.{port}")
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname())
    name = url.rpartition("/")[2].partition("?")[0] if "?host" not in url else url.partition("?")[0].rpartition("/")[2]
    async with server:
        yield made, f"postgresql://postgres@{address}/{name}?sslmode=disable"


async def test_a_server_that_vanishes_fails_what_waits_and_is_found_again(
    postgresql_server: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "COMMAND_SECONDS", 3.0)
    monkeypatch.setattr(postgresql, "CONNECT_SECONDS", 3.0)
    async with cable(postgresql_server, url) as (line, through):
        store = await open_store(Postgres(through))
        await store.write(lambda db: db.execute("CREATE TABLE t (x BIGINT, y TEXT)").rowcount)
        line.swallows = True
        with pytest.raises(StoreError):
            await asyncio.wait_for(store.write(partial(insert, x=1)), 10)
        line.swallows = False
        assert await asyncio.wait_for(store.write(partial(insert, x=2)), 10) == 1
        assert await numbers(store) == [2]
        await store.close()


async def test_a_commit_whose_answer_was_lost_is_redelivered_and_stored_once(
    tmp_path: Path, postgresql_server: str, url: str
) -> None:
    clock: Any = SystemClock()
    async with (
        cable(postgresql_server, url) as (line, through),
        opened(tmp_path, clock, Provider(), database=through) as house,
    ):
        event = message("ada", "once")
        line.cut_after = b"COMMIT"
        assert await house.deliver(event) == 503
        line.cut_after = NEVER
        assert await house.deliver(event) == 200
        assert [tuple(row) for row in await house.rows("SELECT text FROM messages")] == [("once",)]
        assert await _is(house, "SELECT count(*) FROM journal", 1)


@asynccontextmanager
async def two_houses(folder: Path, url: str, *, work: tuple[bool, bool]) -> AsyncIterator[tuple[House, House]]:
    """Open two desks, as two processes would, on one database and with one provider."""
    provider = Provider()
    clock: Any = SystemClock()
    async with (
        opened(folder, clock, provider, database=url, work=work[0]) as one,
        opened(folder, clock, provider, database=url, work=work[1]) as other,
    ):
        yield one, other


async def until(condition: Any, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.01)


async def test_what_one_process_queues_wakes_the_worker_of_another(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL", 3600.0)
    async with two_houses(tmp_path, url, work=(False, True)) as (serving, working):
        listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        await until(lambda: _is(serving, listening, 1))
        assert await serving.deliver(message("known", "hello")) == 200
        await until(lambda: _is(serving, "SELECT count(*) FROM jobs", 0))
        await serving.desk.service.conversations.reply(by=SYSTEM, conversation=1, text="hi", key="k")
        await until(lambda: _is(serving, "SELECT count(*) FROM calls WHERE state = 'accepted'", 1))
    assert working.provider.taken == ["k/0"]


async def _is(house: House, question: str, answer: int) -> bool:
    ((found,),) = await house.rows(question)
    return bool(found == answer)


async def test_two_processes_store_each_message_once_and_send_each_reply_once(tmp_path: Path, url: str) -> None:
    async with two_houses(tmp_path, url, work=(True, True)) as houses:
        events: list[Event] = [message(f"p{n % 10}", f"text {n}") for n in range(60)]
        statuses = await asyncio.gather(*(house.deliver(event) for event in events for house in houses))
        assert set(statuses) == {200}
        assert await _is(houses[0], "SELECT count(*) FROM messages", 60)
        assert await _is(houses[0], "SELECT count(*) FROM conversations", 10)
        for n in range(60):
            service = houses[n % 2].desk.service.conversations
            await service.reply(by=SYSTEM, conversation=n % 10 + 1, text="hi", key=f"k{n}")
        await until(lambda: _is(houses[1], "SELECT count(*) FROM calls WHERE state = 'accepted'", 60))
        assert await _is(houses[0], "SELECT max(token) FROM calls", 1)
        taken = houses[0].provider.taken
    assert Counter(taken) == {f"k{n}/0": 1 for n in range(60)}
    for lane in range(10):
        order = [int(key[1:-2]) for key in taken if int(key[1:-2]) % 10 == lane]
        assert order == sorted(order)


@pytest.fixture
def mortal() -> Iterator[Server]:
    try:
        with own_server(durable=True) as server:
            yield server
    except MissingError as error:
        missing(error)


async def test_a_server_killed_at_any_moment_loses_nothing_that_was_acknowledged(
    tmp_path: Path, mortal: Server
) -> None:
    chance = random.Random(0)
    acknowledged: set[str] = set()
    statuses: Counter[int] = Counter()

    async def write(house: House, name: str) -> None:
        """Write as a customer, each message again and again until it is acknowledged."""
        for number in count():
            event = message(name, f"{name} {number}")
            while (status := await house.deliver(event)) != 200:
                statuses[status] += 1
                await asyncio.sleep(0.05)
            acknowledged.add(event.text)

    async def goes_on() -> None:
        before = len(acknowledged)
        async with asyncio.timeout(READY_SECONDS):
            while len(acknowledged) < before + WRITERS:  # noqa: ASYNC110 - who writes tells nobody
                await asyncio.sleep(0.01)

    clock: Any = SystemClock()
    async with opened(tmp_path, clock, Provider(), database=mortal.url) as house:
        writers = [asyncio.create_task(write(house, f"c{number}")) for number in range(WRITERS)]
        for _ in range(ROUNDS):
            await asyncio.sleep(chance.uniform(0.3, 0.6))
            refused = statuses.total()
            mortal.stop(signal.SIGKILL)
            while statuses.total() == refused:  # noqa: ASYNC110 - the server's children outlive it for a moment
                await asyncio.sleep(0.01)
            await asyncio.to_thread(mortal.start)
            await goes_on()
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        stored = Counter(text for (text,) in await house.rows("SELECT text FROM messages"))
    assert set(statuses) == {503}
    assert acknowledged <= set(stored)
    assert max(stored.values()) == 1


async def test_tests_can_start_a_server_of_their_own(mortal: Server) -> None:
    assert await asyncio.to_thread(answers, mortal.url)
    assert str(mortal.folder) in mortal.url


def test_where_postgresql_is_missing_tests_are_skipped_but_fail_in_continuous_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter(()))
    monkeypatch.setenv("CHANNELRY_POSTGRESQL", "postgresql://postgres@127.0.0.1:1/postgres")
    with pytest.raises(MissingError, match="apt-get install postgresql") as caught, running_server():
        pass
    for ci, outcome in (("true", pytest.fail.Exception), ("", pytest.skip.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match="PostgreSQL is not here"):
            missing(caught.value)
