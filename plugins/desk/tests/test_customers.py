"""Who the customers are: recorded, recognized, related, merged, barred."""

from datetime import timedelta
from typing import Any

import pytest

from channelry.model import Activity, Address, EchoSent, MessageDeleted, Profile, ReactionChanged, Surface, Thread
from channelry_desk.errors import (
    BarredError,
    ConflictError,
    IncompleteError,
    NotFoundError,
    NotGrantedError,
    UnsupportedError,
)
from channelry_desk.grants import SYSTEM, Access
from channelry_desk.moments import MINUTE
from channelry_desk.phones import canonical
from channelry_desk.policies import Policy
from channelry_desk.service.customers import Customers
from channelry_desk.states import ConversationState, Reason
from channelry_desk.values import Customer, Named, number

from .conftest import START, House, Opening, Provider, message

pytestmark = pytest.mark.anyio


def customers(house: House) -> Customers:
    return house.desk.service.customers


async def recorded(house: House, first_name: str = "Eve", **given: Any) -> Customer:
    given.setdefault("phone", "+30 210 1234567")
    return await customers(house).create(by=SYSTEM, first_name=first_name, last_name="Ng", **given)


async def worked(house: House) -> None:
    """Let the errands that are due be done."""
    await house.desk.worker.do_errands()
    await house.desk.worker.settle()


def told(name: str, sender: str = "eve", **values: str) -> Activity:
    profile = Profile(address=Address("post", sender), name="")
    return Activity(key=f"{name}:{values}", occurred_at=START, sender=profile, name=name, values=values)


@pytest.mark.row("A32")
async def test_a_customer_needs_a_name_and_an_email_or_a_phone(house: House) -> None:
    with pytest.raises(IncompleteError, match="e-mail address or a phone number"):
        await customers(house).create(by=SYSTEM, first_name="Eve", last_name="Ng", company="ACME")
    for first_name, last_name in (("Eve", " "), ("", "Ng")):
        with pytest.raises(IncompleteError, match="first name and a last name"):
            await customers(house).create(by=SYSTEM, first_name=first_name, last_name=last_name, phone="1")
    made = await recorded(house, phone="1", company="ACME", address="1 High St")
    assert (made.first_name, made.last_name, made.address) == ("Eve", "Ng", "1 High St")
    assert (made.phone, made.email, made.version) == ("1", "", 1)
    assert made.company is not None
    assert made.company.name == "ACME"
    plain = await recorded(house, phone="", email="eve@example.org")
    assert (plain.phone, plain.email, plain.company, plain.address) == ("", "eve@example.org", None, "")


@pytest.mark.row("A33")
async def test_creating_relates_at_once(house: House) -> None:
    conversation = await house.written("eve")
    await customers(house).create(by=SYSTEM, first_name="Eve", last_name="Ng", phone="1", conversation=conversation)
    assert (await house.read(conversation)).recognized


async def test_a_profile_or_a_customer_that_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(NotFoundError):
        await customers(house).relate(by=SYSTEM, conversation=9, customer=9)
    with pytest.raises(NotFoundError):
        await customers(house).relate(by=SYSTEM, conversation=await house.written("eve"), customer=9)
    with pytest.raises(NotFoundError):
        await customers(house).profile(by=SYSTEM, profile=9)


@pytest.mark.row("A31")
@pytest.mark.row("D11")
@pytest.mark.parametrize("text", ["ev", "NG", "eve ng", "ng eve", "eve@ex", "+30210", "acm", "eve acme"])
async def test_a_customer_is_found_while_somebody_types(house: House, text: str) -> None:
    made = await recorded(house, email="Eve@Example.org", company="ACME Ltd")
    await recorded(house, "Adam", phone="+30 210 7654321")
    found = await customers(house).search(by=SYSTEM, text=text)
    assert made in found
    assert (len(found) == 2) == (text in ("NG", "+30210"))
    assert await customers(house).search(by=SYSTEM, text=" ") == []
    assert await customers(house).search(by=SYSTEM, text=text + "zz") == []


