"""All Conversations: every filter and their combination, and words, the newest first."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelry.model import Address, EchoSent, Edit, MessageDeleted, MessageEdited, Target
from channelry_desk.errors import IncompleteError, NotGrantedError
from channelry_desk.fulltext import words
from channelry_desk.grants import SYSTEM, Access
from channelry_desk.search import Wanted
from channelry_desk.states import ConversationState
from channelry_desk.values import number

from .conftest import START, House, message

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


async def found(house: House, **wanted: Any) -> list[int]:
    page = await house.desk.service.search.conversations(by=SYSTEM, wanted=Wanted(**wanted))
    return [one.id for one in page.rows]


async def indexed(house: House) -> None:
    """Let the index of words catch up."""
    await house.desk.worker.index()


@pytest.mark.row("A47")
async def test_only_dashboard_access_reads_all_conversations(house: House) -> None:
    with pytest.raises(NotGrantedError):
        await house.desk.service.search.conversations(by=await house.user("Eve"))
    supervisor = await house.user("Ann", Access.DASHBOARD)
    await house.written("bob")
    assert len((await house.desk.service.search.conversations(by=supervisor)).rows) == 1


@pytest.mark.row("A36")
@pytest.mark.row("A41")
@pytest.mark.row("A47")
@pytest.mark.row("S6")
async def test_each_filter_finds_what_it_names_and_together_what_fits_all(house: House) -> None:
    service = house.desk.service
    bob, ann = await house.written("bob"), 0
    await house.clock.advance(HOUR.total_seconds())
    await house.deliver(message("ann", "hello"), connection="second")
    ann = await house.conversation()
    await house.clock.advance(HOUR.total_seconds())
    cid = await house.written("cid")
    agent = await house.user("Eve")
    await service.conversations.accept(by=agent, conversation=bob)
    await service.conversations.accept(by=agent, conversation=ann)
    tag, other = [await service.catalogue.create_tag(by=SYSTEM, name=name) for name in ("x", "y")]
    await service.details.set_tags(by=agent, conversation=bob, tags=[tag.id, other.id])
    await service.details.set_tags(by=agent, conversation=ann, tags=[tag.id])
    subjects = [await service.catalogue.create_subject(by=SYSTEM, name="1")]
    for name in "23":
        subjects.append(await service.catalogue.create_subject(by=SYSTEM, name=name, parent=subjects[-1].id))
    await service.details.set_subject(by=agent, conversation=ann, subject=subjects[2].id)
    customer = await service.customers.create(by=agent, first_name="B", last_name="B", phone="1", conversation=bob)
    await service.conversations.close(by=SYSTEM, conversation=ann)

    assert await found(house) == [cid, ann, bob]
    cases: list[tuple[dict[str, Any], set[int]]] = [
        ({"connections": ["second"]}, {ann}),
        ({"connections": ["post", "second"]}, {bob, ann, cid}),
        ({"opened_from": START + HOUR}, {ann, cid}),
        ({"opened_to": START + HOUR}, {bob, ann}),
        ({"opened_from": START + HOUR, "opened_to": START + HOUR}, {ann}),
        ({"opened_from": START + 9 * HOUR}, set()),
        ({"customer": customer.id}, {bob}),
        ({"user": "ev"}, {bob, ann}),
        ({"user": "NG"}, {bob, ann}),
        ({"user": "eve@ex"}, {bob, ann}),
        ({"user": "ve"}, set()),
        ({"tags": [tag.id]}, {bob, ann}),
        ({"tags": [tag.id, other.id]}, {bob}),
        ({"subject": subjects[2].id}, {ann}),
        ({"subject": subjects[0].id}, {ann}),
        ({"number": number(cid)}, {cid}),
        ({"number": "C-9999999"}, set()),
        ({"number": "nonsense"}, set()),
        *(({"state": state}, {one}) for state, one in (
            (ConversationState.ACTIVE, bob), (ConversationState.CLOSED, ann), (ConversationState.PENDING, cid),
        )),
    ]  # fmt: skip
    for wanted, expected in cases:
        assert await found(house, **wanted) == sorted(expected, reverse=True), wanted
    for one, first in cases:
        for two, second in cases:
            if not one.keys() & two.keys():
                assert await found(house, **one, **two) == sorted(first & second, reverse=True), (one, two)


async def test_a_time_needs_its_zone(house: House) -> None:
    with pytest.raises(IncompleteError, match="zone"):
        await found(house, opened_from=datetime(2026, 11, 22))


@pytest.mark.row("A47")
async def test_words_are_found_whatever_their_case_and_accents_in_one_message_together(house: House) -> None:
    bob = await house.written("bob", "Πού είναι ΤΟ δέμα, José?")
    await house.written("bob", "4711")
    ann = await house.written("ann", "jose JOSE")
    assert await found(house, text="jose") == []
    await indexed(house)
    assert await found(house, text="josé") == [ann, bob]
    assert await found(house, text="που ΔΕΜΑ") == [bob]
    assert await found(house, text="jose 4711") == []
    assert await found(house, text="jos") == []
    assert await found(house, text="jose", connections=["second"]) == []
    with pytest.raises(IncompleteError, match="no word"):
        await found(house, text="?!")
    assert await found(house, text="' | jose:* OR \"jose") == []


@pytest.mark.parametrize(
    ("text", "finds", "misses"),
    [
        ("我要退款，谢谢！iPhone手机", ["退款", "款", "iphone", "手机", "我要退款"], ["退谢款", "机手", "iphon"]),
        ("パーティーに行きます", ["パーティー", "ハーティー", "行きます"], ["行ます"]),
        ("กินข้าวแล้วหรือยัง", ["กินข้าว", "ข้าว", "ยัง"], ["ข้าวกิน"]),
        ("मुझे धनवापसी चाहिए", ["धनवापसी", "चाहिए"], ["धन"]),
        ("أريد استرداد المَبلغ", ["المبلغ", "أريد"], ["مبلغ"]),
        ("می‌خواهم بروم", ["میخواهم"], ["خواهم"]),
        ("환불해 주세요", ["환불해"], ["환불"]),
        ("Straße ΌΧΙ ŁÓDŹ", ["STRASSE", "οχι", "łódź"], ["stras"]),
        ("𞤀𞤣𞤤𞤢𞤥 ᲒᲐᲛᲐᲠᲯᲝᲑᲐ", ["𞤀𞤣𞤤𞤢𞤥", "გამარჯობა"], ["𞤀𞤣"]),
        ("so ❤️ nice_one", ["nice", "one"], ["nic"]),
    ],
)
@pytest.mark.row("A47")
async def test_words_of_any_script_are_found(house: House, text: str, finds: list[str], misses: list[str]) -> None:
    number = await house.written("bob", text)
    await indexed(house)
    assert [word for word in finds if await found(house, text=word) != [number]] == []
    assert [word for word in misses if await found(house, text=word)] == []


async def test_a_merged_customer_is_found_as_who_they_are_now(house: House) -> None:
    service, number = house.desk.service, await house.written("bob")
    one = await service.customers.create(by=SYSTEM, first_name="B", last_name="B", phone="1", conversation=number)
    other = await service.customers.create(by=SYSTEM, first_name="C", last_name="C", phone="2")
    await service.customers.merge(by=SYSTEM, survivor=other.id, absorbed=one.id)
    assert await found(house, customer=one.id) == await found(house, customer=other.id) == [number]


async def test_pages_of_words_lead_on_to_the_next_ones(house: House) -> None:
    numbers = [await house.written(f"w{one}", "tea") for one in range(7)]
    for one in range(3):
        await house.written("w3", f"more tea {one}")
    await indexed(house)
    cursor, pages = "", []
    while not pages or cursor:
        page = await house.desk.service.search.conversations(
            by=SYSTEM, wanted=Wanted(text="tea"), limit=3, cursor=cursor
        )
        pages.append([one.id for one in page.rows])
        cursor = page.cursor
    assert [one for page in pages for one in page] == numbers[::-1]


async def test_an_edit_and_a_deletion_reach_the_index(house: House) -> None:
    number = await house.written("bob", "tea", key="m")
    await indexed(house)
    bob = Address("post", "bob")
    await house.deliver(MessageEdited(key="e", occurred_at=START, sender=bob, external_id="m", text="coffee"))
    assert (await found(house, text="tea"), await found(house, text="coffee")) == ([], [number])
    await house.deliver(MessageDeleted(key="d", occurred_at=START, external_id="m", sender=bob))
    assert await found(house, text="coffee") == []
    late = await house.written("ann", "milk", key="n")
    await house.deliver(MessageDeleted(key="f", occurred_at=START, external_id="n"))
    await indexed(house)
    assert (await found(house, text="milk"), late > number) == ([], True)


async def test_our_own_words_are_found_and_our_edit_of_them_too(house: House) -> None:
    number = await house.written("bob")
    conversations = house.desk.service.conversations
    await conversations.reply(by=SYSTEM, conversation=number, text="sugar", key="r")
    await house.send()
    await indexed(house)
    assert await found(house, text="sugar") == [number]
    action = Edit(key="e", target=Target(to=Address("post", "bob")), external_id="id:r/0", text="honey")
    await conversations.act(by=SYSTEM, conversation=number, action=action)
    await house.send()
    await indexed(house)
    assert (await found(house, text="sugar"), await found(house, text="honey")) == ([], [number])


async def test_what_is_written_after_an_echo_of_ours_was_removed_is_found(house: House) -> None:
    """The index goes by the ids of messages: the removed one's is not given again."""
    number = await house.written("bob")
    await house.desk.service.conversations.reply(by=SYSTEM, conversation=number, text="sugar", key="r")
    bob = Address("post", "bob")
    await house.deliver(EchoSent(key="e", occurred_at=START, external_id="id:r/0", text="sugar", recipient=bob))
    await indexed(house)
    await house.send()
    await house.written("bob", "honey")
    await indexed(house)
    assert await found(house, text="honey") == [number]
    ((words,),) = await house.rows("SELECT count(*) FROM words")
    assert words == len(await house.messages(number))  # of the removed one there are none


@given(st.text())
def test_any_text_has_words_that_are_found_again_as_they_are(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
