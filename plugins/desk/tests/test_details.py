"""What is noted about a conversation, what is known of who is there, and what was said before."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from channelry.model import Activity, Address, Profile
from channelry_desk.answers import filled
from channelry_desk.catalogue import FieldKind, Setting
from channelry_desk.errors import (
    ClosedError,
    ConflictError,
    IncompleteError,
    NotGrantedError,
    UndescribedError,
    UnknownError,
)
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.hooks import TaskKind
from channelry_desk.service.details import DetailsTopic
from channelry_desk.values import Named, number

from .conftest import START, House, message

pytestmark = pytest.mark.anyio


def details(house: House) -> DetailsTopic:
    return house.desk.service.details


async def held(house: House, name: str = "Eve", customer: str = "bob") -> tuple[User, int]:
    """Give an agent and a conversation of theirs."""
    agent, conversation = await house.user(name), await house.written(customer)
    await house.desk.service.conversations.accept(by=agent, conversation=conversation)
    return agent, conversation


@pytest.mark.row("A34")
async def test_a_conversation_is_marked_with_tags_that_are_offered(house: House) -> None:
    agent, conversation = await held(house)
    tags = [await house.desk.service.catalogue.create_tag(by=SYSTEM, name=name) for name in ("b", "a", "c")]
    marked = await details(house).set_tags(by=agent, conversation=conversation, tags=[tags[0].id, tags[1].id])
    assert marked.tags == (tags[1], tags[0])
    await house.desk.service.catalogue.retire_tag(by=SYSTEM, tag=tags[0].id)
    marked = await details(house).set_tags(by=agent, conversation=conversation, tags=[tags[0].id, tags[2].id])
    assert marked.tags == (tags[0], tags[2])
    with pytest.raises(UnknownError):
        await details(house).set_tags(by=agent, conversation=conversation, tags=[99])
    assert (await details(house).read(by=agent, conversation=conversation)).tags == (tags[0], tags[2])


async def test_two_who_mark_at_once_do_not_lose_a_change(house: House) -> None:
    agent, conversation = await held(house)
    tag = await house.desk.service.catalogue.create_tag(by=SYSTEM, name="a")
    seen = (await house.read(conversation)).version
    await details(house).set_tags(by=agent, conversation=conversation, tags=[tag.id], version=seen)
    with pytest.raises(ConflictError):
        await details(house).set_tags(by=agent, conversation=conversation, tags=[], version=seen)
    assert (await house.read(conversation)).version == seen + 1


async def test_only_the_assignee_marks_a_conversation_and_nobody_an_archived_one(house: House) -> None:
    agent, conversation = await held(house)
    other = await house.user("Ann")
    with pytest.raises(NotGrantedError):
        await details(house).set_tags(by=other, conversation=conversation, tags=[])
    with pytest.raises(NotGrantedError):
        await details(house).note(by=other, conversation=conversation, text="hi")
    with pytest.raises(NotGrantedError):
        await details(house).read(by=other, conversation=conversation)
    conversations = house.desk.service.conversations
    await conversations.describe(by=agent, conversation=conversation, text="about tea")
    await conversations.close(by=agent, conversation=conversation)
    await details(house).set_tags(by=agent, conversation=conversation, tags=[])
    await conversations.archive(by=agent, conversation=conversation)
    with pytest.raises(ClosedError):
        await details(house).set_tags(by=agent, conversation=conversation, tags=[])
    with pytest.raises(ClosedError):
        await details(house).note(by=agent, conversation=conversation, text="too late")


@pytest.mark.row("A36")
@pytest.mark.row("A46")
async def test_a_subject_is_saved_whole_or_refused(house: House) -> None:
    agent, conversation = await held(house)
    path, parent = [], None
    for name in ("Orders", "Delivery", "Late"):
        one = await house.desk.service.catalogue.create_subject(by=SYSTEM, name=name, parent=parent)
        path.append(Named(one.id, name))
        parent = one.id
    for incomplete in path[:2]:
        with pytest.raises(IncompleteError, match="down to level 3"):
            await details(house).set_subject(by=agent, conversation=conversation, subject=incomplete.id)
    with pytest.raises(UnknownError):
        await details(house).set_subject(by=agent, conversation=conversation, subject=99)
    marked = await details(house).set_subject(by=agent, conversation=conversation, subject=path[2].id)
    assert marked.subject == tuple(path)
    assert (await details(house).set_subject(by=agent, conversation=conversation, subject=None)).subject == ()


@pytest.mark.row("A37")
@pytest.mark.row("D25")
async def test_the_next_assignee_reads_the_notes_and_all_that_was_said(house: House) -> None:
    agent, conversation = await held(house)
    other = await house.user("Ann")
    await details(house).note(by=agent, conversation=conversation, text=" call back at five ")
    with pytest.raises(IncompleteError):
        await details(house).note(by=agent, conversation=conversation, text=" ")
    conversations, catalogue = house.desk.service.conversations, house.desk.service.catalogue
    await house.deliver(done("survey", 5, topic="Delivery"), done("context", 4, basket="42 €"))
    tag = await catalogue.create_tag(by=SYSTEM, name="late")
    await details(house).set_tags(by=agent, conversation=conversation, tags=[tag.id])
    await conversations.describe(by=agent, conversation=conversation, text="a parcel")
    await conversations.create_task(by=agent, conversation=conversation, kind=TaskKind.CASE, title="find it")
    await conversations.reply(by=agent, conversation=conversation, text="one moment")

    async def all_of_it(by: User) -> list[Any]:
        reads = (details(house).read, conversations.messages, conversations.tasks, conversations.changes)
        return [await read(by=by, conversation=conversation) for read in reads]

    first = await all_of_it(agent)
    await conversations.assign(by=agent, conversation=conversation, to=other.id)
    second = await all_of_it(other)
    assert second[:3] == first[:3]
    assert second[3][:-1] == first[3]
    (note,) = second[0].notes
    assert (note.text, note.by.name) == ("call back at five", "Eve Ng")
    assert (second[0].tags, second[0].answers, second[0].context) == ((tag,), {"topic": "Delivery"}, {"basket": "42 €"})
    assert [one.text for one in second[1].rows] == ["one moment", "hello"]
    assert (await conversations.read(by=other, conversation=conversation)).description == "a parcel"


@pytest.mark.row("D17")
async def test_agents_edit_skills_where_the_administrator_allows_it(house: House) -> None:
    agent, conversation = await held(house)
    skill = await house.desk.service.catalogue.create_skill(by=SYSTEM, name="Greek")
    with pytest.raises(NotGrantedError, match="not allowed"):
        await details(house).set_skills(by=agent, conversation=conversation, skills=[skill.id])
    await house.desk.service.catalogue.change_setting(by=SYSTEM, name=Setting.AGENTS_EDIT_SKILLS, value=True)
    marked = await details(house).set_skills(by=agent, conversation=conversation, skills=[skill.id])
    assert marked.skills == (skill,)
    with pytest.raises(NotGrantedError):
        await details(house).set_skills(by=await house.user("Ann"), conversation=conversation, skills=[])


@pytest.mark.row("D17")
async def test_an_administrator_edits_the_skills_of_what_they_may_read(house: House) -> None:
    agent, conversation = await held(house)
    await details(house).note(by=agent, conversation=conversation, text="between us")
    skill = await house.desk.service.catalogue.create_skill(by=SYSTEM, name="Greek")
    outside = await house.user("Ada", Access.ADMINISTRATION)
    with pytest.raises(NotGrantedError):
        await details(house).set_skills(by=outside, conversation=conversation, skills=[skill.id])
    inside = await house.user("Sue", Access.ADMINISTRATION, Access.DASHBOARD)
    marked = await details(house).set_skills(by=inside, conversation=conversation, skills=[skill.id])
    assert marked.skills == (skill,)


@pytest.mark.row("S13")
async def test_fields_have_their_defaults_until_something_of_their_kind_is_saved(house: House) -> None:
    agent, conversation = await held(house)
    catalogue = house.desk.service.catalogue
    rating = await catalogue.create_field(by=SYSTEM, name="Rating", kind=FieldKind.NUMBER, initial="3")
    fixed = await catalogue.create_field(by=SYSTEM, name="Tariff", initial="basic", editable=False)
    seen = await details(house).read(by=agent, conversation=conversation)
    assert [(one.field.name, one.value) for one in seen.fields] == [("Rating", "3"), ("Tariff", "basic")]
    with pytest.raises(UndescribedError):
        await details(house).set_fields(by=agent, conversation=conversation, values={rating.id: "5"})
    await house.desk.service.conversations.describe(by=agent, conversation=conversation, text="about tea")
    with pytest.raises(IncompleteError, match="is a number"):
        await details(house).set_fields(by=agent, conversation=conversation, values={rating.id: "five"})
    with pytest.raises(NotGrantedError, match="cannot be edited"):
        await details(house).set_fields(by=agent, conversation=conversation, values={rating.id: "5", fixed.id: "x"})
    seen = await details(house).set_fields(by=agent, conversation=conversation, values={rating.id: "5"})
    assert [one.value for one in seen.fields] == ["5", "basic"]


async def piece() -> AsyncIterator[bytes]:
    yield b"\0"


def done(name: str, minutes: int, **values: str) -> Activity:
    profile = Profile(address=Address("post", "bob"), name="")
    at = START - timedelta(minutes=minutes)
    return Activity(key=f"{name}{minutes}", occurred_at=at, sender=profile, name=name, values=values)


@pytest.mark.row("D18")
@pytest.mark.row("D19")
@pytest.mark.row("D20")
@pytest.mark.row("D21")
async def test_what_a_visitor_did_and_said_before_is_shown(house: House) -> None:
    visit = [
        done("page", 9, url="/tea"), done("search", 8, phrase="late"), done("article", 7, title="Delays"),
        done("tapped", 6, what="callback"), done("survey", 5, topic="Delivery"),
        done("visitor", 4, authenticated="yes", browser="Firefox", os="Debian", location="Athens", language="el"),
    ]  # fmt: skip
    await house.deliver(*reversed(visit), message("bob", "hello"))
    seen = await details(house).read(by=SYSTEM, conversation=await house.conversation())
    assert seen.answers == {"topic": "Delivery"}
    assert [(one.name, one.at, one.told) for one in seen.trail] == [
        ("tapped", START - timedelta(minutes=6), {"what": "callback"}),
        ("article", START - timedelta(minutes=7), {"title": "Delays"}),
        ("search", START - timedelta(minutes=8), {"phrase": "late"}),
        ("page", START - timedelta(minutes=9), {"url": "/tea"}),
    ]
    assert (seen.visitor.authenticated, seen.visitor.browser, seen.visitor.system) == (True, "Firefox", "Debian")
    assert (seen.visitor.location, seen.visitor.language) == ("Athens", "el")
    assert seen.context == {}
    await house.deliver(done("context", 3, basket="42 €"), *visit)
    seen = await details(house).read(by=SYSTEM, conversation=await house.conversation())
    assert (seen.context, len(seen.trail)) == ({"basket": "42 €"}, 4)
    stranger = await details(house).read(by=SYSTEM, conversation=await house.written("ann"))
    assert (stranger.answers, stranger.trail, stranger.context) == ({}, (), {})
    assert not stranger.visitor.authenticated


@pytest.mark.row("A40")
async def test_closed_conversations_of_all_the_customers_profiles_are_history_that_opens(house: House) -> None:
    customers, conversations = house.desk.service.customers, house.desk.service.conversations
    made = await customers.create(by=SYSTEM, first_name="Bob", last_name="Ng", phone="1")
    past = []
    for who in ("bob", "bobby"):
        past.append(await house.written(who))
        await customers.relate(by=SYSTEM, conversation=past[-1], customer=made.id)
        await conversations.close(by=SYSTEM, conversation=past[-1])
        await house.clock.advance(60)
    await conversations.close(by=SYSTEM, conversation=await house.written("stranger"))
    agent = await house.user("Eve")
    with pytest.raises(NotGrantedError):
        await conversations.messages(by=agent, conversation=past[0])
    current = await house.written("bob", "again")
    await conversations.accept(by=agent, conversation=current)
    await conversations.accept(by=agent, conversation=await house.written("bobby", "again"))
    page = await details(house).history(by=agent, conversation=current)
    assert [(one.id, one.connection, one.opened_at) for one in page.rows] == [
        (past[1], "post", START + timedelta(minutes=1)), (past[0], "post", START),
    ]  # fmt: skip
    assert [one.text for one in (await conversations.messages(by=agent, conversation=past[0])).rows] == ["hello"]


@pytest.mark.row("S14")
async def test_details_tasks_and_other_interactions_are_each_what_they_say(house: House) -> None:
    conversations = house.desk.service.conversations
    agent, first = await held(house)
    await conversations.describe(by=agent, conversation=first, text="a parcel")
    done = await conversations.create_task(by=agent, conversation=first, kind=TaskKind.CASE, title="find it")
    await details(house).note(by=agent, conversation=first, text="calls back")
    await conversations.close(by=agent, conversation=first)
    second = await house.written("bob", "again")
    await conversations.accept(by=agent, conversation=second)
    assert [one.text for one in (await details(house).read(by=agent, conversation=first)).notes] == ["calls back"]
    assert (await details(house).read(by=agent, conversation=second)).notes == ()
    assert await conversations.tasks(by=agent, conversation=first) == [done]
    assert await conversations.tasks(by=agent, conversation=second) == []
    await house.deliver(message("bob", "elsewhere"), connection="second")
    third = await house.conversation()
    await house.written("stranger")
    page = await details(house).history(by=agent, conversation=second, ongoing=True)
    assert [one.id for one in page.rows] == [third, first]
    assert [one.id for one in (await details(house).history(by=agent, conversation=second)).rows] == [first]
    await conversations.accept(by=await house.user("Ann"), conversation=third)
    page = await details(house).history(by=agent, conversation=second, ongoing=True)
    assert [one.id for one in page.rows] == [first]


async def test_history_shows_nobody_what_they_may_not_read(house: House) -> None:
    conversations = house.desk.service.conversations
    ann, bea, past = await house.user("Ann"), await house.user("Bea"), []
    for by in (ann, bea):
        past.append(await house.written("bob", by.name))
        await conversations.accept(by=by, conversation=past[-1])
        await conversations.close(by=SYSTEM, conversation=past[-1])
    current = await house.written("bob", "again")

    async def seen(by: User) -> list[int]:
        return [one.id for one in (await details(house).history(by=by, conversation=current)).rows]

    assert await seen(ann) == [past[0]]
    assert await seen(await house.user("Sue", Access.DASHBOARD)) == past[::-1]
    await conversations.accept(by=ann, conversation=current)
    assert await seen(ann) == past[::-1]
    with pytest.raises(NotGrantedError):
        await seen(bea)


@pytest.mark.row("A39")
async def test_a_quick_answer_is_filled_in_to_be_edited_or_sent(house: House) -> None:
    agent, conversation = await held(house)
    text = "Hello {first_name}, I am {agent}; this is {number}. {curly}"
    files = house.desk.service.files
    kept = await files.upload(by=SYSTEM, title="map.bin", content=piece())
    saved = await house.desk.service.catalogue.save_answer(
        by=SYSTEM, category="Hi", title="Hi", text=text, files=[kept.ref]
    )
    found, (name,) = await details(house).filled(by=agent, conversation=conversation, answer=saved.id)
    assert found == f"Hello, I am Eve Ng; this is {number(conversation)}. {{curly}}"
    part, _ = await files.read(by=agent, name=name)
    for said in (found, f"{found} Edited."):
        await house.desk.service.conversations.reply(by=agent, conversation=conversation, text=said, parts=[part])
        (last, *_) = await house.messages(conversation)
        assert (last.text, last.parts, last.author) == (said, (kept,), "Eve Ng")
    with pytest.raises(UnknownError):
        await details(house).filled(by=agent, conversation=conversation, answer=99)
    with pytest.raises(NotGrantedError):
        await details(house).filled(by=await house.user("Ann"), conversation=conversation, answer=saved.id)


async def test_braces_that_are_no_placeholder_stay() -> None:
    assert filled("{a} {b} {{a}}", {"a": "{b}", "b": "x"}) == "{b} x {{b}}"


async def test_a_blank_leaves_no_gap_and_all_else_stays_as_it_was_written() -> None:
    assert filled("Bonjour {first_name}, ça va ? :)", {"first_name": ""}) == "Bonjour, ça va ? :)"
    assert filled("Hi {first_name} there", {"first_name": ""}) == "Hi there"
    assert filled("Hi  {first_name} !", {"first_name": "Eve"}) == "Hi  Eve !"