@pytest.mark.row("A31")
@pytest.mark.row("A4")
async def test_only_the_agent_of_a_conversation_of_the_chat_center_relates_it(opening: Opening) -> None:
    async with opening() as house:
        eve, ann = await house.user("Eve"), await house.user("Ann")
        made, conversation = await recorded(house), await house.written("bob")
        await house.desk.service.conversations.accept(by=eve, conversation=conversation)
        with pytest.raises(NotGrantedError):
            await customers(house).relate(by=ann, conversation=conversation, customer=made.id)
        await customers(house).relate(by=eve, conversation=conversation, customer=made.id)
        await house.desk.service.conversations.close(by=SYSTEM, conversation=conversation)
        later = await house.read(await house.written("bob", "again"))
        assert (later.id > conversation, later.recognized, later.title) == (True, True, "Eve Ng")


@pytest.mark.row("A4")
async def test_the_social_center_relates_and_creates_no_customers(house: House) -> None:
    thread = Thread(root="p", depth=1, private=False)
    conversation = await house.written("bob", surface=Surface.COMMENT, thread=thread)
    with pytest.raises(UnsupportedError, match="social center"):
        await customers(house).relate(by=SYSTEM, conversation=conversation, customer=(await recorded(house)).id)
    with pytest.raises(UnsupportedError, match="social center"):
        await customers(house).create(by=SYSTEM, first_name="Bob", last_name="Ng", phone="1", conversation=conversation)
    assert await customers(house).search(by=SYSTEM, text="Bob") == []


async def test_a_user_without_access_learns_nothing_of_customers(house: House) -> None:
    made, nobody = await recorded(house), await house.user("Eve", Access.CHAT_CENTER)
    nobody = await house.desk.service.people.grant(by=SYSTEM, user=nobody.id, access=())
    for asked in (
        customers(house).search(by=nobody, text="e"),
        customers(house).read(by=nobody, customer=made.id),
        customers(house).profiles(by=nobody, customer=made.id),
        customers(house).edit(by=nobody, customer=made.id, phone="2"),
        customers(house).bar(by=nobody, customer=made.id),
        customers(house).merge(by=nobody, survivor=made.id, absorbed=made.id),
        customers(house).create_company(by=nobody, name="ACME"),
    ):
        with pytest.raises(NotGrantedError):
            await asked


async def test_two_who_edit_a_customer_at_once_do_not_lose_a_change(house: House) -> None:
    seen = await recorded(house)
    edited = await customers(house).edit(by=SYSTEM, customer=seen.id, version=seen.version, phone="2")
    assert (edited.phone, edited.first_name, edited.version) == ("2", "Eve", 2)
    with pytest.raises(ConflictError, match="version 2, not 1"):
        await customers(house).edit(by=SYSTEM, customer=seen.id, version=seen.version, phone="3")
    with pytest.raises(IncompleteError):
        await customers(house).edit(by=SYSTEM, customer=seen.id, phone=" ")
    assert await customers(house).search(by=SYSTEM, text="2") == [edited]


@pytest.mark.row("D10")
async def test_the_contact_of_a_conversation_has_a_name_a_location_and_an_email(house: House) -> None:
    number = await house.written("eve")
    made = await recorded(house, email="eve@example.org", address="1 High St", conversation=number)
    found = (await house.read(number)).customer
    assert found == made
    assert (found.name, found.address, found.email) == ("Eve Ng", "1 High St", "eve@example.org")


