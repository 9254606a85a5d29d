"""A customer is given all that is kept of them, and is erased in every copy."""

from collections.abc import AsyncIterator

import attrs
import orjson
import pytest

from channelry.model import (
    Activity,
    Address,
    Kind,
    Media,
    MessageDeleted,
    MessageEdited,
    Profile,
    ReactionChanged,
    Received,
    Request,
)
from channelry_desk import tasks
from channelry_desk.database import Database
from channelry_desk.erasure import _pattern, erase, mentions
from channelry_desk.errors import NotFoundError, NotGrantedError
from channelry_desk.grants import SYSTEM, Access
from channelry_desk.hooks import NewTask, StoredTask, TaskKind
from channelry_desk.search import Wanted
from channelry_desk.values import Customer

from .conftest import START, House, message

pytestmark = pytest.mark.anyio

CANARY = "zqcanary"
"""In everything that somebody wrote, is called or is reached by."""
TABLES = (
    "journal", "dead_letters", "customers", "companies", "customer_words", "matches", "profiles", "addresses", "visits",
    "conversations", "field_values", "notes", "tasks", "messages", "events", "reactions", "media", "jobs", "calls",
    "files", "log", "words", "state",
)  # fmt: skip


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def everywhere(house: House) -> set[str]:
    """Name the tables in which the canary stands in a column that is no permanent key, and the folder."""
    found = set()
    for table in TABLES:
        for row in await house.desk.store.read(lambda db, table=table: db.rows(f"SELECT * FROM {table}")):  # type: ignore[misc]
            for column, value in dict(row).items():
                text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                if CANARY in text and column not in ("key", "external_id", "subject"):
                    found.add(table)
    if any(CANARY.encode() in one.read_bytes() for one in house.desk.folder.path.iterdir()):
        found.add("folder")
    return found


async def lived(house: House) -> tuple[Customer, int]:
    """Let a customer leave traces in every table; give them and their conversation."""
    service, clock = house.desk.service, house.desk.worker
    phone = Address("phone", "302101234567")
    eve = Profile(address=Address("post", f"{CANARY}-1"), name=f"Eve {CANARY}", aliases=(phone,))
    await house.deliver(
        Activity(key="a", occurred_at=START, sender=eve, name="page", values={"url": CANARY}),
        message("x", f"hello {CANARY}", key="m", profile=eve, parts=(Media(kind=Kind.IMAGE, id="1", name=CANARY),)),
        raw=[{"type": "Mystery", "sender": f"{CANARY}-1"}],
    )
    number = await house.conversation()
    reaction = ReactionChanged(key="r", occurred_at=START, sender=eve.address, external_id="m", emoji=CANARY)
    await house.deliver(reaction)
    edit = MessageEdited(
        key="ed", occurred_at=START, sender=Address("post", "x"), external_id="m", text=f"new {CANARY}"
    )
    await house.deliver(edit)  # told by an address that is nobody's
    await clock.do_errands()
    await clock.settle()
    customer = await service.customers.create(
        by=SYSTEM, first_name=CANARY, last_name="Ng", email=f"{CANARY}@example.org", conversation=number
    )
    await service.conversations.describe(by=SYSTEM, conversation=number, text=CANARY)
    await service.details.note(by=SYSTEM, conversation=number, text=CANARY)
    field = await service.catalogue.create_field(by=SYSTEM, name="f")
    await service.details.set_fields(by=SYSTEM, conversation=number, values={field.id: CANARY})
    await house.desk.store.write(lambda db: _task_of_a_ticket_system(db, number))
    file = await service.files.upload(by=SYSTEM, title=CANARY, content=pieces(CANARY.encode()))
    await service.conversations.reply(by=SYSTEM, conversation=number, text=CANARY, key="out")
    await house.send()
    await service.conversations.reply(by=SYSTEM, conversation=number, text=f"{CANARY} unsent", key="later")
    await house.desk.store.write(
        lambda db: (
            db.execute(
                "INSERT INTO media (message, part, connection, payload, state, file, reason)"
                " SELECT id, 0, 'post', '{}', 'stored', ?, '' FROM messages WHERE key = 'out:out'",
                (file.ref,),
            )
            and None
        )
    )
    await clock.index()
    return customer, number


def _judged(db: Database, conversation: int) -> None:
    db.execute("UPDATE conversations SET language = 'el', sentiment = -0.5 WHERE id = ?", (conversation,))


def _task_of_a_ticket_system(db: Database, conversation: int) -> None:
    stored = StoredTask(reference="T-1", kind=TaskKind.CASE, title=CANARY)
    task = NewTask(key="t", kind=TaskKind.CASE, title=CANARY, text=CANARY, conversation="")
    tasks.create(db, SYSTEM, conversation, task, "tickets", stored, 0)


