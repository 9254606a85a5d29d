"""What agents do with conversations, by their rights, on both stores."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from channelry.errors import PermanentError, WindowClosedError
from channelry.model import Address, Delete, Hide, MarkRead, Profile, Surface, Target, Template, Thread
from channelry_desk import states
from channelry_desk.errors import (
    ClosedError,
    ConflictError,
    DeskError,
    IncompleteError,
    NotFoundError,
    NotGrantedError,
    UndescribedError,
    UnsupportedError,
)
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.hooks import TaskKind
from channelry_desk.moments import MINUTE
from channelry_desk.policies import Policy
from channelry_desk.queries import Stream
from channelry_desk.search import Wanted
from channelry_desk.states import Center, ConversationState, Hold, InteractionType, Vocabulary
from channelry_desk.values import Conversation, Named, numbered

from .conftest import START, House, Opening, message

pytestmark = pytest.mark.anyio

EVE = Address("post", "eve")
TO = Target(to=EVE)
SUPERVISOR = (Access.CHAT_CENTER, Access.DASHBOARD)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


async def listed(house: House, by: User, which: Stream, center: Center | None = None) -> list[int]:
    page = await house.desk.service.conversations.stream(by=by, which=which, center=center)
    return [one.id for one in page.rows]


async def accepted(house: House, by: User, who: str = "eve") -> int:
    number = await house.written(who)
    await house.desk.service.conversations.accept(by=by, conversation=number)
    return number


# Who has it


@pytest.mark.row("A7")
async def test_the_second_who_accepts_is_told_who_was_first(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    number = await house.written("eve")
    accept = house.desk.service.conversations.accept
    outcomes = await asyncio.gather(*(accept(by=by, conversation=number) for by in (ann, bea)), return_exceptions=True)
    assert [type(one).__name__ for one in outcomes] == ["Conversation", "ConflictError"]
    assert "Ann Ng" in str(outcomes[1])
    again = await accept(by=ann, conversation=number)
    assert (again.state, again.assignee and again.assignee.name, again.version) == ("active", "Ann Ng", 2)
    with pytest.raises(ConflictError, match="Ann Ng"):
        await accept(by=bea, conversation=number, version=1)


@pytest.mark.row("A5")
@pytest.mark.row("D29")
async def test_the_lists_partition_what_is_not_closed(house: House) -> None:
    ann, bea, service = await house.user("Ann"), await house.user("Bea"), house.desk.service.conversations
    await house.desk.service.catalogue.set_policy(by=SYSTEM, policy=Policy(wrap_up=5 * MINUTE))
    pending, active, waiting, ended, closed, hers = [await house.written(f"c{n}") for n in range(6)]
    for number in (active, waiting, ended, closed):
        await service.accept(by=ann, conversation=number)
    await service.accept(by=bea, conversation=hers)
    await service.hold(by=ann, conversation=waiting)
    await service.end(by=ann, conversation=ended)
    await service.describe(by=ann, conversation=closed, text="a parcel")
    await service.close(by=ann, conversation=closed)
    for by, mine in ((ann, [ended, waiting, active]), (bea, [hers])):
        assert await listed(house, by, Stream.OPEN) == [pending]
        assert await listed(house, by, Stream.MINE) == mine
    assert await listed(house, ann, Stream.CLOSED) == [closed]
    assert await listed(house, bea, Stream.CLOSED) == []


@pytest.mark.row("A6")
@pytest.mark.row("A44")
async def test_a_pending_conversation_is_for_who_is_granted_its_channel(house: House) -> None:
    number, service = await house.written("eve"), house.desk.service.conversations
    granted, other = await house.user("Ann", connections=["post"]), await house.user("Bea", connections=["second"])
    assert await listed(house, granted, Stream.OPEN) == [number]
    assert await listed(house, other, Stream.OPEN) == []
    assert (await service.read(by=granted, conversation=number)).id == number
    for refused in (
        service.read(by=other, conversation=number),
        service.messages(by=other, conversation=number),
        service.accept(by=other, conversation=number),
        service.reject(by=other, conversation=number),
    ):
        with pytest.raises(NotGrantedError, match="by Bea Ng"):
            await refused
    outside = await house.user("Ada", Access.ADMINISTRATION)
    for action in (service.read, service.accept):
        with pytest.raises(NotGrantedError, match="by Ada Ng"):
            await action(by=outside, conversation=number)
    with pytest.raises(NotGrantedError, match="Ada Ng may not enter"):
        await listed(house, outside, Stream.OPEN)


@pytest.mark.row("A9")
async def test_an_accepted_conversation_is_its_assignees(house: House) -> None:
    ann, bea, sue = await house.user("Ann"), await house.user("Bea"), await house.user("Sue", *SUPERVISOR)
    service, number = house.desk.service.conversations, await accepted(house, ann)
    assert await listed(house, bea, Stream.OPEN) == []
    refusals: list[Any] = [
        service.read(by=bea, conversation=number),
        service.changes(by=bea, conversation=number),
        *(act(by=by, conversation=number) for by in (bea, sue) for act in (service.hold, service.end, service.close)),
        *(service.reply(by=by, conversation=number, text="hi") for by in (bea, sue)),
        *(service.describe(by=by, conversation=number, text="hi") for by in (bea, sue)),
        service.release(by=bea, conversation=number),
        service.share(by=bea, conversation=number, user=bea.id),
    ]
    for refused in refusals:
        with pytest.raises(NotGrantedError, match="for it is Ann Ng's"):
            await refused
    assert [one.text for one in (await service.messages(by=sue, conversation=number)).rows] == ["hello"]
    await service.share(by=ann, conversation=number, user=bea.id)
    assert (await service.read(by=bea, conversation=number)).assignee is not None
    with pytest.raises(NotGrantedError):
        await service.reply(by=bea, conversation=number, text="hi")
    await service.share(by=ann, conversation=number, user=bea.id, shared=False)
    with pytest.raises(NotGrantedError):
        await service.read(by=bea, conversation=number)
    await service.close(by=SYSTEM, conversation=number)
    with pytest.raises(NotGrantedError):
        await service.read(by=bea, conversation=number)
    assert [await listed(house, by, Stream.CLOSED) for by in (ann, bea, sue)] == [[number], [], [number]]
    assert (await service.read(by=ann, conversation=number)).state == "closed"


@pytest.mark.row("A43")
async def test_a_fresh_user_enters_no_section(house: House) -> None:
    number, service = await house.written("eve"), house.desk.service
    fresh, _ = await service.people.invite(by=SYSTEM, email="fay@example.org", first_name="Fay")
    refusals: list[Any] = [
        service.conversations.stream(by=fresh, which=Stream.OPEN),
        service.conversations.read(by=fresh, conversation=number),
        service.conversations.accept(by=fresh, conversation=number),
        service.conversations.start(by=fresh, connection="post", address=EVE, text="hi"),
        service.conversations.types(by=fresh),
        service.customers.create(by=fresh, first_name="Eve", last_name="Ng", phone="1"),
        service.search.conversations(by=fresh),
        service.people.users(by=fresh),
        service.people.groups(by=fresh),
        service.people.invite(by=fresh, email="a@b", first_name="A"),
        service.people.grant(by=fresh, user=fresh.id, access=list(Access)),
        service.people.read(by=fresh, user=fresh.id + 1),
        service.catalogue.queues(by=fresh),
        service.catalogue.create_queue(by=fresh, name="mine"),
        service.catalogue.policies(by=fresh),
        service.catalogue.set_policy(by=fresh, policy=Policy()),
        service.letters.dead(by=fresh),
        service.letters.journal(by=fresh),
        service.letters.replay(by=fresh, dead_letter=1),
        service.outbox.uncertain(by=fresh),
        service.log.after(by=fresh),
    ]
    for refused in refusals:
        with pytest.raises(NotGrantedError) as error:
            await refused
        assert error.value.code == "not_granted"


@pytest.mark.row("A8")
async def test_rejecting_closes_what_nobody_has_taken(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    number = await house.written("eve")
    rejected = await service.reject(by=ann, conversation=number, why="a duplicate")
    assert (rejected.state, rejected.reason, rejected.description) == ("closed", "rejected", "")
    told = (await service.changes(by=SYSTEM, conversation=number))[-1]
    assert (told.what, told.who.name, told.why) == ("rejected", "Ann Ng", "a duplicate")
    taken = await accepted(house, ann, "bob")
    with pytest.raises(ConflictError, match="cannot be rejected"):
        await service.reject(by=ann, conversation=taken)


@pytest.mark.row("A10")
async def test_release_gives_it_back_to_all_who_are_granted(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    service, number = house.desk.service.conversations, await accepted(house, ann)
    released = await service.release(by=ann, conversation=number)
    assert (released.state, released.assignee) == ("pending", None)
    assert await listed(house, bea, Stream.OPEN) == [number]
    assert await listed(house, ann, Stream.MINE) == []
    assert await listed(house, await house.user("Cid", connections=["second"]), Stream.OPEN) == []
    with pytest.raises(ConflictError, match="it cannot be released"):
        await service.release(by=ann, conversation=number)
    await service.accept(by=bea, conversation=number)
    await service.hold(by=bea, conversation=number)
    assert (await service.release(by=bea, conversation=number)).state == "pending"


@pytest.mark.row("A10")
async def test_release_gives_it_back_to_the_queue_that_it_came_from(house: House) -> None:
    service = house.desk.service.conversations
    queue = await house.desk.service.catalogue.create_queue(by=SYSTEM, name="parcels")
    ann, member = await house.user("Ann"), await house.user("Bea", connections=[], queues=[queue.id])
    number = await house.written("eve")
    await service.route(by=ann, conversation=number, queue=queue.id)
    await service.accept(by=member, conversation=number)
    assert (await service.release(by=member, conversation=number)).queue == queue
    assert await listed(house, member, Stream.OPEN) == [number]
    assert await listed(house, ann, Stream.OPEN) == []


@pytest.mark.row("A12")
async def test_what_is_closed_is_closed_for_good(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    number = await accepted(house, ann)
    await service.describe(by=ann, conversation=number, text="a parcel")
    closed = await service.close(by=ann, conversation=number, why="solved")
    assert (closed.state, closed.reason, closed.closed_at) == ("closed", "done", START)
    refusals: list[Any] = [
        act(by=ann, conversation=number)
        for act in (service.close, service.accept, service.release, service.hold, service.resume, service.end)
    ]
    refusals.append(service.assign(by=ann, conversation=number, to=ann.id))
    refusals.append(service.reply(by=ann, conversation=number, text="hi"))
    for again in refusals:
        with pytest.raises(ClosedError) as refused:
            await again
        assert refused.value.code == "closed"


@pytest.mark.row("A19")
@pytest.mark.row("S5")
@pytest.mark.row("S11")
async def test_a_conversation_is_assigned_to_whoever_is_granted_its_channel(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    cid = await house.user("Cid", connections=["second"])
    sue = await house.user("Sue", *SUPERVISOR)
    fay, _ = await house.desk.service.people.invite(by=SYSTEM, email="fay@example.org", first_name="Fay")
    outside, former = await house.user("Ada", Access.ADMINISTRATION), await house.user("Old")
    await house.desk.service.people.disable(by=SYSTEM, user=former.id)
    boss = await house.user("Bo", *SUPERVISOR, connections=["second"])
    service, number = house.desk.service.conversations, await accepted(house, ann)
    assert [one.name for one in await service.colleagues(by=ann, conversation=number)] == ["Bea Ng", "Sue Ng"]
    assert [one.name for one in await service.colleagues(by=ann, conversation=number, text="SU")] == ["Sue Ng"]
    assert [one.name for one in await service.colleagues(by=ann, conversation=number, text="n")] == ["Bea Ng", "Sue Ng"]
    assert [one.name for one in await service.colleagues(by=ann, conversation=number, text="bea@")] == ["Bea Ng"]
    for other, escalate in ((cid, False), (fay, False), (outside, False), (former, False), (boss, True)):
        with pytest.raises(NotGrantedError, match=other.name):
            await service.assign(by=ann, conversation=number, to=other.id, escalate=escalate)
    with pytest.raises(NotGrantedError, match="programs"):
        await service.assign(by=ann, conversation=number, to=SYSTEM.id)
    given = await service.assign(by=ann, conversation=number, to=bea.id, why="knows parcels")
    assert given.assignee is not None
    assert (given.state, given.assignee.name) == ("active", "Bea Ng")
    with pytest.raises(NotGrantedError):
        await service.assign(by=ann, conversation=number, to=ann.id)
    with pytest.raises(NotGrantedError, match="Ann Ng may not be escalated to"):
        await service.assign(by=bea, conversation=number, to=ann.id, escalate=True)
    await service.assign(by=bea, conversation=number, to=sue.id, why="is angry", escalate=True)
    changes = await service.changes(by=sue, conversation=number)
    assert [(one.what, one.who.name, one.why, one.data["assignee"]) for one in changes[-2:]] == [
        ("assigned", "Ann Ng", "knows parcels", bea.id),
        ("escalated", "Bea Ng", "is angry", sue.id),
    ]


@pytest.mark.row("S5")
async def test_who_may_take_it_may_assign_it_directly_and_a_supervisor_may_take_it_away(house: House) -> None:
    ann, bea, sue = await house.user("Ann"), await house.user("Bea"), await house.user("Sue", *SUPERVISOR)
    service, number = house.desk.service.conversations, await house.written("eve")
    assert (await service.assign(by=ann, conversation=number, to=bea.id)).assigned_at == START
    assert (await service.release(by=sue, conversation=number, why="went home")).state == "pending"


@pytest.mark.row("A20")
@pytest.mark.row("D6")
@pytest.mark.row("S5")
async def test_a_queues_members_accept_what_is_routed_to_it(house: House) -> None:
    catalogue, service = house.desk.service.catalogue, house.desk.service.conversations
    parcels, returns = [await catalogue.create_queue(by=SYSTEM, name=name) for name in ("parcels", "returns")]
    ann = await house.user("Ann")
    member = await house.user("Bea", connections=[], queues=[parcels.id])
    assert [one.name for one in await catalogue.queues(by=ann)] == ["parcels", "returns"]
    number = await accepted(house, ann)
    await house.clock.advance(60)
    routed = await service.route(by=ann, conversation=number, queue=parcels.id)
    assert (routed.state, routed.queue, routed.assignee) == ("pending", parcels, None)
    assert routed.opened_at == START
    assert await listed(house, ann, Stream.OPEN) == []
    assert await listed(house, member, Stream.OPEN) == [number]
    for refused in (
        service.accept(by=ann, conversation=number),
        service.assign(by=ann, conversation=number, to=ann.id),
    ):
        with pytest.raises(NotGrantedError):
            await refused
    other = await house.written("bob")
    assert (await service.route(by=ann, conversation=other, queue=parcels.id)).queue == parcels
    assert await listed(house, member, Stream.OPEN) == [other, number]
    assert (await service.accept(by=member, conversation=number)).queue == parcels
    with pytest.raises(NotFoundError, match="no queue 99"):
        await service.route(by=member, conversation=number, queue=99)
    assert (await service.route(by=member, conversation=number, queue=returns.id)).queue == returns


@pytest.mark.row("A4")
async def test_the_social_center_has_no_queues(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service
    queue = await service.catalogue.create_queue(by=SYSTEM, name="parcels")
    await service.catalogue.set_policy(by=SYSTEM, policy=Policy(connection="post", route_to=queue.id))
    number = await house.written("eve", surface=Surface.COMMENT, thread=Thread(root="post-1", private=False, depth=1))
    direct = await house.written("bob")
    assert (await house.read(number)).queue is None
    assert (await house.read(direct)).queue == queue
    assert await listed(house, ann, Stream.OPEN, Center.SOCIAL) == [number]
    assert await listed(house, SYSTEM, Stream.OPEN, Center.CHAT) == [direct]
    await service.conversations.accept(by=ann, conversation=number)
    with pytest.raises(UnsupportedError, match="social center has no queues") as refused:
        await service.conversations.route(by=ann, conversation=number, queue=queue.id)
    assert refused.value.code == "unsupported"


@pytest.mark.row("A4")
@pytest.mark.parametrize("surface", [Surface.DIRECT, Surface.COMMENT, Surface.MENTION])
async def test_agents_work_alike_in_both_centers(house: House, surface: Surface) -> None:
    ann, bea, sue = await house.user("Ann"), await house.user("Bea"), await house.user("Sue", *SUPERVISOR)
    desk, service = house.desk.service, house.desk.service.conversations
    tag = await desk.catalogue.create_tag(by=SYSTEM, name="parcels")
    await desk.catalogue.set_policy(by=SYSTEM, policy=Policy(wrap_up=5 * MINUTE))
    thread = None if surface is Surface.DIRECT else Thread(root="post-1", private=False, depth=1)
    number, other = [await house.written(who, surface=surface, thread=thread) for who in ("eve", "bob")]
    assert await listed(house, ann, Stream.OPEN) == [other, number]
    await service.reject(by=ann, conversation=other, why="a duplicate")
    await service.accept(by=ann, conversation=number)
    await service.describe(by=ann, conversation=number, text="a parcel")
    await service.reply(by=ann, conversation=number, text="hi", key="k")
    await house.send()
    assert house.provider.taken == ["k/0"]
    await service.hold(by=ann, conversation=number, reason=Hold.CUSTOMER)
    await service.resume(by=ann, conversation=number)
    await desk.details.set_tags(by=ann, conversation=number, tags=[tag.id])
    await desk.details.note(by=ann, conversation=number, text="sent back")
    await service.create_task(by=ann, conversation=number, kind=TaskKind.CASE, title="lost")
    await service.share(by=ann, conversation=number, user=bea.id)
    await service.assign(by=ann, conversation=number, to=bea.id)
    await service.assign(by=bea, conversation=number, to=sue.id, escalate=True)
    await service.release(by=sue, conversation=number)
    await service.accept(by=ann, conversation=number)
    await service.end(by=ann, conversation=number)
    await service.close(by=ann, conversation=number)
    await service.archive(by=ann, conversation=number)
    assert (await house.read(number)).archived_at == START
    await desk.customers.bar(by=ann, profile=(await house.read(number)).profile)


@pytest.mark.row("A4")
@pytest.mark.parametrize("surface", list(Surface))
async def test_each_surface_is_in_the_lists_of_one_center(house: House, surface: Surface) -> None:
    number = await house.written("eve", surface=surface)
    found = (await house.read(number)).center
    for center in Center:
        assert await listed(house, SYSTEM, Stream.OPEN, center) == ([number] if center is found else [])


@pytest.mark.row("A7")
async def test_of_all_who_accept_at_once_each_conversation_has_one_winner(house: House) -> None:
    numbers = [await house.written(f"c{n}") for n in range(8)]
    users = [await house.user(f"U{n}") for n in range(25)]
    outcomes = await asyncio.gather(
        *(
            house.desk.service.conversations.accept(by=by, conversation=number)
            for by in users for number in numbers
        ),
        return_exceptions=True,
    )  # fmt: skip
    won = [one.id for one in outcomes if isinstance(one, Conversation)]
    assert sorted(won) == numbers
    losers = [str(one) for one in outcomes if isinstance(one, ConflictError)]
    assert len(losers) == len(users) * len(numbers) - len(numbers)
    assert all("Ng's" in one for one in losers)


# Versions


async def test_a_version_that_is_not_the_last_one_is_a_conflict(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    number = await house.written("eve")
    seen = await house.read(number)
    await service.accept(by=ann, conversation=number, version=seen.version)
    for act in (service.close, service.release, service.hold, service.end):
        with pytest.raises(ConflictError, match=f"version {seen.version + 1}, not {seen.version}"):
            await act(by=ann, conversation=number, version=seen.version)


@pytest.mark.parametrize("what", ["read", "accept", "reply", "messages", "assign"])
async def test_what_is_not_there_is_not_found(house: House, what: str) -> None:
    service = house.desk.service.conversations
    asked = {
        "read": lambda: service.read(by=SYSTEM, conversation=9),
        "accept": lambda: service.accept(by=SYSTEM, conversation=9),
        "reply": lambda: service.reply(by=SYSTEM, conversation=9, text="hi"),
        "messages": lambda: service.messages(by=SYSTEM, conversation=9),
        "assign": lambda: service.assign(by=SYSTEM, conversation=9, to=77),
    }[what]
    with pytest.raises(NotFoundError) as refused:
        await asked()
    assert refused.value.code == "not_found"


# What is said


@pytest.mark.row("S9")
async def test_an_agent_starts_a_conversation_which_expires_from_its_creation_until_the_customer_writes(
    house: House,
) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    service = house.desk.service.conversations
    number = await service.start(by=ann, connection="post", address=EVE, text="hello")
    found = await house.read(number)
    assert found.assignee is not None
    assert found.opened_by == found.assignee
    assert (found.state, found.assignee.name, found.last_customer_at) == ("active", "Ann Ng", None)
    assert found.expires_at == START + timedelta(hours=24)
    with pytest.raises(ConflictError, match="reply there"):
        await service.start(by=bea, connection="post", address=EVE, text="hello")
    await house.send()
    assert len(house.provider.taken) == 1
    await house.clock.advance(3600)
    await house.written("eve", "hi")
    found = await house.read(number)
    assert found.expires_at == START + timedelta(hours=25)
    assert [one.direction for one in await house.messages(number)] == ["in", "out"]
    await house.clock.advance(25 * 3600)
    assert await service.start(by=ann, connection="post", address=EVE, text="again") != number
    assert (await house.read(await house.written("bob"))).opened_by is None
    with pytest.raises(NotGrantedError):
        await service.start(by=ann, connection="nowhere", address=EVE, text="hello")
    with pytest.raises(PermanentError, match="no connection"):
        await service.start(by=SYSTEM, connection="nowhere", address=EVE, text="hello")


async def test_who_is_written_to_first_keeps_the_name_that_their_channel_shows(house: House) -> None:
    shown = Profile(address=Address("post", "eve", display="@eve"), name="Eve")
    first = await house.written("eve", profile=shown)
    await house.desk.service.conversations.close(by=SYSTEM, conversation=first)
    number = await house.desk.service.conversations.start(by=SYSTEM, connection="post", address=EVE, text="hello")
    assert (await house.read(number)).address.display == "@eve"


@pytest.mark.row("S9")
async def test_where_the_window_is_closed_an_agent_starts_with_a_template(opening: Opening) -> None:
    async with opening() as house:
        house.provider.window = timedelta(hours=24)
        ann, service = await house.user("Ann"), house.desk.service.conversations
        with pytest.raises(WindowClosedError, match="send a template"):
            await service.start(by=ann, connection="post", address=EVE, text="hello")
        template = Template(name="hello", language="en")
        number = await service.start(by=ann, connection="post", address=EVE, template=template)
        await house.send()
        assert len(house.provider.taken) == 1
        assert (await house.read(number)).responded_at == START


@pytest.mark.row("S9")
async def test_while_the_window_is_open_an_agent_starts_in_words_of_their_own(house: House) -> None:
    house.provider.window = timedelta(hours=24)
    ann, service = await house.user("Ann"), house.desk.service.conversations
    first = await accepted(house, ann)
    eve = await house.desk.service.customers.create(
        by=ann, first_name="Eve", last_name="Ng", phone="1", conversation=first
    )
    await service.close(by=SYSTEM, conversation=first)
    await house.clock.advance(3600)
    with pytest.raises(WindowClosedError):
        await service.start(by=ann, connection="second", address=EVE, text="hello")
    number = await service.start(by=ann, connection="post", address=EVE, text="hello")
    found = await house.read(number)
    assert (found.customer, found.last_customer_at) == (eve, None)
    assert found.expires_at == START + timedelta(hours=25)
    await house.send()
    house.provider.script.extend(["retry"] * 1000)
    await service.reply(by=ann, conversation=number, text="and")
    await house.clock.advance(23 * 3600 + 1)
    await house.send()
    assert [one.code for told in await house.messages(number) for one in told.deliveries] == ["window_closed", ""]
    with pytest.raises(WindowClosedError):
        await service.reply(by=ann, conversation=number, text="late")


@pytest.mark.row("S9")
async def test_what_an_agent_starts_with_is_not_sent_after_the_window(house: House) -> None:
    house.provider.window = timedelta(hours=24)
    await house.desk.service.conversations.close(by=SYSTEM, conversation=await house.written("eve"))
    house.provider.script.extend(["retry"] * 1000)
    number = await house.desk.service.conversations.start(by=SYSTEM, connection="post", address=EVE, text="hello")
    await house.send()
    await house.clock.advance(24 * 3600 + 1)
    await house.send()
    assert [one.code for told in await house.messages(number) for one in told.deliveries] == ["window_closed"]


async def test_a_channel_that_writes_to_nobody_first_starts_nothing_with_strangers(house: House) -> None:
    house.provider.initiates = False
    ann, service = await house.user("Ann"), house.desk.service.conversations
    with pytest.raises(UnsupportedError, match="only to people who have written before"):
        await service.start(by=ann, connection="post", address=EVE, text="hello")
    number = await accepted(house, ann)
    await service.describe(by=ann, conversation=number, text="a parcel")
    await service.close(by=ann, conversation=number)
    assert await service.start(by=ann, connection="post", address=EVE, text="hello") != number


@pytest.mark.row("S1")
@pytest.mark.row("S2")
@pytest.mark.row("S8")
async def test_phone_and_walk_up_exist_where_a_channel_has_them(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    assert await service.types(by=ann) == {InteractionType.MESSAGING}
    with pytest.raises(PermanentError, match="empty"):
        await service.start(by=ann, connection="post", address=EVE)
    for surface, kind in ((Surface.CALL, InteractionType.PHONE), (Surface.WALK_UP, InteractionType.WALK_UP)):
        house.provider.surfaces = frozenset({surface})
        assert await service.types(by=ann) == {kind}
        number = await service.start(by=ann, connection="post", address=Address("post", str(surface)))
        found = await house.read(number)
        assert (found.type, found.state, await house.messages(number)) == (kind, "active", [])
        with pytest.raises(UnsupportedError):
            await service.hold(by=ann, conversation=number, reason=Hold.CUSTOMER)
        assert (await service.hold(by=ann, conversation=number)).state == "waiting"


@pytest.mark.row("S1")
@pytest.mark.parametrize(
    ("surface", "scheme", "kind"),
    [
        (Surface.DIRECT, "post", InteractionType.MESSAGING), (Surface.DIRECT, "webchat", InteractionType.CHAT),
        (Surface.CALL, "phone", InteractionType.PHONE), (Surface.WALK_UP, "post", InteractionType.WALK_UP),
    ],
)  # fmt: skip
async def test_the_type_is_recorded_when_the_customer_begins(
    house: House, surface: Surface, scheme: str, kind: InteractionType
) -> None:
    house.provider.surfaces = frozenset({surface})
    number = await house.written("eve", profile=Profile(address=Address(scheme, "eve")), surface=surface)
    assert (await house.read(number)).type is kind


@pytest.mark.row("S16")
@pytest.mark.row("S17")
async def test_a_known_profile_joins_what_is_open_or_begins_anew_and_a_new_one_gets_both(house: House) -> None:
    first = await house.written("eve", "one")
    profile = (await house.read(first)).profile
    assert await house.written("eve", "two") == first
    await house.desk.service.conversations.close(by=SYSTEM, conversation=first)
    second = await house.written("eve", "three")
    assert second != first
    assert (await house.read(second)).profile == profile
    stranger = await house.read(await house.written("bob"))
    assert stranger.profile != profile
    assert stranger.name == "Bob"


@pytest.mark.row("S12")
@pytest.mark.row("D16")
async def test_both_waits_are_frozen_when_they_end(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    service, number = house.desk.service.conversations, await house.written("eve")
    found = await house.read(number)
    assert (found.wait_to_assignment, found.wait_to_response) == (None, None)
    await house.clock.advance(60)
    await service.accept(by=ann, conversation=number)
    await house.clock.advance(60)
    await service.reply(by=ann, conversation=number, text="I am not here", automatic=True)
    await house.clock.advance(60)
    await service.reply(by=ann, conversation=number, text="hi")
    await house.clock.advance(60)
    await service.assign(by=ann, conversation=number, to=bea.id)
    await service.reply(by=bea, conversation=number, text="hi again")
    found = await house.read(number)
    assert (found.wait_to_assignment, found.wait_to_response) == (minutes(1), minutes(3))
    assert [one.author for one in await house.messages(number)] == ["Bea Ng", "Ann Ng", "Ann Ng", ""]


@pytest.mark.row("D16")
async def test_the_summary_has_channel_wait_skills_queue_and_start(house: House) -> None:
    service, catalogue = house.desk.service, house.desk.service.catalogue
    queue, skill = await catalogue.create_queue(by=SYSTEM, name="q"), await catalogue.create_skill(by=SYSTEM, name="s")
    await catalogue.set_policy(by=SYSTEM, policy=Policy(connection="post", route_to=queue.id))
    member, number = await house.user("Bea", connections=[], queues=[queue.id]), await house.written("eve")
    await house.clock.advance(60)
    await service.conversations.accept(by=member, conversation=number)
    await service.details.set_skills(by=SYSTEM, conversation=number, skills=[skill.id])
    found = await service.conversations.read(by=member, conversation=number)
    skills = (await service.details.read(by=member, conversation=number)).skills
    assert (found.connection, found.wait_to_assignment, skills) == ("post", minutes(1), (skill,))
    assert (found.queue, found.opened_at) == (queue, START)


@pytest.mark.row("S10")
async def test_the_duration_is_what_agents_worked_each_in_their_interval(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    service, number = house.desk.service.conversations, await accepted(house, ann)
    await house.clock.advance(60)
    await service.hold(by=ann, conversation=number)
    await house.clock.advance(600)
    await service.resume(by=ann, conversation=number)
    await house.clock.advance(120)
    given = await service.assign(by=ann, conversation=number, to=bea.id)
    await house.clock.advance(180)
    assert given.duration(house.clock.now()) == minutes(6)
    await service.release(by=bea, conversation=number)
    await house.clock.advance(600)
    found = await house.read(number)
    assert (found.worked, found.duration(house.clock.now())) == (minutes(6), minutes(6))
    intervals = await service.intervals(by=SYSTEM, conversation=number)
    assert [(one.by.name, one.ended_at - one.began_at) for one in intervals] == [
        ("Ann Ng", minutes(1)), ("Ann Ng", minutes(2)), ("Bea Ng", minutes(3)),
    ]  # fmt: skip


@pytest.mark.row("S13")
async def test_agents_owe_a_short_description_and_intake_does_not(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    number = await accepted(house, ann)
    assert (await house.read(number)).description == ""
    refusals: list[Any] = [
        service.close(by=ann, conversation=number),
        service.end(by=ann, conversation=number),
        service.describe(by=ann, conversation=number, text="  "),
    ]
    for refused in refusals:
        with pytest.raises(UndescribedError) as error:
            await refused
        assert (error.value.code, isinstance(error.value, IncompleteError)) == ("undescribed", True)
    described = await service.describe(by=ann, conversation=number, text=" a parcel ")
    assert described.description == "a parcel"
    with pytest.raises(ConflictError):
        await service.describe(by=ann, conversation=number, text="two parcels", version=described.version - 1)
    assert (await service.close(by=ann, conversation=number)).state == "closed"


@pytest.mark.row("S13")
async def test_only_what_is_closed_and_described_is_archived_for_good(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    number = await accepted(house, ann)
    with pytest.raises(ConflictError, match="only what is closed"):
        await service.archive(by=ann, conversation=number)
    await service.close(by=SYSTEM, conversation=number)  # a program owes no description
    with pytest.raises(UndescribedError):
        await service.archive(by=ann, conversation=number)
    described = await service.describe(by=ann, conversation=number, text="a parcel")
    archived = await service.archive(by=ann, conversation=number, version=described.version)
    assert archived.archived_at == START
    for refused in (
        service.archive(by=ann, conversation=number),
        service.describe(by=ann, conversation=number, text="two parcels"),
    ):
        with pytest.raises(ClosedError, match="archived"):
            await refused


@pytest.mark.row("A45")
async def test_a_short_code_names_a_colleague_to_route_to(house: House) -> None:
    ann, people = await house.user("Ann"), house.desk.service.people
    bob, _ = await people.invite(by=SYSTEM, email="bob@example.org", first_name="Bob", short_code="X7")
    await people.grant(by=SYSTEM, user=bob.id, access={Access.CHAT_CENTER}, connections={"post"})
    service, number = house.desk.service.conversations, await accepted(house, ann)
    (found,) = await service.colleagues(by=ann, conversation=number, text="x7")
    assert (await service.assign(by=ann, conversation=number, to=found.id)).assignee == Named(bob.id, "Bob")


@pytest.mark.row("S6")
async def test_a_number_names_one_conversation(house: House) -> None:
    first, second = await house.read(await house.written("eve")), await house.read(await house.written("bob"))
    assert first.number != second.number
    assert numbered(f" {second.number.lower()} ") == second.id
    assert [numbered(text) for text in ("", "C-1", "4711", "C-０００００１")] == [None] * 4


# Time


@pytest.mark.row("A30")
@pytest.mark.parametrize("center", list(Center))
async def test_a_policy_says_how_long_a_channel_waits_for_the_customer(house: House, center: Center) -> None:
    where = {"surface": Surface.COMMENT, "thread": Thread(root="p", private=False, depth=1)}
    more = where if center is Center.SOCIAL else {}
    hour = Policy(connection="post", open_for=60 * MINUTE)
    await house.desk.service.catalogue.set_policy(by=SYSTEM, policy=hour)
    number = await house.written("eve", "one", **more)
    await house.clock.advance(3600)
    await house.desk.worker.sweep()
    assert (await house.read(number)).state == "pending"
    await house.clock.advance(1)
    await house.desk.worker.sweep()
    closed = await house.read(number)
    assert (closed.state, closed.reason, closed.closed_at) == ("closed", "inactive", house.clock.now())


@pytest.mark.row("A30")
async def test_a_customer_who_writes_before_the_sweep_keeps_it_open(house: House) -> None:
    number = await house.written("eve", "one")
    await house.clock.advance(23 * 3600)
    assert await house.written("eve", "two") == number
    await house.clock.advance(2 * 3600)
    await house.desk.worker.sweep()
    assert (await house.read(number)).state == "pending"
    assert await house.rows("SELECT count(*) FROM conversations WHERE due_at < expires_at") == [(0,)]
    await house.clock.advance(22 * 3600 + 1)
    await house.desk.worker.sweep()
    assert (await house.read(number)).state == "closed"


async def test_an_expired_conversation_is_refused_before_anybody_swept(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    number = await accepted(house, ann)
    await house.clock.advance(24 * 3600 + 1)
    for refused in (
        service.reply(by=ann, conversation=number, text="hi"),
        service.accept(by=ann, conversation=await house.conversation(), version=7),
    ):
        with pytest.raises(ClosedError):
            await refused
    assert await house.rows("SELECT count(*) FROM calls") == [(0,)]


@pytest.mark.row("D26")
@pytest.mark.parametrize("finished", [True, False], ids=["by the agent", "by the clock"])
async def test_a_wrap_up_keeps_the_agent_and_lets_the_customer_begin_anew(house: House, finished: bool) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    await house.desk.service.catalogue.set_policy(by=SYSTEM, policy=Policy(wrap_up=5 * MINUTE))
    number = await accepted(house, ann)
    ended = await service.end(by=ann, conversation=number)
    assert (ended.state, ended.assignee, ended.working_since) == ("wrap-up", ended.assignee, START)
    with pytest.raises(ClosedError, match="wrap-up"):
        await service.reply(by=ann, conversation=number, text="one more thing")
    another = await house.written("eve", "and another thing")
    assert another != number
    assert (await house.read(another)).state == "pending"
    await house.clock.advance(300)
    await house.desk.worker.sweep()
    assert (await house.read(number)).state == "wrap-up"
    if finished:
        with pytest.raises(UndescribedError):
            await service.close(by=ann, conversation=number)
        await service.describe(by=ann, conversation=number, text="a parcel")
        await service.close(by=ann, conversation=number)
    else:
        await house.clock.advance(1)
        await house.desk.worker.sweep()
    closed = await house.read(number)
    assert (closed.state, closed.reason) == ("closed", "done")
    assert (await house.read(another)).state == "pending"


@pytest.mark.row("S7")
async def test_some_types_have_a_wrap_up_and_the_others_end_at_once(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    policy = Policy(connection="second", wrap_up=5 * MINUTE)
    await house.desk.service.catalogue.set_policy(by=SYSTEM, policy=policy)
    visitor = Profile(address=Address("webchat", "v"))
    await house.deliver(message("v", "hello", profile=visitor), connection="second")
    told = {}
    for number in (await house.conversation(), await house.written("eve")):
        await service.accept(by=ann, conversation=number)
        await service.describe(by=ann, conversation=number, text="a parcel")
        ended = await service.end(by=ann, conversation=number)
        told[ended.type] = states.named(ended.state, ended.reason, Vocabulary.RECORD)
    assert told == {InteractionType.CHAT: "Wrap Up", InteractionType.MESSAGING: "Closed Complete"}


@pytest.mark.row("D26")
@pytest.mark.row("S8")
@pytest.mark.parametrize("reason", [Hold.CUSTOMER, Hold.INTERNAL])
@pytest.mark.parametrize(("present", "state"), [(True, "active"), (False, "pending")])
async def test_the_customers_word_returns_a_waiting_conversation_to_who_is_there(
    house: House, present: bool, state: str, reason: Hold
) -> None:
    ann, service = await house.user("Ann"), house.desk.service.conversations
    number = await accepted(house, ann)
    held = await service.hold(by=ann, conversation=number, reason=reason)
    assert (held.state, held.hold) == ("waiting", reason)
    await house.desk.service.people.be_present(by=ann, present=present)
    await house.written("eve", "here I am")
    found = await house.read(number)
    assert (found.state, found.hold, found.assignee is not None) == (state, "", present)


async def test_a_program_closes_what_its_customer_has_left(house: House) -> None:
    ann, number = await house.user("Ann", *Access), await house.written("eve")
    with pytest.raises(NotGrantedError):
        await house.desk.service.conversations.abandon(by=ann, conversation=number)
    closed = await house.desk.service.conversations.abandon(by=SYSTEM, conversation=number)
    assert (closed.state, closed.reason) == ("closed", "abandoned")


# Traces


async def test_every_change_is_in_the_log_in_order_with_who_and_why(house: House) -> None:
    ann, service = await house.user("Ann"), house.desk.service
    begun = (await service.log.after(by=SYSTEM))[-1].number
    number = await accepted(house, ann)
    await service.conversations.reply(by=ann, conversation=number, text="hi")
    await service.conversations.release(by=ann, conversation=number, why="lunch")
    changes = await service.log.after(by=SYSTEM, number=begun)
    assert [(one.kind, one.what, one.who.name, one.why) for one in changes] == [
        ("conversation", "opened", "system", ""),
        ("message", "received", "system", ""),
        ("conversation", "accepted", "Ann Ng", ""),
        ("message", "sent", "Ann Ng", ""),
        ("conversation", "released", "Ann Ng", "lunch"),
    ]
    assert [one.number for one in changes] == sorted(one.number for one in changes)
    assert changes[2].data == {"state": "active", "assignee": ann.id, "queue": None, "version": 2}
    assert {one.data.get("conversation", number) for one in changes} == {number}
    page = await service.log.after(by=SYSTEM, number=begun, limit=2)
    assert [one.number for one in page] == [one.number for one in changes[:2]]


async def test_what_is_refused_leaves_no_trace(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    service, number = house.desk.service.conversations, await accepted(house, ann)
    before = await house.rows("SELECT max(id) FROM log"), await house.read(number)
    refusals: list[Any] = [
        service.accept(by=bea, conversation=number),
        service.close(by=ann, conversation=number),
        service.hold(by=ann, conversation=number, version=1),
        service.route(by=ann, conversation=number, queue=9),
        service.assign(by=ann, conversation=number, to=99),
    ]
    for refused in refusals:
        with pytest.raises(DeskError):
            await refused
    assert (await house.rows("SELECT max(id) FROM log"), await house.read(number)) == before


async def test_lists_come_in_pages_newest_first(house: House) -> None:
    service = house.desk.service
    numbers = [await house.written(f"c{n}") for n in range(5)]
    seen: list[int] = []
    cursor = ""
    while True:
        page = await service.search.conversations(by=SYSTEM, limit=2, cursor=cursor)
        seen += [one.id for one in page.rows]
        cursor = page.cursor
        if not cursor:
            break
    assert seen == numbers[::-1]
    with pytest.raises(IncompleteError, match="cursor"):
        await service.search.conversations(by=SYSTEM, cursor="x' OR 1=1")
    await service.conversations.accept(by=SYSTEM, conversation=numbers[0])
    for state, found in ((ConversationState.ACTIVE, [numbers[0]]), (ConversationState.CLOSED, [])):
        assert [
            one.id for one in (await service.search.conversations(by=SYSTEM, wanted=Wanted(state=state))).rows
        ] == found


async def test_a_reply_answers_the_last_message_with_its_context(house: House) -> None:
    await house.written("eve", "one")
    number = await house.written("eve", "two", key="m2", context={"token": "t"})
    await house.desk.service.conversations.reply(by=SYSTEM, conversation=number, text="hi")
    ((payload,),) = await house.rows("SELECT payload FROM messages WHERE direction = 'out'")
    assert '"reply_to":"m2"' in payload
    assert '"context":{"token":"t"}' in payload


@pytest.mark.row("A9")
async def test_an_action_reaches_only_messages_of_the_conversation_itself(house: House) -> None:
    ann, bea = await house.user("Ann"), await house.user("Bea")
    theirs, mine = await accepted(house, ann, "eve"), await accepted(house, bea, "bob")
    conversations = house.desk.service.conversations
    await conversations.reply(by=ann, conversation=theirs, text="ours", key="k")
    await house.send()
    for named in ("eve:hello", "id:k/0", "nobody knows"):
        for action in (Hide(key="h", target=TO, external_id=named), Delete(key="d", target=TO, external_id=named)):
            with pytest.raises(NotFoundError, match="no message"):
                await conversations.act(by=bea, conversation=mine, action=action)
        with pytest.raises(NotFoundError):
            await conversations.signal(
                by=bea, conversation=mine, action=MarkRead(key="m", target=TO, external_id=named)
            )
    await conversations.act(by=ann, conversation=theirs, action=Delete(key="d", target=TO, external_id="id:k/0"))
    await conversations.act(by=bea, conversation=mine, action=Hide(key="h", target=TO, external_id="bob:hello"))
    await house.send()
    assert (await house.messages(mine))[-1].hidden_at is not None


async def test_a_key_of_ours_never_stands_in_the_way_of_a_message_that_comes(house: House) -> None:
    ann = await house.user("Ann")
    number = await accepted(house, ann)
    reply = house.desk.service.conversations.reply
    await reply(by=ann, conversation=number, text="hi", key="eve:next")
    assert await house.written("eve", "next") == number
    assert [(one.key, one.text) for one in await house.messages(number)] == [
        ("eve:next", "next"), ("eve:next", "hi"), ("eve:hello", "hello"),
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="'eve:next'"):
        await reply(by=ann, conversation=number, text="hi", key="eve:next")


async def test_nothing_is_shared_with_programs_and_they_are_not_disabled(house: House) -> None:
    number = await house.written("eve")
    with pytest.raises(NotGrantedError, match="every right"):
        await house.desk.service.conversations.share(by=SYSTEM, conversation=number, user=SYSTEM.id)
    with pytest.raises(NotGrantedError, match="every right"):
        await house.desk.service.people.disable(by=SYSTEM, user=SYSTEM.id)