@pytest.mark.row("D11")
async def test_a_contact_and_a_business_are_found_and_linked_or_added(house: House) -> None:
    here = customers(house)
    first, second = await house.written("eve"), await house.written("bob")
    await recorded(house)
    (found,) = await here.search(by=SYSTEM, text="eve")
    await here.relate(by=SYSTEM, conversation=first, customer=found.id)
    assert (await house.read(first)).customer == found
    added = await recorded(house, "Bob", conversation=second)
    assert (await house.read(second)).customer == added
    acme = await here.create_company(by=SYSTEM, name="ACME", phone="1", address="1 High St")
    assert (acme.phone, acme.address) == ("1", "1 High St")
    assert await here.search_companies(by=SYSTEM, text="ac") == [acme]
    assert (await here.edit(by=SYSTEM, customer=found.id, company=acme.name)).company == Named(acme.id, "ACME")
    other = (await here.edit(by=SYSTEM, customer=added.id, company="Initech")).company
    assert other is not None
    assert (await here.company(by=SYSTEM, company=other.id)).name == "Initech"
    linked = (await house.read(first)).customer
    assert linked is not None
    assert linked.company == Named(acme.id, "ACME")
    assert (await here.edit(by=SYSTEM, customer=found.id, company="")).company is None


@pytest.mark.row("D10")
async def test_a_business_has_a_location_a_phone_and_a_primary_contact(house: House) -> None:
    made = await recorded(house, company="ACME")
    assert made.company is not None
    given = {"address": "1 High St", "phone": "+302101111111", "contact": made.id}
    found = await customers(house).edit_company(by=SYSTEM, company=made.company.id, given=given, version=1)
    assert (found.name, found.address, found.phone, found.contact) == ("ACME", "1 High St", "+302101111111", made.id)
    with pytest.raises(ConflictError):
        await customers(house).edit_company(by=SYSTEM, company=found.id, given={}, version=1)
    with pytest.raises(ConflictError, match="already"):
        await customers(house).create_company(by=SYSTEM, name="ACME")
    with pytest.raises(IncompleteError):
        await customers(house).create_company(by=SYSTEM, name=" ")
    with pytest.raises(NotFoundError):
        await customers(house).edit_company(by=SYSTEM, company=found.id, given={"contact": 99})
    assert [one.name for one in await customers(house).search_companies(by=SYSTEM, text="ac")] == ["ACME"]


# Recognition


@pytest.mark.parametrize(
    ("one", "other"),
    [("+52 1 55 1234 5678", "+52 55 1234 5678"), ("+54 9 11 2345 6789", "+54 11 2345 6789"),
     ("+55 11 91234-5678", "+55 11 1234-5678"), ("+30 210 123 4567", "0030 2101234567"),
     ("+49 (0) 171 1234567", "0171/1234567")],
)  # fmt: skip
async def test_a_telephone_number_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert canonical(one, "de") == canonical(other, "de") != ""


@pytest.mark.parametrize("text", ["", "hello", "+1", "+999999999999999999"])
async def test_what_is_no_telephone_number_has_no_form(text: str) -> None:
    assert canonical(text, "de") == ""


@pytest.mark.row("S17")
async def test_a_number_that_the_channel_vouches_for_links_by_itself(house: House) -> None:
    made = await recorded(house, phone="+52 55 1234 5678")
    sender = Profile(address=Address("post", "eve"), name="x", aliases=(Address("phone", "5215512345678"),))
    await house.deliver(message("eve", "hello", profile=sender))
    await worked(house)
    found = await house.read()
    assert found.customer == made
    assert (await customers(house).profile(by=SYSTEM, profile=found.profile)).customer == made.id


@pytest.mark.row("A26")
async def test_who_was_recorded_meanwhile_is_recognized_when_the_next_conversation_is_created(house: House) -> None:
    sender = Profile(address=Address("post", "eve"), name="x", aliases=(Address("phone", "302101234567"),))
    stranger = await house.written("eve", profile=sender)
    await worked(house)
    made = await recorded(house)
    await house.written("eve", "one more thing", profile=sender)
    await worked(house)
    assert not (await house.read(stranger)).recognized
    await house.desk.service.conversations.close(by=SYSTEM, conversation=stranger)
    again = await house.written("eve", "again", profile=sender)
    await worked(house)
    assert (again > stranger, (await house.read(again)).customer) == (True, made)
    await house.desk.service.conversations.close(by=SYSTEM, conversation=again)
    await house.written("eve", "and again", profile=sender)
    assert await house.rows("SELECT kind FROM jobs") == []


