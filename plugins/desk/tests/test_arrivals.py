"""What arrives together is recorded as one after the other would be: the usual by few statements, the rest in turn."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from attrs import evolve

from channelry.model import Address, Event, Kind, Media, MessageEdited, Profile, Received, Request, Surface, Thread
from channelry_desk import fulltext
from channelry_desk.arrivals import Arrivals
from channelry_desk.config import DeskConfig
from channelry_desk.database import Database, Given
from channelry_desk.grants import SYSTEM

from .conftest import START, House, message

pytestmark = pytest.mark.anyio

EVE = Profile(address=Address("post", "eve"), name="Eve")
RECORD = """
SELECT m.connection, m.key, m.external_id, p.value, p.name, c.place, m.text, m.occurred_at, m.recorded_at,
    m.edited_at, j.connection, j.body, c.state, c.last_message_at, c.last_customer_at, c.last_inbound_at, c.expires_at
FROM messages m JOIN conversations c ON c.id = m.conversation JOIN profiles p ON p.id = c.profile
LEFT JOIN journal j ON j.id = m.journal ORDER BY m.connection, m.key
"""
TABLES = ("conversations", "profiles", "messages", "journal", "log", "jobs", "events", "dead_letters")


def request(number: int, *events: Event, connection: str = "post") -> Received:
    raw = Request("POST", f"/hooks/{connection}", (), b"[%d]" % number, START + timedelta(seconds=number))
    return Received(raw, events, connection=connection)


def arrivals() -> list[Received]:
    thread = Thread(root="p", depth=1)
    edit = MessageEdited(key="edit", occurred_at=START, sender=EVE.address, external_id="k1", text="one, edited")
    events: list[tuple[Event, ...]] = [
        (message("eve", "one", key="k1", profile=EVE, external_id="x1"),),
        (message("eve", "two", key="k2", profile=EVE, occurred_at=START - timedelta(hours=1)),),
        (message("eve", "two", key="k2", profile=EVE),),  # redelivered
        (message("bob", "held", key="k3"),),  # his conversation waits for him
        (message("new", "who?", key="k4"),),
        (message("new", "me", key="k5"),),
        (evolve(edit, external_id="x1"),),
        (message("eve", "three", key="k6", profile=EVE, external_id="early"),),  # something about it came before
        (message("eve", "called otherwise", key="k7", profile=evolve(EVE, name="Eva")),),
        (message("eve", "a comment", key="k8", profile=EVE, surface=Surface.COMMENT, thread=thread),),
        (message("eve", "four", key="k9", profile=EVE), message("bob", "five", key="k10")),
        (message("eve", "nul \0", key="k11", profile=EVE),),
        (message("cyd", "barred", key="k12"),),
        (message("ann", "too late", key="k13"),),  # a day after her last message
    ]
    return [request(number, *each) for number, each in enumerate(events)] + [
        request(90, message("eve", "six", key="k1", profile=EVE), connection="second"),
        request(91),
    ]


async def acquaint(house: House) -> None:
    """Let everybody be known as the arrivals expect."""
    await house.clock.advance(-25 * 3600)
    await house.deliver(message("ann", "a day ago", key="a"))
    await house.clock.advance(25 * 3600 - 60)
    await house.deliver(message("eve", "hello", key="e", profile=EVE))
    await house.deliver(message("eve", "hello", key="e", profile=EVE), connection="second")
    await house.deliver(
        MessageEdited(key="early edit", occurred_at=START, sender=EVE.address, external_id="early", text="3, edited")
    )
    await house.deliver(message("cyd", "hello", key="c"))
    ((cyd,),) = await house.rows("SELECT id FROM profiles WHERE value = 'cyd'")
    await house.desk.service.customers.bar(by=SYSTEM, profile=cyd, why="spam")
    await house.deliver(message("bob", "hello", key="b"))
    held = await house.conversation()
    await house.desk.service.conversations.accept(by=SYSTEM, conversation=held)
    await house.desk.service.conversations.hold(by=SYSTEM, conversation=held)


def kept(db: Database) -> list[Any]:
    """Give the record, and how many rows there are of everything."""
    counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES]
    return [tuple(row) for row in db.execute(RECORD)] + counts


async def test_requests_that_came_together_are_recorded_as_one_after_the_other(house: House) -> None:
    await acquaint(house)
    intake, arrived = house.desk.intake, arrivals()

    def compare(db: Database) -> None:
        db.execute("SAVEPOINT one")
        news = [intake.record(db, one) for one in arrived]
        singly = kept(db)
        db.execute("ROLLBACK TO one")
        assert list(Arrivals(intake).record(db, arrived)) == news == [1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 2, 1, 0, 1, 1, 0]
        assert kept(db) == singly

    await house.desk.store.write(compare)


def anything(chance: Random, number: int) -> Received:
    """Make a request, mostly of one usual message; few keys and ids, so that many come again."""
    who, key = chance.choice(["eve"] * 6 + ["ann", "bob", "cyd", "new"]), f"k{chance.randrange(400)}"
    profile = Profile(address=Address("post", who), name=chance.choice([who.title()] * 9 + ["Other"]))
    known = chance.choice([key] * 8 + ["early", "x"])
    said = message(who, f"{number} \0", key=key, profile=profile, external_id=known,
                   occurred_at=START + timedelta(hours=chance.randrange(9)))  # fmt: skip
    edit = MessageEdited(key=f"e{key}", occurred_at=START, sender=profile.address, external_id=known, text="edited")
    comment = evolve(said, surface=Surface.COMMENT, thread=Thread(root="p", depth=1))
    events = chance.choice([(said,)] * 16 + [(edit,), (comment,), (said, evolve(said, key=f"{key}'")), ()])
    return request(number, *events, connection=chance.choice(["post"] * 5 + ["second"]))


async def test_what_one_person_sends_at_once_is_shown_in_its_order(house: House) -> None:
    """A picture is not usual, and the text that follows it waits for it; another one's does not."""
    await acquaint(house)
    picture = message("eve", "", key="p", profile=EVE, parts=(Media(kind=Kind.IMAGE, id="1"),))
    sent = [message("eve", "look", key="l", profile=EVE), picture, message("eve", "nice?", key="n", profile=EVE)]
    arrived = [request(number, one) for number, one in enumerate(sent)]
    await house.desk.store.write(lambda db: Arrivals(house.desk.intake).record(db, arrived))
    rows = await house.rows("SELECT key FROM messages WHERE connection = 'post' AND key IN ('l', 'p', 'n') ORDER BY id")
    assert [key for (key,) in rows] == ["l", "p", "n"]


