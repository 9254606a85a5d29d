"""Incidents, cases and requests: kept here, or in a ticket system by its plugin."""

import pytest
from attrs import define, field, frozen

from channelry import hookimpl, plugin
from channelry.config import Entry
from channelry_desk.errors import (
    ClosedError,
    IncompleteError,
    NotFoundError,
    NotGrantedError,
    UnavailableError,
    UndescribedError,
)
from channelry_desk.grants import User
from channelry_desk.hooks import NewTask, StoredTask, TaskKind

from .conftest import START, House, Opening

pytestmark = pytest.mark.anyio


@define(eq=False)
class Tickets:
    """A ticket system: what it was asked to create, by key; `down` makes it fail."""

    created: dict[str, NewTask] = field(factory=dict)
    down: bool = False


TICKETS = Tickets()


@plugin
class TicketStore:
    """A plugin that keeps requests, and leaves all else to the next."""

    @frozen
    class Config:
        pass

    config: Config

    @hookimpl(optionalhook=True)
    async def create_task(self, task: NewTask) -> StoredTask | None:
        if TICKETS.down:
            raise RuntimeError("down")
        if task.kind is not TaskKind.REQUEST:
            return None
        TICKETS.created.setdefault(task.key, task)
        reference = f"T-{list(TICKETS.created).index(task.key) + 1}"
        return StoredTask(reference=reference, kind=task.kind, title=task.title, url=f"https://tickets/{reference}")

    @hookimpl(optionalhook=True)
    async def read_task(self, reference: str) -> StoredTask | None:
        if reference != "T-77":
            return None
        return StoredTask(reference="T-77", kind=TaskKind.CASE, title="an old case")


ENTRY = Entry("enrichment.tickets", "tickets", cls=TicketStore, config=TicketStore.Config())


async def described(house: House) -> tuple[User, int]:
    ann, number = await house.user("Ann"), await house.written("eve")
    service = house.desk.service.conversations
    await service.accept(by=ann, conversation=number)
    await service.describe(by=ann, conversation=number, text="a parcel")
    return ann, number


@pytest.mark.row("S3")
@pytest.mark.parametrize("kind", list(TaskKind))
async def test_each_kind_of_task_is_created_and_related(house: House, kind: TaskKind) -> None:
    ann, number = await described(house)
    service = house.desk.service.conversations
    task = await service.create_task(by=ann, conversation=number, kind=kind, title="find it", text="long")
    assert (task.kind, task.title, task.how, task.by.name, task.at) == (kind, "find it", "created", "Ann Ng", START)
    assert (task.store, task.reference) == ("", "")
    assert await service.tasks(by=ann, conversation=number) == [task]


@pytest.mark.row("S15")
async def test_tasks_that_were_viewed_or_created_are_related_and_logged(house: House) -> None:
    ann, first = await described(house)
    service = house.desk.service.conversations
    made = await service.create_task(by=ann, conversation=first, kind=TaskKind.CASE, title="find it")
    second = await house.written("bob")
    await service.accept(by=ann, conversation=second)
    await service.describe(by=ann, conversation=second, text="the same parcel")
    for _ in range(2):
        viewed = await service.view_task(by=ann, conversation=second, task=made.id)
    assert (viewed.id, viewed.title, viewed.how) == (made.id, "find it", "viewed")
    assert len(await service.tasks(by=ann, conversation=second)) == 1
    logged = [(one.what, one.data) for one in await service.changes(by=ann, conversation=second)][-2:]
    assert logged == [("task viewed", {"task": made.id})] * 2
    created = (await service.changes(by=ann, conversation=first))[-1]
    assert (created.what, created.data, created.who.name) == ("task created", {"task": made.id}, "Ann Ng")
    with pytest.raises(NotFoundError, match="no task 99"):
        await service.view_task(by=ann, conversation=second, task=99)


@pytest.mark.row("S4")
async def test_one_and_done_closes_without_a_task(house: House) -> None:
    ann, number = await described(house)
    service = house.desk.service.conversations
    assert (await service.close(by=ann, conversation=number)).reason == "done"
    assert await service.tasks(by=ann, conversation=number) == []
    with pytest.raises(ClosedError):
        await service.create_task(by=ann, conversation=number, kind=TaskKind.CASE, title="late")


@pytest.mark.row("S13")
async def test_a_task_is_related_to_what_is_described_by_its_assignee(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    service, number = house.desk.service.conversations, await house.written("eve")
    await service.accept(by=ann, conversation=number)
    with pytest.raises(UndescribedError, match="related to a task"):
        await service.create_task(by=ann, conversation=number, kind=TaskKind.CASE, title="find it")
    with pytest.raises(UndescribedError, match="related to a task"):
        await service.view_task(by=ann, conversation=number, task=1)
    await service.describe(by=ann, conversation=number, text="a parcel")
    with pytest.raises(NotGrantedError):
        await service.create_task(by=bea, conversation=number, kind=TaskKind.CASE, title="find it")
    with pytest.raises(IncompleteError, match="title"):
        await service.create_task(by=ann, conversation=number, kind=TaskKind.CASE, title=" ")
    assert await house.rows("SELECT count(*) FROM tasks") == [(0,)]


async def test_a_key_creates_one_task(house: House) -> None:
    ann, number = await described(house)
    made = [
        await house.desk.service.conversations.create_task(
            by=ann, conversation=number, kind=TaskKind.CASE, title="find it", key="k"
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert await house.rows("SELECT count(*) FROM tasks") == [(1,)]


@pytest.mark.row("S3")
async def test_a_ticket_system_keeps_what_it_takes_once_for_each_key(opening: Opening) -> None:
    TICKETS.created.clear()
    async with opening(more=[ENTRY]) as house:
        ann, number = await described(house)
        service = house.desk.service.conversations
        for _ in range(2):
            task = await service.create_task(
                by=ann, conversation=number, kind=TaskKind.REQUEST, title="send another", key="k"
            )
        assert (task.store, task.reference, task.url) == ("enrichment.tickets", "T-1", "https://tickets/T-1")
        assert list(TICKETS.created) == ["k"]
        assert TICKETS.created["k"].conversation == (await house.read(number)).number
        ours = await service.create_task(by=ann, conversation=number, kind=TaskKind.INCIDENT, title="fire")
        assert (ours.store, ours.reference) == ("", "")
        for _ in range(2):
            old = await service.view_task(by=ann, conversation=number, reference="T-77")
        assert (old.title, old.kind, old.store, old.how) == ("an old case", "case", "enrichment.tickets", "viewed")
        assert len(await service.tasks(by=ann, conversation=number)) == 3
        with pytest.raises(NotFoundError, match="no task 'T-1000'"):
            await service.view_task(by=ann, conversation=number, reference="T-1000")


async def test_a_ticket_system_that_is_down_is_no_reason_to_keep_the_task_elsewhere(opening: Opening) -> None:
    async with opening(more=[ENTRY]) as house:
        ann, number = await described(house)
        TICKETS.down = True
        try:
            with pytest.raises(UnavailableError, match="down"):
                await house.desk.service.conversations.create_task(
                    by=ann, conversation=number, kind=TaskKind.REQUEST, title="send another"
                )
        finally:
            TICKETS.down = False
        assert await house.rows("SELECT count(*) FROM tasks") == [(0,)]