async def test_two_customers_of_one_number_are_candidates_and_none_is_linked(house: House) -> None:
    one, other = await recorded(house), await recorded(house, "Adam")
    sender = Profile(address=Address("phone", "302101234567"), name="Adam Ng")
    await house.deliver(message("eve", "hello", profile=sender))
    await worked(house)
    assert not (await house.read()).recognized
    found = await customers(house).candidates(by=SYSTEM, conversation=await house.conversation())
    assert [(each.customer, each.evidence, each.certain) for each in found] == [
        (other, ("phone", "name"), True), (one, ("phone",), True),
    ]  # fmt: skip


@pytest.mark.row("D28")
async def test_what_is_said_before_a_chat_is_matched_but_links_only_who_has_signed_in(house: House) -> None:
    made = await recorded(house, email="Eve@example.org")
    earlier = await house.written("older")
    await customers(house).relate(by=SYSTEM, conversation=earlier, customer=made.id)
    answers = {"Name": "eve  NG", "email": "eve@EXAMPLE.org", "Phone": "+302101234567", "case": number(earlier)}
    await house.deliver(told("survey", **answers), message("eve", "hello"))
    await worked(house)
    conversation = await house.conversation()
    assert not (await house.read(conversation)).recognized
    (found,) = await customers(house).candidates(by=SYSTEM, conversation=conversation)
    assert (found.customer, found.certain) == (made, False)
    assert found.evidence == ("phone", "email", "number", "name")
    await house.deliver(told("visitor", authenticated="yes", browser="Firefox"))
    await worked(house)
    assert not (await house.read(conversation)).recognized  # whoever has signed in types what they like all the same
    await house.deliver(told("visitor", authenticated="no", email="eve@example.org"))
    await worked(house)
    assert not (await house.read(conversation)).recognized
    await house.deliver(told("visitor", authenticated="yes", email="eve@example.org"))
    await worked(house)
    assert (await house.read(conversation)).customer == made


async def test_two_who_relate_one_profile_at_once_do_not_lose_a_change(house: House) -> None:
    one, other = await recorded(house), await recorded(house, "Adam")
    here, there = await house.written("eve"), 0
    await house.deliver(message("eve", "hello", key="there"), connection="second")
    there = await house.conversation()
    seen = await house.read(there)
    assert seen.profile == (await house.read(here)).profile
    version = (await house.read(here)).version
    await customers(house).relate(by=SYSTEM, conversation=here, customer=one.id, version=version)
    with pytest.raises(ConflictError):
        await customers(house).relate(by=SYSTEM, conversation=there, customer=other.id, version=seen.version)
    with pytest.raises(ConflictError):
        await customers(house).create(
            by=SYSTEM, first_name="A", last_name="B", phone="9", conversation=there, version=seen.version
        )
    assert (await house.read(there)).customer == one
    assert await customers(house).search(by=SYSTEM, text="A B") == []


async def test_it_is_said_who_is_meant(house: House) -> None:
    for function in (customers(house).bar, customers(house).export, customers(house).erase):
        with pytest.raises(IncompleteError, match="name a customer or a profile"):
            await function(by=SYSTEM)
    company = await customers(house).create_company(by=SYSTEM, name="ACME")
    with pytest.raises(IncompleteError, match="no name to change"):
        await customers(house).edit_company(by=SYSTEM, company=company.id, given={"name": "x"})


# Merging