@pytest.mark.parametrize("seed", range(3))
async def test_any_requests_that_came_together_are_recorded_as_one_after_the_other_the_usual_first(
    house: House, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any moments of two days, so that conversations end between them; a batch finds what those before it left."""
    await acquaint(house)
    chance, intake, late = Random(seed), house.desk.intake, list[Received]()
    record = type(intake).record
    monkeypatch.setattr(type(intake), "record", lambda self, db, one: (late.append(one), record(self, db, one))[1])

    def compare(db: Database, arrived: Sequence[Received]) -> None:
        late.clear()
        db.execute("SAVEPOINT one")
        news = Arrivals(intake).record(db, arrived)
        together = everything(db)
        db.execute("ROLLBACK TO one")
        turns = [one for one in arrived if one not in late] + late
        singly = {one.request.body: record(intake, db, one) for one in turns}
        assert news == [singly[one.request.body] for one in arrived]
        assert together == everything(db)

    for size in (*[1] * 20, 5, 200, 40, 520, 30):
        numbers = chance.sample(range(2 * 86_400), size)
        batch = [anything(chance, number) for number in numbers]
        await house.desk.store.write(partial(compare, arrived=batch))


def everything(db: Database) -> list[Any]:
    """Give the record, the log, and how many messages have no request, and requests nothing."""
    log = db.execute("SELECT at, kind, what, why FROM log ORDER BY id").fetchall()
    lost = "SELECT count(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.id = m.journal)"
    kinds = " UNION ALL ".join(f"SELECT journal FROM {table}" for table in ("messages", "events", "dead_letters"))
    empty = f"SELECT count(*) FROM journal j WHERE NOT EXISTS (SELECT 1 FROM ({kinds}) AS k WHERE k.journal = j.id)"
    return [*kept(db), *map(tuple, log), *(db.execute(count).fetchone()[0] for count in (lost, empty))]


async def test_many_usual_messages_are_recorded_together_and_once(house: House) -> None:
    """More than one statement takes, each twice, in batches of many sizes."""
    await acquaint(house)
    made = Arrivals(house.desk.intake)
    arrived = [request(number, message("eve", str(number), key=f"n{number}", profile=EVE)) for number in range(150)]
    for batch in (arrived[:1], arrived[:4], arrived[4:], arrived):
        await house.desk.store.write(lambda db, batch=batch: list(made.record(db, batch)))
    found = await house.rows(
        "SELECT m.text, j.body FROM messages m JOIN journal j ON j.id = m.journal WHERE m.key LIKE 'n%'"
    )
    assert sorted(map(tuple, found)) == sorted((str(number), b"[%d]" % number) for number in range(150))
    assert await house.rows("SELECT count(*) FROM log WHERE what = 'received'") == [
        (await house.rows("SELECT count(*) FROM messages WHERE direction = 'in'"))[0]
    ]


@pytest.mark.parametrize("number", [0, 1, 3, 64, 201])
async def test_a_statement_finds_all_rows_that_it_is_given(house: House, number: int) -> None:
    given = [(n, f"{n} \U0001f600", bytes([n % 256])) for n in range(number)]
    insert = Given("a INTEGER, b TEXT, c BLOB", "INSERT INTO t (a, b, c) SELECT a, b, c FROM given")
    more = Given("a INTEGER, b TEXT, c BLOB", "UPDATE t SET a = t.a + 1 + g.a FROM given g")

    def work(db: Database) -> list[Any]:
        db.execute("CREATE TEMPORARY TABLE t (a BIGINT, b TEXT, c " + ("BLOB" if sqlite else "BYTEA") + ")")
        db.given((insert, given))
        db.given((more, given[:1]), (insert, []))
        found = [tuple(row) for row in db.execute("SELECT a, b, c FROM t ORDER BY a")]
        db.execute("DROP TABLE t")
        return found

    sqlite = "://" not in house.hub.configuration.section("desk", DeskConfig).database
    assert await house.desk.store.write(work) == [(n + 1, *rest) for n, *rest in given]


async def test_what_is_indexed_in_the_same_transaction_is_not_taken_for_a_message(house: House) -> None:
    """SQLite's index of words writes when a statement for several rows begins, which hid that one was not appended."""
    await acquaint(house)
    news = [request(number, message("eve", f"words {number}", key=f"w{number}", profile=EVE)) for number in range(4)]
    again = request(9, message("eve", "words 2", key="w2", profile=EVE))

    def work(db: Database) -> list[int]:
        assert fulltext.follow(db)
        return Arrivals(house.desk.intake).record(db, [*news, again])

    assert await house.desk.store.write(work) == [1, 1, 1, 1, 0]
    orphans = "SELECT count(*) FROM journal j WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.journal = j.id)"
    assert [tuple(row) for row in await house.rows(f"{orphans} AND j.body = ?", b"[9]")] == [(0,)]
