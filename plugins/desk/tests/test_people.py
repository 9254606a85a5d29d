"""Users: invited with nothing, granted by administrators, logged in by a password."""

from typing import Any

import pytest

from channelry.errors import PermanentError
from channelry_desk.errors import ConflictError, IncompleteError, NotFoundError, NotGrantedError
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.moments import SECOND
from channelry_desk.people import INVITATION, PASSWORD
from channelry_desk.queries import Stream
from channelry_desk.values import Named

from .conftest import House

pytestmark = pytest.mark.anyio

WORDS = "correct horse battery"


async def invited(house: House, email: str = "Eve@Example.org") -> tuple[User, str]:
    people = house.desk.service.people
    return await people.invite(by=SYSTEM, email=email, first_name="Eve", last_name="Ng", short_code="EN")


@pytest.mark.row("A45")
async def test_an_invited_person_sets_a_password_and_logs_in(house: House) -> None:
    people = house.desk.service.people
    user, token = await invited(house)
    assert (user.name, user.email, user.short_code) == ("Eve Ng", "eve@example.org", "EN")
    with pytest.raises(NotGrantedError, match="is wrong"):
        await people.authenticate(email="eve@example.org", password=WORDS)
    joined = await people.join(token=token, password=WORDS)
    assert joined == user
    assert await people.authenticate(email=" EVE@example.org", password=WORDS) == user
    refusals: list[Any] = [
        people.authenticate(email="eve@example.org", password=f"{WORDS}!"),
        people.authenticate(email="nobody@example.org", password=WORDS),
        people.authenticate(email="eve@example.org", password=""),
    ]
    for refused in refusals:
        with pytest.raises(NotGrantedError, match="the e-mail address or the password is wrong"):
            await refused


@pytest.mark.row("A45")
async def test_an_invitation_is_answered_once_and_in_time_and_the_older_one_never(house: House) -> None:
    people = house.desk.service.people
    user, first = await invited(house)
    same, second = await invited(house)
    assert same == user
    await house.clock.advance(INVITATION / SECOND)
    with pytest.raises(NotGrantedError, match="ask for another one"):
        await people.join(token=first, password=WORDS)
    await people.join(token=second, password=WORDS)
    with pytest.raises(NotGrantedError):
        await people.join(token=second, password=WORDS)
    with pytest.raises(ConflictError, match="has been a user"):
        await invited(house)
    _, late = await invited(house, "late@example.org")
    await house.clock.advance(INVITATION / SECOND + 1)
    with pytest.raises(NotGrantedError):
        await people.join(token=late, password=WORDS)


@pytest.mark.parametrize("length", [PASSWORD[0] - 1, PASSWORD[1] + 1])
async def test_a_password_is_neither_short_nor_endless(house: House, length: int) -> None:
    _, token = await invited(house)
    with pytest.raises(IncompleteError, match="12 to 1024"):
        await house.desk.service.people.join(token=token, password="x" * length)


async def test_neither_passwords_nor_tokens_are_kept(house: House) -> None:
    _, token = await invited(house)
    await house.desk.service.people.join(token=token, password=WORDS)
    kept = str(await house.rows("SELECT * FROM users")) + str(await house.rows("SELECT * FROM log"))
    assert token not in kept
    assert WORDS not in kept
    assert "argon2id" in kept


@pytest.mark.parametrize(("email", "first_name"), [("no address", "Eve"), ("eve@example.org", " ")])
async def test_a_user_needs_an_address_and_a_name(house: House, email: str, first_name: str) -> None:
    with pytest.raises(IncompleteError):
        await house.desk.service.people.invite(by=SYSTEM, email=email, first_name=first_name)


@pytest.mark.row("A43")
@pytest.mark.row("A44")
async def test_grants_are_exactly_what_was_set_last(house: House) -> None:
    service = house.desk.service
    queue = await service.catalogue.create_queue(by=SYSTEM, name="parcels")
    group = await service.people.create_group(by=SYSTEM, name="support")
    below = await service.people.create_group(by=SYSTEM, name="parcels", parent=group.id)
    user, _ = await invited(house)
    assert (user.access, user.connections, user.queues, user.groups) == (frozenset(),) * 4
    granted = await service.people.grant(
        by=SYSTEM, user=user.id, access=[Access.CHAT_CENTER, Access.DASHBOARD], connections=["post"],
        queues=[queue.id], groups=[below.id],
    )  # fmt: skip
    assert granted.access == {Access.CHAT_CENTER, Access.DASHBOARD}
    assert (granted.connections, granted.queues, granted.groups) == ({"post"}, {queue.id}, {below.id})
    narrowed = await service.people.grant(by=SYSTEM, user=user.id, access=[Access.CHAT_CENTER], queues=[])
    assert (narrowed.access, narrowed.connections, narrowed.queues) == ({Access.CHAT_CENTER}, {"post"}, frozenset())
    assert await service.people.read(by=narrowed, user=user.id) == narrowed
    assert await service.people.users(by=SYSTEM) == [narrowed]
    assert list(await service.people.groups(by=narrowed)) == [(below, group.id), (group, None)]


