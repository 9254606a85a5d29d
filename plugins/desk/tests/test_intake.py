"""What arrives is recorded once, in the right conversation, and what follows it applies in any order."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from channelry.model import (
    Address,
    Announced,
    Delete,
    EchoSent,
    Edit,
    Hide,
    IdentityChanged,
    Media,
    MessageDeleted,
    MessageEdited,
    OptedOut,
    Profile,
    ReactionChanged,
    Surface,
    Target,
    Thread,
)
from channelry.model.content import Kind
from channelry_desk.database import Database
from channelry_desk.errors import NotFoundError, StoreError
from channelry_desk.grants import SYSTEM
from channelry_desk.schema import SCRIPTS
from channelry_desk.states import ConversationState
from channelry_desk.values import Replayed
from channelry_desk.worker import AT_ONCE

from .conftest import START, House, Opening, message

pytestmark = pytest.mark.anyio

EVE = Address("post", "eve")


async def texts(house: House, conversation: int | None = None) -> list[str]:
    return [one.text for one in reversed(await house.messages(conversation))]


@pytest.mark.row("A1")
async def test_messages_of_one_customer_join_one_conversation(house: House) -> None:
    assert await house.deliver(message("eve", "one"), message("eve", "two")) == 200
    first = await house.conversation()
    await house.desk.service.conversations.reply(by=SYSTEM, conversation=first, text="three")
    echo = EchoSent(key="e", occurred_at=START, recipient=EVE, external_id="e", text="four")
    assert await house.deliver(echo, message("eve", "five")) == 200
    (only,) = (await house.desk.service.search.conversations(by=SYSTEM)).rows
    assert (only.id, only.center, only.surface) == (first, "chat", "direct")
    assert await texts(house) == ["one", "two", "three", "four", "five"]


async def test_a_redelivered_message_stays_one_row_and_leaves_no_second_journal_row(house: House) -> None:
    for _ in range(3):
        assert await house.deliver(message("eve", "one")) == 200
    assert await texts(house) == ["one"]
    assert await house.rows("SELECT count(*) FROM journal") == [(1,)]


async def test_the_same_key_on_two_connections_is_two_messages(house: House) -> None:
    await house.deliver(message("eve", "one"))
    await house.deliver(message("eve", "one"), connection="second")
    assert len((await house.desk.service.search.conversations(by=SYSTEM)).rows) == 2


@pytest.mark.row("A13")
async def test_a_message_after_closure_opens_another_conversation_and_a_redelivered_one_does_not(house: House) -> None:
    await house.deliver(message("eve", "one"))
    first = await house.conversation()
    await house.desk.service.conversations.close(by=SYSTEM, conversation=first)
    await house.deliver(message("eve", "one"))
    assert await house.conversation() == first
    await house.deliver(message("eve", "two"))
    assert await house.conversation() != first


@pytest.mark.row("A30")
@pytest.mark.parametrize("swept", [True, False], ids=["by the sweep", "found out by the next message"])
async def test_a_conversation_is_open_at_24_hours_and_closed_a_second_later(house: House, swept: bool) -> None:
    await house.deliver(message("eve", "one"))
    number = await house.conversation()
    await house.clock.advance(3600)
    await house.desk.service.conversations.reply(by=SYSTEM, conversation=number, text="hello")  # does not extend it
    await house.clock.advance(23 * 3600)
    await house.desk.worker.sweep()
    assert (await house.read(number)).state == "pending"
    await house.clock.advance(1)
    if swept:
        await house.desk.worker.sweep()
    else:
        await house.deliver(message("eve", "two"))
        assert await house.conversation() != number
    closed = await house.read(number)
    assert (closed.state, closed.reason) == ("closed", "inactive")


@pytest.mark.row("A29")
async def test_a_customers_message_moves_the_expiry(house: House) -> None:
    await house.deliver(message("eve", "one"))
    await house.clock.advance(3600)
    await house.deliver(message("eve", "two"))
    found = await house.read()
    assert found.opened_at == START
    assert found.expires_at == START + timedelta(hours=25)


@pytest.mark.row("A26")
@pytest.mark.row("A27")
@pytest.mark.row("A31")
async def test_a_related_profile_is_recognized_at_once_and_a_stranger_is_anonymous(house: House) -> None:
    await house.deliver(message("eve", "one"))
    service = house.desk.service
    found = await service.conversations.read(by=SYSTEM, conversation=await house.conversation())
    assert (found.recognized, found.title) == (False, "Anonymous")
    await service.customers.create(
        by=SYSTEM, first_name="Eve", last_name="Ng", email="e@example.org", conversation=found.id
    )
    await service.conversations.close(by=SYSTEM, conversation=found.id)
    await house.deliver(message("eve", "two"))
    found = await service.conversations.read(by=SYSTEM, conversation=await house.conversation())
    assert (found.recognized, found.title) == (True, "Eve Ng")
    assert found.customer is not None
    assert found.customer.email == "e@example.org"
    nameless = evolve(found, customer=evolve(found.customer, first_name="", last_name=""))
    assert nameless.title == "e@example.org"
    assert evolve(nameless, customer=evolve(found.customer, first_name="", last_name="", email="")).title == "Anonymous"


@pytest.mark.row("A2")
@pytest.mark.row("A3")
async def test_each_first_level_comment_is_a_conversation_that_answers_join(house: House) -> None:
    def comment(who: str, key: str, **where: Any) -> Any:
        thread = Thread(root="post-1", private=False, **where)
        return message(who, key, key=key, surface=Surface.COMMENT, thread=thread)

    await house.deliver(comment("eve", "c1", depth=1), comment("eve", "c2", depth=1))
    await house.deliver(comment("bob", "c3", depth=2, parent="c1"))
    found = (await house.desk.service.search.conversations(by=SYSTEM)).rows
    assert [(one.surface, one.center) for one in found] == [("comment", "social"), ("comment", "social")]
    await house.desk.service.conversations.reply(by=SYSTEM, conversation=found[1].id, text="hi", key="k")
    await house.send()
    await house.deliver(comment("cid", "c4", depth=3, parent="c3"), comment("dan", "c5", depth=2, parent="id:k/0"))
    assert await texts(house, found[1].id) == ["c1", "c3", "hi", "c4", "c5"]
    await house.desk.service.conversations.close(by=SYSTEM, conversation=found[1].id)
    await house.deliver(comment("cid", "c6", depth=3, parent="c3"), comment("eve", "c7", depth=2, parent="c1"))
    assert await texts(house) == ["c6", "c7"]


@pytest.mark.row("A2")
async def test_a_reply_that_overtakes_its_comment_and_the_comment_are_one_conversation(house: House) -> None:
    thread = Thread(root="post-1", parent="c1", depth=2, private=False)
    early = await house.written("bob", "me too", key="c2", surface=Surface.COMMENT, thread=thread)
    first = evolve(thread, parent="post-1", depth=1)
    assert await house.written("eve", "price?", key="c1", surface=Surface.COMMENT, thread=first) == early
    assert await texts(house, early) == ["me too", "price?"]
    assert await house.written("eve", "and this?", key="c3", surface=Surface.COMMENT, thread=first) != early


async def test_what_the_business_wrote_elsewhere_shows_where_it_stands(house: House) -> None:
    """An answer below a comment shows with the comment, whoever it answers; a direct one with its recipient only."""

    def echo(key: str, parent: str | None = None, recipient: Address | None = None) -> EchoSent:
        thread = None if parent is None else Thread(root="post-1", parent=parent, depth=2, private=False)
        return EchoSent(key=key, occurred_at=START, recipient=recipient, external_id=key, thread=thread, text=key)

    thread = Thread(root="post-1", parent="post-1", depth=1, private=False)
    direct = await house.written("eve", "hello", key="m1")
    comment = await house.written("eve", "price?", key="c1", surface=Surface.COMMENT, thread=thread)
    other = await house.written("bob", "mine too", key="c2", surface=Surface.COMMENT, thread=thread)
    await house.deliver(
        message("bob", "and?", key="c3", surface=Surface.COMMENT, thread=evolve(thread, parent="c1", depth=2)),
        echo("e1", parent="c1"),
        echo("e2", parent="c3", recipient=Address("post", "bob")),
        echo("e3", recipient=EVE),
        echo("e4", parent="post-1"),
        echo("e5", recipient=Address("post", "cid")),
    )
    await house.deliver(echo("e1", parent="c1"))
    assert await texts(house, comment) == ["price?", "and?", "e1", "e2"]
    assert await texts(house, direct) == ["hello", "e3"]
    assert await texts(house, other) == ["mine too"]
    await house.desk.service.conversations.close(by=SYSTEM, conversation=comment)
    await house.deliver(echo("e6", parent="c1"))
    assert await texts(house, comment) == ["price?", "and?", "e1", "e2"]


@pytest.mark.row("A2")
async def test_a_mention_opens_a_conversation_of_the_social_center(house: House) -> None:
    thread = Thread(root="their-post", private=False)
    first = await house.written("eve", "look @us", key="t1", surface=Surface.MENTION, thread=thread)
    assert (await house.read(first)).center == "social"
    assert await house.written("eve", "look again", key="t2", surface=Surface.MENTION, thread=thread) != first


@pytest.mark.row("A2")
@pytest.mark.row("A3")
@pytest.mark.parametrize("surface", [Surface.COMMENT, Surface.MENTION])
async def test_a_direct_and_a_public_message_of_one_customer_are_never_one_conversation(
    house: House, surface: Surface
) -> None:
    direct = await house.written("eve", "hello")
    await house.deliver(message("eve", "one", surface=surface))
    await house.deliver(message("eve", "two"), message("eve", "three", surface=surface))
    found = {one.id: one for one in (await house.desk.service.search.conversations(by=SYSTEM)).rows}
    assert [(one.surface, one.center) for one in found.values()] == [(surface, "social")] * 2 + [("direct", "chat")]
    assert [await texts(house, one) for one in found] == [["three"], ["one"], ["hello", "two"]]
    assert min(found) == direct


@pytest.mark.row("A2")
async def test_mentions_below_what_is_no_business_of_ours_are_a_conversation_each(house: House) -> None:
    theirs = Thread(root="their-post", parent="their-answer", depth=2, private=False)
    first = await house.written("eve", "look @us", key="t1", surface=Surface.MENTION, thread=theirs)
    second = await house.written("bob", "ask @us", key="t2", surface=Surface.MENTION, thread=theirs)
    assert second != first
    below = evolve(theirs, parent="t1")
    await house.deliver(message("cid", "yes, @us", key="t3", surface=Surface.MENTION, thread=below))
    assert await texts(house, first) == ["look @us", "yes, @us"]
    await house.desk.service.conversations.close(by=SYSTEM, conversation=first)
    again = await house.written("cid", "@us?", key="t4", surface=Surface.MENTION, thread=below)
    assert await house.written("dan", "well?", key="t5", surface=Surface.COMMENT, thread=below) == again


async def test_what_we_did_to_a_message_shows_once_the_provider_has_taken_it(house: House) -> None:
    service = house.desk.service.conversations
    number = await house.written("eve", "rude", key="m")
    await service.reply(by=SYSTEM, conversation=number, text="helo", key="k")
    await house.send()
    ours = {"key": "x", "target": Target(to=EVE), "external_id": "id:k/0"}
    theirs = {**ours, "external_id": "m"}
    for action in (
        Edit(**ours | {"key": "e"}, text="hello"),
        Delete(**ours | {"key": "d"}),
        Hide(**theirs | {"key": "h"}),
    ):
        await service.act(by=SYSTEM, conversation=number, action=action)
    acted = {one.key: one for one in await house.messages(number)}
    assert (acted["k"].text, acted["k"].deleted_at, acted["m"].hidden_at) == ("helo", None, None)
    await house.send()
    acted = {one.key: one for one in await house.messages(number)}
    assert (acted["k"].text, acted["k"].deleted_at, acted["m"].hidden_at) == ("hello", START, START)
    assert [acted[key].direction for key in ("m", "k", "e", "d", "h")] == ["in", "out", "act", "act", "act"]
    await service.act(by=SYSTEM, conversation=number, action=Hide(**theirs | {"key": "s"}, on=False))
    await house.send()
    assert {one.key: one.hidden_at for one in await house.messages(number)}["m"] is None
    changes = [one.what for one in await house.desk.service.log.after(by=SYSTEM) if one.kind == "message"]
    assert [what for what in changes if what not in ("received", "sent")] == ["edited", "deleted", "hidden", "shown"]


async def test_the_parts_of_an_album_join_one_conversation_and_say_what_joins_them(house: House) -> None:
    for part in ("one", "two"):
        await house.written("eve", part, album="a1")
    assert [(one.text, one.album) for one in await house.messages()] == [("two", "a1"), ("one", "a1")]


@pytest.mark.parametrize("first", [True, False], ids=["in order", "before the message"])
async def test_an_edit_replaces_the_text(house: House, first: bool) -> None:
    edit = MessageEdited(key="e", occurred_at=START + timedelta(seconds=9), sender=EVE, external_id="m", text="new")
    older = MessageEdited(key="e0", occurred_at=START + timedelta(seconds=5), sender=EVE, external_id="m", text="older")
    events = [message("eve", "old", key="m"), edit]
    await house.deliver(*(events if first else reversed(events)), older)
    assert await texts(house) == ["new"]


def everything(db: Database) -> list[Any]:
    """Read every row of every table."""
    tables = re.findall(r"CREATE TABLE (\w+)", "".join(SCRIPTS))
    return [list(row) for table in tables for row in db.execute(f"SELECT * FROM {table}").fetchall()]


@pytest.mark.parametrize("first", [True, False], ids=["in order", "before the message"])
async def test_a_deletion_removes_the_content_from_everywhere(house: House, first: bool) -> None:
    original = message("eve", "secret one", key="m", context={"x": "secret"})
    edit = MessageEdited(key="e", occurred_at=START, sender=EVE, external_id="m", text="secret two")
    gone = MessageDeleted(key="d", occurred_at=START + timedelta(seconds=9), external_id="m")
    for event in (original, edit, gone) if first else (gone, edit, original):
        await house.deliver(event)
    assert await texts(house) == [""]
    dump = str(await house.desk.store.read(everything))
    assert "secret" not in dump.replace(b"secret".hex(), "secret")


async def test_reactions_count_until_they_are_taken_back(house: House) -> None:
    def react(key: str, emoji: str, seconds: int, on: bool = True) -> ReactionChanged:
        at = START + timedelta(seconds=seconds)
        return ReactionChanged(key=key, occurred_at=at, sender=EVE, external_id="m", emoji=emoji, on=on)

    await house.deliver(react("r1", "👍", 1), message("eve", "one", key="m"), react("r2", "🎉", 2))
    (found,) = (
        await house.desk.service.conversations.messages(by=SYSTEM, conversation=await house.conversation())
    ).rows
    assert [one.emoji for one in found.reactions] == ["👍", "🎉"]
    await house.deliver(react("r4", "", 4, on=False), react("r3", "👍", 3))
    (found,) = (
        await house.desk.service.conversations.messages(by=SYSTEM, conversation=await house.conversation())
    ).rows
    assert found.reactions == ()


async def test_a_person_who_moved_keeps_the_conversation_and_is_written_to_at_the_new_address(house: House) -> None:
    await house.deliver(message("eve", "one"))
    await house.deliver(IdentityChanged(key="i", occurred_at=START, old=EVE, new=Address("post", "eve2")))
    await house.deliver(message("eve2", "two", profile=Profile(address=Address("post", "eve2"))))
    assert await texts(house) == ["one", "two"]
    found = await house.read()
    assert found.address == Address("post", "eve2")
    assert found.name == "Eve"


async def test_an_alias_finds_the_recorded_profile(house: House) -> None:
    phone = Address("phone", "+49")
    await house.deliver(message("eve", "one", profile=Profile(address=phone)))
    await house.deliver(message("eve", "two", profile=Profile(address=EVE, aliases=(phone,))))
    assert await texts(house) == ["one", "two"]


async def test_an_opt_out_is_shown(house: House) -> None:
    await house.deliver(message("eve", "one"), OptedOut(key="o", occurred_at=START, sender=EVE))
    assert (await house.read()).opted_out_at == START


async def test_nul_is_shown_and_an_escaped_one_stays_text(house: House) -> None:
    await house.deliver(message("eve", "a\0b", key="1", context={"k": "c\0d \\u0000"}))
    assert await texts(house) == ["a␀b"]
    ((payload,),) = await house.rows("SELECT payload FROM messages")
    assert "c␀d \\\\u0000" in payload


async def test_what_is_not_understood_is_a_dead_letter_and_harms_no_neighbour(house: House) -> None:
    status = await house.deliver(message("eve", "one"), raw=[{"type": "Mystery", "body": "?"}])
    assert status == 200
    assert await texts(house) == ["one"]
    (letter,) = (await house.desk.service.letters.dead(by=SYSTEM)).rows
    assert (letter.type, letter.reason, letter.connection) == ("Unparsed", "a mystery", "post")
    assert await house.desk.service.letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.DEAD


async def test_what_nobody_claims_is_a_dead_letter_until_a_connection_does(house: House) -> None:
    house.hub.connections["post"].account = "mine"
    await house.deliver(message("eve", "one", account="theirs"))
    (letter,) = (await house.desk.service.letters.dead(by=SYSTEM)).rows
    assert letter.reason.startswith("unclaimed")
    assert await house.desk.service.letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.DEAD
    house.hub.connections["post"].account = "theirs"
    assert await house.desk.service.letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.SETTLED
    assert await texts(house) == ["one"]
    assert (await house.desk.service.letters.dead(by=SYSTEM)).rows == []
    assert len((await house.desk.service.letters.dead(by=SYSTEM, settled=True)).rows) == 1


async def test_what_is_replayed_days_later_reaches_an_agent_all_the_same(house: House) -> None:
    house.hub.connections["post"].account = "mine"
    await house.deliver(message("eve", "one", account="theirs"))
    (letter,) = (await house.desk.service.letters.dead(by=SYSTEM)).rows
    house.hub.connections["post"].account = "theirs"
    await house.clock.advance(3 * 24 * 3600)
    assert await house.desk.service.letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.SETTLED
    await house.desk.worker.sweep()
    seen = await house.read()
    assert (seen.state, seen.opened_at) == (ConversationState.PENDING, house.clock.now())
    assert [one.occurred_at for one in await house.messages()] == [START]


async def test_requests_of_the_journal_are_parsed_again_and_what_is_known_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, letters = type(house.desk.intake).apply, house.desk.service.letters

    def older(self: Any, db: Any, received: Any, event: Any, journal: Any) -> bool:
        """Pass over what only the next version understands."""
        return event.text != "two" and apply(self, db, received, event, journal)

    with monkeypatch.context() as patched:
        patched.setattr(type(house.desk.intake), "apply", older)
        await house.deliver(message("eve", "one"), message("eve", "two"))
    assert await texts(house) == ["one"]
    (request,) = await letters.since(by=SYSTEM, moment=house.clock.now())
    assert await letters.replay_request(by=SYSTEM, request=request) == 1
    assert await letters.replay_request(by=SYSTEM, request=request) == 0
    assert await texts(house) == ["one", "two"]
    assert await letters.since(by=SYSTEM, moment=house.clock.now() + timedelta(seconds=1)) == []
    with pytest.raises(NotFoundError, match="no request 99"):
        await letters.replay_request(by=SYSTEM, request=99)


async def test_what_cannot_be_applied_is_a_dead_letter_and_its_neighbours_are_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = type(house.desk.intake).apply

    def poisoned(self: Any, db: Any, received: Any, event: Any, journal: Any) -> bool:
        if event.key == "poison":
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        return apply(self, db, received, event, journal)

    with monkeypatch.context() as patched:
        patched.setattr(type(house.desk.intake), "apply", poisoned)
        for _ in range(2):  # redelivered, it leaves no second journal row
            assert await house.deliver(message("eve", "one"), message("eve", "x", key="poison")) == 200
    assert await texts(house) == ["one"]
    assert await house.rows("SELECT count(*) FROM journal") == [(1,)]
    (letter,) = (await house.desk.service.letters.dead(by=SYSTEM)).rows
    assert letter.reason == "not applied: UnicodeEncodeError"
    assert await house.desk.service.letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.SETTLED
    assert await texts(house) == ["one", "x"]


async def test_a_store_that_fails_is_a_503_and_the_redelivery_is_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise StoreError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(type(house.desk.intake), "record", full)
        assert await house.deliver(message("eve", "one")) == 503
    assert await house.deliver(message("eve", "one")) == 200
    assert await texts(house) == ["one"]


async def test_the_journal_keeps_requests_as_they_came_for_some_days(house: House) -> None:
    await house.deliver(message("eve", "one"))
    (entry,) = (await house.desk.service.letters.journal(by=SYSTEM)).rows
    assert entry.request.headers == ((b"x", b"1"),)
    assert entry.request.received_at == START
    await house.clock.advance(30 * 86400 + 1)
    await house.desk.worker.purge()
    assert (await house.desk.service.letters.journal(by=SYSTEM)).rows == []
    assert await texts(house) == ["one"]


async def test_the_number_of_a_request_is_not_given_again(house: House) -> None:
    """A request that was kept for its dead letter leaves the journal after younger ones."""
    house.hub.connections["post"].account = "mine"
    await house.deliver(message("eve", "one", account="theirs"))
    await house.deliver(message("eve", "two", account="mine"))
    await house.clock.advance(30 * 86400 + 1)
    await house.desk.worker.purge()
    (letter,) = (await house.desk.service.letters.dead(by=SYSTEM)).rows
    house.hub.connections["post"].account = "theirs"
    assert await house.desk.service.letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.SETTLED
    await house.desk.worker.purge()
    await house.deliver(message("eve", "three", account="theirs"))
    assert await house.rows("SELECT id FROM journal") == [(3,)]


async def test_work_after_the_acknowledgement_is_done_once_and_survives_a_restart(opening: Opening) -> None:
    async with opening() as house:
        picture, lost = Media(kind=Kind.IMAGE, id="1"), Media(kind=Kind.IMAGE, id="gone")
        nameless = Profile(address=Address("post", "bob"))
        await house.deliver(
            message("known", "look", parts=(picture, lost)),
            message("bob", "hi", profile=nameless),
            Announced(key="a", occurred_at=START, what="mention"),
        )
    async with opening(brain={}) as house:
        for _ in range(3):
            await house.desk.worker.do_errands()
            await house.desk.worker.settle()
        assert await house.rows("SELECT kind FROM jobs WHERE due_at IS NOT NULL") == []
        found = {one.name: one for one in (await house.desk.service.search.conversations(by=SYSTEM)).rows}
        assert found["Known"].title == "Known"
        assert "Looked up bob" in found
        (shown,) = await house.messages(found["Known"].id)
        assert [one.state for one in shown.files] == ["stored", "failed"]
        pieces = [piece async for piece in house.desk.files().read(shown.files[0].name)]
        assert b"".join(pieces) == b"some bytes"
        assert found["Eve"].last_text == "expanded"


@pytest.mark.parametrize("what", ["mention", "riddle"])
async def test_what_cannot_be_read_of_an_announcement_is_a_dead_letter_until_a_replay_reads_it(
    house: House, what: str
) -> None:
    """Nothing is told of it, or nothing that is understood."""
    letters = house.desk.service.letters

    async def asked() -> None:
        await house.desk.worker.do_errands()
        await house.desk.worker.settle()

    house.provider.silent.add(what)
    await house.deliver(Announced(key="a", occurred_at=START, what=what))
    for _ in range(2):
        await asked()
        (letter,) = (await letters.dead(by=SYSTEM)).rows
        assert (letter.connection, letter.key, letter.type) == ("post", "a", "Announced")
        assert {"mention": "nothing is told of it", "riddle": "it is no message"}[what] in letter.reason
        assert await letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.ASKED
        assert (await letters.dead(by=SYSTEM)).rows == [letter]
    house.provider.silent.clear()
    await asked()
    assert (await letters.dead(by=SYSTEM)).rows == []
    (found,) = (await house.desk.service.search.conversations(by=SYSTEM)).rows
    assert found.last_text == "expanded"
    (letter,) = (await letters.dead(by=SYSTEM, settled=True)).rows
    assert await letters.replay(by=SYSTEM, dead_letter=letter.id) is Replayed.SETTLED  # its message stays as it is
    assert await house.rows("SELECT kind FROM jobs WHERE kind = 'expand'") == []


async def test_the_files_of_a_deleted_message_are_deleted(house: House) -> None:
    await house.deliver(message("eve", "look", key="m", parts=(Media(kind=Kind.IMAGE, id="1"),)))
    for gone in (False, True):
        if gone:
            await house.deliver(MessageDeleted(key="d", occurred_at=START, external_id="m"))
        await house.desk.worker.do_errands()
        await house.desk.worker.settle()
        assert len(list(house.desk.folder.path.iterdir())) == (0 if gone else 1)


async def test_slow_downloads_hold_up_no_recognition(opening: Opening) -> None:
    async with opening(brain={}) as house:
        await house.deliver(message("eve", "look", parts=(Media(kind=Kind.IMAGE, id="slow"),) * 2 * AT_ONCE))
        await house.desk.worker.do_errands()
        await house.deliver(message("known", "hi"))
        await house.desk.worker.do_errands()
        async with asyncio.timeout(30):
            while await house.rows("SELECT 1 FROM jobs WHERE kind = 'recognize'"):
                pass
        assert (await house.read()).recognized
        await house.desk.worker.close(0)
        assert await house.rows("SELECT count(*) FROM media WHERE state = 'pending'") == [(2 * AT_ONCE,)]


async def test_an_uncertain_match_is_only_a_candidate(opening: Opening) -> None:
    async with opening(brain={}) as house:
        await house.deliver(message("similar", "hi"))
        await house.desk.worker.do_errands()
        await house.desk.worker.settle()
        found = await house.read()
        assert (found.recognized, found.candidate) == (False, "crm-2: the name")


@pytest.mark.row("A28")
async def test_language_and_sentiment_are_written_back_and_observers_see_every_event(opening: Opening) -> None:
    async with opening(brain={}) as house:
        await house.deliver(message("eve", "hello"), message("eve", "?"))
        await house.desk.worker.enrichment.step()
        found = await house.read()
        assert (found.language, found.sentiment) == ("en", 0.25)
        await house.desk.worker.enrichment.observe()
        await house.desk.worker.enrichment.observe()
        assert house.hub.instances["enrichment.brain"].plugin.seen == ["eve:hello", "eve:?"]


async def test_texts_that_met_an_outage_are_judged_after_it(opening: Opening) -> None:
    async with opening(brain={"fails": True}) as house:
        await house.deliver(message("eve", "hello"))
        await house.desk.worker.enrichment.step()
        found = await house.read()
        assert found.language == ""
    async with opening(brain={}) as house:
        await house.clock.advance(61)
        await house.desk.worker.do_errands()
        await house.desk.worker.settle()
        found = await house.read()
        assert found.language == "en"


@pytest.mark.row("A28")
async def test_without_providers_both_are_blank_and_the_rest_works(house: House) -> None:
    await house.deliver(message("eve", "hello"))
    assert await house.desk.worker.enrichment.step() > 0
    await house.desk.worker.do_errands()
    await house.desk.worker.settle()
    found = await house.read()
    assert (found.language, found.sentiment) == ("", None)
    conversations = house.desk.service.conversations
    await conversations.reply(by=SYSTEM, conversation=found.id, text="hi", key="k")
    await house.send()
    assert house.provider.taken == ["k/0"]
    assert (await conversations.close(by=SYSTEM, conversation=found.id)).state == "closed"


async def test_state_is_durable_and_changes_only_from_what_was_expected(opening: Opening) -> None:
    async with opening() as house:
        state = house.desk.state("connections.post")
        assert await state.get("cursor") is None
        assert await state.compare_and_set("cursor", None, "1")
        assert not await state.compare_and_set("cursor", None, "2")
    async with opening() as house:
        state = house.desk.state("connections.post")
        assert await state.get("cursor") == "1"
        assert await house.desk.state("connections.second").get("cursor") is None
        assert await state.compare_and_set("cursor", "1", None)
        assert await state.get("cursor") is None


async def test_the_worker_runs_by_itself(opening: Opening) -> None:
    async with opening(work=True, brain={}) as house:
        await house.deliver(message("known", "hello"))
        await house.clock.advance(1)
        for _ in range(50):
            await house.clock.advance(1)
            found = await house.read()
            if found.language and found.recognized:
                break
        assert (found.language, found.title) == ("en", "Known")
        await house.desk.service.conversations.reply(by=SYSTEM, conversation=found.id, text="hello")
        for _ in range(50):
            await house.clock.advance(1)
            if house.provider.taken:
                break
        assert len(house.provider.taken) == 1