async def test_a_customer_is_erased_in_every_copy_and_a_redelivery_is_no_new_message(house: House) -> None:
    await house.written("ann", "untouched")
    customer, number = await lived(house)
    await house.desk.store.write(lambda db: _judged(db, number))
    assert await everywhere(house) >= {
        "journal", "customers", "customer_words", "profiles", "addresses", "visits", "conversations", "field_values",
        "notes", "tasks", "messages", "events", "reactions", "media", "calls", "files", "words", "folder",
    }  # fmt: skip
    ((letters,),) = await house.rows("SELECT count(*) FROM dead_letters WHERE settled_at IS NULL")
    assert letters == 1
    await house.desk.service.customers.erase(by=SYSTEM, customer=customer.id, why="they asked")
    await house.desk.worker.do_errands()
    await house.desk.worker.settle()
    assert await everywhere(house) == set()
    ((letters,),) = await house.rows("SELECT count(*) FROM dead_letters WHERE settled_at IS NULL")
    assert letters == 0
    await house.send()
    assert {one.partition("/")[0] for one in house.provider.taken} == {"out"}
    seen = await house.read(number)
    assert (seen.language, seen.sentiment) == ("", None)
    assert (seen.closed_at is not None, seen.title, seen.address.value) == (True, "Anonymous", "")
    eve = Profile(address=Address("post", f"{CANARY}-1"), name=f"Eve {CANARY}")
    await house.deliver(message("x", f"hello {CANARY}", key="m", profile=eve))
    assert await everywhere(house) == set()
    others = await house.desk.service.search.conversations(by=SYSTEM, wanted=Wanted(text="untouched"))
    assert [one.last_text for one in others.rows] == ["untouched"]
    changes = await house.desk.service.log.after(by=SYSTEM)
    assert ("erased", "they asked") in {(one.what, one.why) for one in changes}


async def test_an_export_has_all_that_was_said_and_noted(house: House) -> None:
    customer, _ = await lived(house)
    given = await house.desk.service.customers.export(by=SYSTEM, customer=customer.id)
    written = orjson.dumps(given).decode()
    assert given["customer"]["email"] == f"{CANARY}@example.org"
    (conversation,) = given["conversations"]
    assert [one["text"] for one in conversation["messages"]] == [f"new {CANARY}", CANARY, f"{CANARY} unsent"]
    assert [one["text"] for one in conversation["details"]["notes"]] == [CANARY]
    assert given["profiles"][0]["visits"][0]["name"] == "page"
    assert "302101234567" in written


async def test_somebody_whom_nobody_recognized_is_erased_by_their_profile(house: House) -> None:
    number = await house.written("eve", CANARY)
    await house.desk.service.customers.erase(by=SYSTEM, profile=(await house.read(number)).profile)
    assert await everywhere(house) == set()


async def test_what_comes_while_somebody_is_looked_for_is_erased_too(house: House) -> None:
    await house.written("eve", "first")
    profile = (await house.read()).profile
    found = await house.desk.store.read(lambda db: mentions(db, [profile], None))
    eve = Profile(address=Address("post", "eve"), name="")
    visit = Activity(key="late", occurred_at=START, sender=eve, name="page", values={"url": CANARY})
    await house.deliver(visit, raw=[{"type": "Mystery", "sender": "eve", "text": CANARY}])
    assert await everywhere(house) >= {"events", "journal"}
    await house.desk.store.write(lambda db: erase(db, SYSTEM, [profile], None, found, "", 0))
    assert await everywhere(house) == set()


async def test_a_file_that_somebody_else_was_sent_too_stays_theirs(house: House) -> None:
    service = house.desk.service
    file = attrs.evolve(
        await service.files.upload(by=SYSTEM, title="price list", content=pieces(b"prices")), kind=Kind.DOCUMENT
    )
    numbers = [await house.written(who) for who in ("eve", "ann")]
    for number in numbers:
        await service.conversations.reply(by=SYSTEM, conversation=number, parts=[file])
    for number, left in zip(numbers, (1, 0), strict=True):
        await service.customers.erase(by=SYSTEM, profile=(await house.read(number)).profile)
        await house.desk.worker.do_errands()
        await house.desk.worker.settle()
        assert len(list(house.desk.folder.path.iterdir())) == left


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_message_that_is_taken_back_leaves_the_whole_request(house: House, method: str) -> None:
    path = f"/hooks/post?text={CANARY}"
    request = Request(method, path, ((b"x-text", CANARY.encode()),), CANARY.encode(), house.clock.now())
    await house.desk.record(Received(request, (message("eve", CANARY, key="m"),), connection="post"))
    assert "journal" in await everywhere(house)
    await house.deliver(MessageDeleted(key="d", occurred_at=START, external_id="m"))
    assert await everywhere(house) == set()


async def test_only_administrators_export_and_erase(house: House) -> None:
    agent = await house.user("Eve", Access.CHAT_CENTER, Access.DASHBOARD)
    customer, _ = await lived(house)
    with pytest.raises(NotGrantedError):
        await house.desk.service.customers.erase(by=agent, customer=customer.id)
    with pytest.raises(NotGrantedError):
        await house.desk.service.customers.export(by=agent, customer=customer.id)
    with pytest.raises(NotFoundError):
        await house.desk.service.customers.erase(by=SYSTEM, customer=99)


def test_an_address_is_found_in_a_forms_encoding_and_not_within_another() -> None:
    named = _pattern({"302101234567", "a@example.org"})
    assert named is not None
    found = [b"From=%2B302101234567&x", b'{"from":"302101234567"}', b"from=a%40example.org", b"+302101234567"]
    missed = [b'{"from":"3021012345678"}', b"1302101234567", b"aa@example.org", b"a@example.orgs"]
    assert all(named.search(one) for one in found)
    assert not any(named.search(one) for one in missed)
    assert _pattern(set()) is None