async def test_merged_customers_are_one_that_keeps_the_survivors_values(house: House) -> None:
    one = await recorded(house, email="eve@example.org")
    other = await recorded(house, "Evelyn", phone="+302107654321", company="ACME")
    conversation = await house.written("eve")
    await customers(house).relate(by=SYSTEM, conversation=conversation, customer=other.id)
    with pytest.raises(ConflictError, match="version 1, not 7"):
        await customers(house).merge(by=SYSTEM, survivor=one.id, absorbed=other.id, versions=(one.version, 7))
    with pytest.raises(ConflictError, match="itself"):
        await customers(house).merge(by=SYSTEM, survivor=one.id, absorbed=one.id)
    merged = await customers(house).merge(by=SYSTEM, survivor=one.id, absorbed=other.id, why="the same person")
    assert (merged.first_name, merged.email, merged.phone) == ("Eve", "eve@example.org", "+30 210 1234567")
    assert merged.company == other.company
    assert (await house.read(conversation)).customer == merged
    assert await customers(house).read(by=SYSTEM, customer=other.id) == merged
    assert await customers(house).search(by=SYSTEM, text="evelyn") == []
    with pytest.raises(ConflictError, match="was merged"):
        await customers(house).edit(by=SYSTEM, customer=other.id, phone="3")
    changes = await house.desk.service.log.after(by=SYSTEM)
    assert [(each.what, each.why) for each in changes[-2:]] == [
        ("merged", "the same person"), ("absorbed", "the same person"),
    ]  # fmt: skip


async def test_who_is_merged_with_a_barred_customer_is_barred(house: House) -> None:
    one, other = await recorded(house), await recorded(house, "Adam")
    conversation = await house.written("eve")
    await customers(house).relate(by=SYSTEM, conversation=conversation, customer=one.id)
    await customers(house).bar(by=SYSTEM, customer=other.id)
    await customers(house).merge(by=SYSTEM, survivor=one.id, absorbed=other.id)
    assert (await house.read(conversation)).reason == Reason.BARRED
    await house.deliver(message("eve", "again"))
    assert await house.conversation() == conversation


# Barring


@pytest.mark.row("A14")
@pytest.mark.row("A15")
@pytest.mark.row("A18")
async def test_what_a_barred_profile_writes_is_ignored_and_counted_until_it_is_unbarred(house: House) -> None:
    conversation = await house.written("eve")
    profile = (await house.read(conversation)).profile
    await customers(house).bar(by=SYSTEM, profile=profile, why="insults")
    seen = await house.read(conversation)
    assert (seen.state, seen.reason) == (ConversationState.CLOSED, Reason.BARRED)
    before = await stored(house)
    assert await house.deliver(message("eve", "again")) == 200
    eve = Address("post", "eve")
    reaction = ReactionChanged(key="r", occurred_at=START, sender=eve, external_id="eve:hello", emoji="x")
    assert await house.deliver(reaction, told("page", url="/")) == 200
    assert await stored(house) == before
    assert (await customers(house).profile(by=SYSTEM, profile=profile)).dropped == 3
    await customers(house).bar(by=SYSTEM, profile=profile, barred=False)
    assert await house.written("eve", "better now") > conversation


@pytest.mark.row("A15")
async def test_barring_a_profile_closes_all_that_it_has_open_and_nobody_elses(house: House) -> None:
    await house.desk.service.catalogue.set_policy(by=SYSTEM, policy=Policy(wrap_up=5 * MINUTE))
    service, thread = house.desk.service.conversations, Thread(root="p", depth=1, private=False)
    held = [await house.written("eve")]
    await service.accept(by=SYSTEM, conversation=held[0])
    await service.end(by=SYSTEM, conversation=held[0])
    held += [await house.written("eve", text, surface=Surface.COMMENT, thread=thread) for text in ("one", "two")]
    held += [await house.written("eve", "three"), await house.written("bob")]
    for conversation in held[1:3]:
        await service.accept(by=SYSTEM, conversation=conversation)
    await service.hold(by=SYSTEM, conversation=held[1])
    states = [(await house.read(one)).state for one in held]
    assert states == ["wrap-up", "waiting", "active", "pending", "pending"]
    await customers(house).bar(by=SYSTEM, profile=(await house.read(held[0])).profile)
    found = [await house.read(one) for one in held]
    assert [(one.state, one.reason) for one in found] == [("closed", "barred")] * 4 + [("pending", "")]