async def test_nothing_is_granted_that_is_not_there(house: House) -> None:
    people = house.desk.service.people
    user, _ = await invited(house)
    with pytest.raises(PermanentError, match="no connection 'nowhere'"):
        await people.grant(by=SYSTEM, user=user.id, connections=["nowhere"])
    for what in ({"queues": [9]}, {"groups": [9]}):
        with pytest.raises(NotFoundError):
            await people.grant(by=SYSTEM, user=user.id, **what)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError, match="no user 99"):
        await people.grant(by=SYSTEM, user=99, access=[])
    with pytest.raises(NotGrantedError, match="programs have every right"):
        await people.grant(by=SYSTEM, user=SYSTEM.id, access=[])
    with pytest.raises(NotFoundError):
        await people.create_group(by=SYSTEM, name="below nothing", parent=9)


@pytest.mark.parametrize("what", ["queue", "group"])
async def test_names_are_given_once_and_are_not_blank(house: House, what: str) -> None:
    service = house.desk.service
    create = {"queue": service.catalogue.create_queue, "group": service.people.create_group}[what]
    assert await create(by=SYSTEM, name=" parcels ") == Named(1, "parcels")
    with pytest.raises(ConflictError, match="already"):
        await create(by=SYSTEM, name="parcels")
    with pytest.raises(IncompleteError):
        await create(by=SYSTEM, name=" ")


async def test_whoever_is_disabled_may_do_nothing_and_cannot_log_in(house: House) -> None:
    people = house.desk.service.people
    user, token = await invited(house)
    await people.join(token=token, password=WORDS)
    await people.grant(by=SYSTEM, user=user.id, access=list(Access), connections=["post"])
    await people.disable(by=SYSTEM, user=user.id, why="left the company")
    gone = await people.read(by=SYSTEM, user=user.id)
    with pytest.raises(NotGrantedError):
        await people.users(by=gone)
    with pytest.raises(NotGrantedError):
        await house.desk.service.conversations.stream(by=gone, which=Stream.OPEN)
    with pytest.raises(NotGrantedError):
        await people.authenticate(email="eve@example.org", password=WORDS)
    number = await house.written("bob")
    with pytest.raises(NotGrantedError):
        await house.desk.service.conversations.assign(by=SYSTEM, conversation=number, to=user.id)
    await people.disable(by=SYSTEM, user=user.id, disabled=False)
    assert (await people.authenticate(email="eve@example.org", password=WORDS)).access == set(Access)


async def test_what_is_done_to_users_is_in_the_log(house: House) -> None:
    people = house.desk.service.people
    user, token = await invited(house)
    await people.join(token=token, password=WORDS)
    granted = await people.grant(by=SYSTEM, user=user.id, access=[Access.CHAT_CENTER])
    await people.be_present(by=granted)
    await people.disable(by=SYSTEM, user=user.id, why="left")
    changes = [one for one in await house.desk.service.log.after(by=SYSTEM) if one.kind == "user"]
    assert [(one.what, one.who.name, one.why) for one in changes] == [
        ("invited", "system", ""), ("joined", "Eve Ng", ""), ("granted", "system", ""), ("came", "Eve Ng", ""),
        ("disabled", "system", "left"),
    ]  # fmt: skip
    assert changes[2].data == {"access": ["chat-center"]}


async def test_grants_that_another_administrator_changed_are_not_overwritten(house: House) -> None:
    people, seen = house.desk.service.people, await house.user("Eve")
    granted = await people.grant(by=SYSTEM, user=seen.id, connections={"post"}, version=seen.version)
    for late in (
        people.grant(by=SYSTEM, user=seen.id, connections={"second"}, version=seen.version),
        people.disable(by=SYSTEM, user=seen.id, version=seen.version),
    ):
        with pytest.raises(ConflictError, match=f"version {granted.version}, not {seen.version}"):
            await late
    assert await people.read(by=SYSTEM, user=seen.id) == granted
    await people.disable(by=SYSTEM, user=seen.id, version=granted.version)
    assert (await people.read(by=SYSTEM, user=seen.id)).disabled