async def stored(house: House) -> list[int]:
    tables = ("journal", "messages", "conversations", "events", "visits", "dead_letters", "reactions", "jobs")
    return [(await house.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in tables]


@pytest.mark.row("A14")
async def test_a_barred_person_is_barred_by_every_address_and_under_another_name(house: House) -> None:
    sender = Profile(address=Address("post", "eve"), name="Eve", aliases=(Address("phone", "1"),))
    await house.deliver(message("eve", "one", profile=sender))
    await customers(house).bar(by=SYSTEM, profile=(await house.read()).profile)
    before = await stored(house)
    other = Profile(address=Address("post", "new"), name="Nobody", aliases=(Address("phone", "1"),))
    await house.deliver(message("eve", "two", profile=other))
    await house.deliver(message("eve", "three", profile=Profile(address=Address("post", "eve"), name="Nobody")))
    assert await stored(house) == before


async def test_a_bar_exempts_echoes_and_what_a_customer_takes_back(house: House) -> None:
    conversation = await house.written("eve", "secret")
    await customers(house).bar(by=SYSTEM, profile=(await house.read()).profile)
    echo = EchoSent(key="e", occurred_at=START, recipient=Address("post", "eve"), external_id="e", text="we wrote")
    deleted = MessageDeleted(key="d", occurred_at=START, external_id="eve:secret", sender=Address("post", "eve"))
    await house.deliver(echo, deleted)
    kept = await house.rows("SELECT type FROM events ORDER BY id")
    assert [one[0] for one in kept] == ["EchoSent", "MessageDeleted"]
    assert (await house.messages(conversation))[0].text == ""


@pytest.mark.row("A16")
@pytest.mark.row("A17")
@pytest.mark.row("A18")
async def test_barring_a_customer_bars_every_profile_and_closes_all_that_is_open(house: House) -> None:
    made = await recorded(house)
    held = [await house.written("eve"), await house.written("evelyn")]
    for conversation in held:
        await customers(house).relate(by=SYSTEM, conversation=conversation, customer=made.id)
    await customers(house).bar(by=SYSTEM, customer=made.id, why="insults")
    assert {(await house.read(one)).reason for one in held} == {Reason.BARRED}
    await house.deliver(message("eve", "again"), message("evelyn", "again"))
    assert await house.conversation() == held[-1]
    assert [one.dropped for one in await customers(house).profiles(by=SYSTEM, customer=made.id)] == [1, 1]
    later = await house.written("third")
    await customers(house).relate(by=SYSTEM, conversation=later, customer=made.id)
    assert (await house.read(later)).reason == Reason.BARRED
    await customers(house).bar(by=SYSTEM, profile=(await house.read(later)).profile)
    await customers(house).bar(by=SYSTEM, customer=made.id, barred=False)
    thanks = await house.written("eve", "thanks")
    assert await house.written("third", "thanks") > thanks > later


async def test_nothing_is_begun_with_a_barred_customer(house: House) -> None:
    await house.written("eve")
    await customers(house).bar(by=SYSTEM, profile=(await house.read()).profile)
    with pytest.raises(BarredError):
        await house.desk.service.conversations.start(
            by=SYSTEM, connection="post", address=Address("post", "eve"), text="hi"
        )


async def test_a_bar_outlives_the_conversation_that_expired_meanwhile(opening: Opening) -> None:
    async with opening(provider=Provider()) as house:
        conversation = await house.written("eve")
        await house.clock.advance(timedelta(hours=25).total_seconds())
        await customers(house).bar(by=SYSTEM, profile=(await house.read(conversation)).profile)
        assert (await house.read(conversation)).state is ConversationState.CLOSED
