"""Every function of the service: who is granted nothing is refused, and nothing that a caller gives breaks it."""

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
import pytest

from channelry.errors import PermanentError, WindowClosedError
from channelry.model import Address, Hide, MarkRead, Target
from channelry_desk.catalogue import Setting
from channelry_desk.errors import DeskError, IncompleteError
from channelry_desk.grants import SYSTEM, Access, User
from channelry_desk.hooks import TaskKind
from channelry_desk.policies import Policy
from channelry_desk.queries import Stream
from channelry_desk.rules import Decision
from channelry_desk.search import Wanted
from channelry_desk.service.door import storable
from channelry_desk.service.topic import Topic

from .conftest import START, House, message

pytestmark = pytest.mark.anyio

EVE = Address("post", "eve")
TO = Target(to=EVE)
WITHOUT_USER = {"people.join", "people.authenticate"}
"""What somebody does who is nobody yet."""
HOSTILE = "a\0b \ud800 \x1f ' \" % ∀ \U0010ffff"
HUGE = 2**70


async def content() -> AsyncIterator[bytes]:
    yield b"bytes"


async def calls(house: House) -> dict[str, dict[str, Any]]:
    """Furnish the desk; give for each function something to call it with."""
    service, catalogue = house.desk.service, house.desk.service.catalogue
    conversation = await house.written("eve")
    customer = await service.customers.create(by=SYSTEM, first_name="Eve", last_name="Ng", phone="1")
    other = await service.customers.create(by=SYSTEM, first_name="Ann", last_name="Ng", phone="2", company="ACME")
    user = (await house.user("Ann")).id
    queue, tag = await catalogue.create_queue(by=SYSTEM, name="q"), await catalogue.create_tag(by=SYSTEM, name="t")
    skill, field = await catalogue.create_skill(by=SYSTEM, name="s"), await catalogue.create_field(by=SYSTEM, name="f")
    subject = await catalogue.create_subject(by=SYSTEM, name="1")
    answer = await catalogue.save_answer(by=SYSTEM, category="c", title="t", text="x")
    file = await service.files.upload(by=SYSTEM, title="t", content=content())
    await catalogue.save_answer(by=SYSTEM, category="c", title="f", files=[file.ref])
    await service.conversations.describe(by=SYSTEM, conversation=conversation, text="d")
    await service.conversations.reply(by=SYSTEM, conversation=conversation, text="hi", key="k")
    assert other.company is not None
    here = {"conversation": conversation}
    versioned, step = {**here, "version": 1}, {**here, "version": 1, "why": "w"}
    page = {"limit": 1, "cursor": ""}
    listed, person = {**here, **page}, {"customer": customer.id}
    return {
        "conversations.stream": {"which": Stream.OPEN, **page},
        **dict.fromkeys(("conversations.read", "conversations.changes", "conversations.intervals"), here),
        **dict.fromkeys(("conversations.tasks", "conversations.capabilities"), here),
        **dict.fromkeys(("customers.candidates", "details.read"), here),
        **dict.fromkeys(("conversations.messages", "details.history", "files.documents"), listed),
        **dict.fromkeys(("conversations.accept", "conversations.resume", "conversations.archive"), versioned),
        **dict.fromkeys(("conversations.reject", "conversations.release", "conversations.hold"), step),
        **dict.fromkeys(("conversations.end", "conversations.close"), step),
        "conversations.abandon": {**here, "why": "w"},
        "conversations.types": {},
        "conversations.start": {"connection": "post", "address": Address("post", "new"), "text": "hi", "key": "s"},
        "conversations.reply": {**here, "text": "hi", "key": "r"},
        "conversations.act": {**here, "action": Hide(key="h", target=TO, external_id="eve:hello")},
        "conversations.signal": {**here, "action": MarkRead(key="m", target=TO, external_id="eve:hello")},
        "conversations.colleagues": {**here, "text": "A"},
        "conversations.assign": {**step, "to": user},
        "conversations.route": {**step, "queue": queue.id},
        "conversations.share": {**here, "user": user},
        "conversations.describe": {**versioned, "text": "d"},
        "conversations.create_task": {**here, "kind": TaskKind.CASE, "title": "t", "text": "x", "key": "t"},
        "conversations.view_task": {**here, "reference": "r"},
        "customers.search": {"text": "Eve"},
        "customers.search_companies": {"text": "AC"},
        **dict.fromkeys(("customers.read", "customers.profiles", "customers.export"), person),
        "customers.profile": {"profile": 1},
        "customers.create": {
            "first_name": "F", "last_name": "L", "email": "e@example.org", "phone": "3", "company": "C", "address": "A",
            **versioned,
        },
        "customers.edit": {
            "customer": customer.id, "version": 1, "first_name": "F", "last_name": "L", "email": "e", "phone": "3",
            "company": "C", "address": "A",
        },
        "customers.relate": {**versioned, "customer": customer.id},
        "customers.merge": {"survivor": customer.id, "absorbed": other.id, "why": "w"},
        "customers.bar": {"customer": customer.id, "profile": 1, "why": "w"},
        "customers.erase": {"customer": customer.id, "why": "w"},
        "customers.company": {"company": other.company.id},
        "customers.create_company": {"name": "B", "phone": "4", "address": "A"},
        "customers.edit_company": {"company": other.company.id, "given": {"phone": "4", "address": "x"}, "version": 1},
        "details.set_tags": {**versioned, "tags": [tag.id]},
        "details.set_skills": {**versioned, "skills": [skill.id]},
        "details.set_subject": {**versioned, "subject": subject.id},
        "details.set_fields": {**versioned, "values": {field.id: "v"}},
        "details.note": {**here, "text": "n"},
        "details.filled": {**here, "answer": answer.id},
        "files.upload": {"title": "t", "content": content()},
        "files.read": {"name": file.ref},
        "search.conversations": {"wanted": Wanted(text="hello", user="a", connections=["post"], number="C-1"), **page},
        "people.users": {},
        "people.read": {"user": user},
        "people.invite": {"email": "x@example.org", "first_name": "X", "last_name": "Y", "short_code": "Z"},
        "people.join": {"token": "t", "password": "long enough, that is"},
        "people.authenticate": {"email": "ann@example.org", "password": "p"},
        "people.grant": {"user": user, "access": [Access.DASHBOARD], "connections": ["post"], "queues": [queue.id]},
        "people.disable": {"user": user, "why": "w"},
        "people.be_present": {"present": True},
        "people.groups": {},
        "people.create_group": {"name": "g"},
        **{f"catalogue.{name}": {} for name in ("queues", "policies", "tags", "skills", "subjects", "fields")},
        **{f"catalogue.create_{name}": {"name": "n"} for name in ("queue", "tag", "skill", "subject")},
        "catalogue.create_field": {"name": "n", "initial": "i", "choices": []},
        "catalogue.retire_tag": {"tag": tag.id},
        "catalogue.retire_skill": {"skill": skill.id},
        "catalogue.retire_subject": {"subject": subject.id},
        "catalogue.retire_field": {"field": field.id},
        "catalogue.answers": {"language": "en"},
        "catalogue.save_answer": {"category": "c", "title": "t", "text": "x", "language": "en", "files": [file.ref]},
        "catalogue.retire_answer": {"answer": answer.id},
        "catalogue.setting": {"name": Setting.CARD},
        "catalogue.change_setting": {"name": Setting.CARD, "value": ["email"]},
        "catalogue.set_policy": {"policy": Policy(connection="post", queue=queue.id)},
        "letters.dead": page,
        "letters.journal": page,
        "letters.replay": {"dead_letter": 1},
        "letters.since": {"moment": START},
        "letters.replay_request": {"request": 1},
        "log.after": {"number": 0, "limit": 1},
        "outbox.uncertain": page,
        "outbox.decide": {"call": 1, "decision": Decision.SENT},
    }  # fmt: skip


def functions(house: House) -> Iterator[str]:
    """Name every function of the service."""
    for topic in attrs.fields(type(house.desk.service)):
        value = getattr(house.desk.service, topic.name)
        if isinstance(value, Topic):
            for name, _ in inspect.getmembers(value, inspect.iscoroutinefunction):
                if not name.startswith("_"):
                    yield f"{topic.name}.{name}"


async def outcome(house: House, function: str, given: dict[str, Any]) -> str:
    """Call a function; give the code of its refusal, or that it was done."""
    topic, _, name = function.partition(".")
    try:
        await getattr(getattr(house.desk.service, topic), name)(**given)
    except (DeskError, PermanentError, WindowClosedError) as error:
        return error.code
    return "done"


@pytest.mark.row("A43")
async def test_who_is_granted_nothing_or_disabled_is_refused_everywhere(house: House) -> None:
    table = await calls(house)
    assert sorted(table) == sorted(functions(house))
    fresh, _ = await house.desk.service.people.invite(by=SYSTEM, email="new@example.org", first_name="New")
    former = await house.user("Old", *Access)
    await house.desk.service.people.disable(by=SYSTEM, user=former.id)
    former = await house.desk.service.people.read(by=SYSTEM, user=former.id)
    told = {
        (function, by.name): await outcome(house, function, {"by": by, **given})
        for function, given in table.items() for by in (fresh, former) if function not in WITHOUT_USER
    }  # fmt: skip
    assert {who: code for who, code in told.items() if code != "not_granted"} == {}


SECTIONS = {
    Access.ADMINISTRATION: {
        *(f"people.{name}" for name in ("users", "read", "invite", "grant", "disable", "create_group")),
        *(f"catalogue.create_{name}" for name in ("queue", "tag", "skill", "subject", "field")),
        *(f"catalogue.retire_{name}" for name in ("tag", "skill", "subject", "field", "answer")),
        *(f"catalogue.{name}" for name in ("save_answer", "set_policy", "change_setting")),
        *(f"letters.{name}" for name in ("dead", "journal", "replay", "since", "replay_request")),
        *("customers.export", "customers.erase", "log.after"),
    },
    Access.CHAT_CENTER: {
        *(f"customers.{name}" for name in ("edit", "merge", "bar", "create_company", "edit_company")),
        *("conversations.stream", "conversations.start", "files.upload"),
    },
    Access.DASHBOARD: {"search.conversations", "outbox.uncertain"},
}
"""What belongs to one section alone, and is not of one conversation."""


@pytest.mark.row("A43")
@pytest.mark.parametrize("access", list(Access))
async def test_each_access_opens_its_own_section_and_no_other(house: House, access: Access) -> None:
    table, by = await calls(house), await house.user("Bea", access)
    refused = {
        function for function in set().union(*SECTIONS.values())
        if await outcome(house, function, {"by": by, **table[function]}) == "not_granted"
    }  # fmt: skip
    assert refused == set().union(*SECTIONS.values()) - SECTIONS[access]


@pytest.mark.row("A44")
@pytest.mark.parametrize("access", [Access.ADMINISTRATION, Access.CHAT_CENTER])
async def test_neither_administrators_nor_agents_of_other_channels_get_at_a_conversation(
    house: House, access: Access
) -> None:
    table = await calls(house)
    by = await house.user("Bea", access, connections=["second"])
    told = {
        function: await outcome(house, function, {"by": by, **given})
        for function, given in table.items() if "conversation" in given or function == "outbox.decide"
    }  # fmt: skip
    assert {function: code for function, code in told.items() if code != "not_granted"} == {}


@pytest.mark.row("A9")
async def test_no_colleague_gets_at_what_another_agent_has_accepted(house: House) -> None:
    table = await calls(house)
    people, conversations = house.desk.service.people, house.desk.service.conversations
    ann = await people.read(by=SYSTEM, user=table["people.read"]["user"])
    await conversations.accept(by=ann, **table["conversations.read"])
    by = await house.user("Bea")
    told = {
        function: await outcome(house, function, {"by": by, **given})
        for function, given in table.items() if "conversation" in given or function == "outbox.decide"
    }  # fmt: skip
    assert {function: code for function, code in told.items() if code != "not_granted"} == {
        "conversations.accept": "conflict", "conversations.reject": "conflict",
    }  # fmt: skip


def hostile(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give arguments of which one at a time is what nobody should give."""
    for name, value in given.items():
        for evil in spoiled(value):
            yield {**given, name: evil}


def spoiled(value: Any) -> list[Any]:
    if type(value) is str:
        return [HOSTILE, "", " ", "x" * 5000]
    if type(value) is int:
        return [HUGE, -HUGE, 2**63 - 1, -1, 0]
    if isinstance(value, list | tuple):
        return [[one] for each in value[:1] for one in spoiled(each)]
    if isinstance(value, dict):
        return [{name: one} for name, each in value.items() for one in spoiled(each)]
    if isinstance(value, Address):
        return [attrs.evolve(value, value=HOSTILE)]
    if isinstance(value, Wanted):
        return [attrs.evolve(value, user=HOSTILE, connections=[HOSTILE], number="C-" + "9" * 40), Wanted(customer=HUGE)]
    return []


async def test_whatever_a_caller_gives_is_done_or_refused_by_name(house: House) -> None:
    for function, given in (await calls(house)).items():
        by: dict[str, User] = {} if function in WITHOUT_USER else {"by": SYSTEM}
        codes = [await outcome(house, function, {**by, **evil}) for evil in hostile(given)]
        assert not {"store", "desk"} & set(codes), function


async def test_text_that_databases_cannot_keep_is_kept_visibly(house: House) -> None:
    conversation = await house.written("eve")
    found = await house.desk.service.conversations.describe(by=SYSTEM, conversation=conversation, text="a\0b\ud800")
    assert found.description == "a␀b?"
    with pytest.raises(IncompleteError, match="no number"):
        await house.desk.service.conversations.read(by=SYSTEM, conversation=HUGE)
    with pytest.raises(IncompleteError, match="one row"):
        await house.desk.service.letters.dead(by=SYSTEM, limit=0)


def test_what_can_be_kept_stays_the_same_object() -> None:
    given = message("eve", "hello")
    assert storable(given) is given
    assert storable(Wanted(text="\0", tags=(1,))) == Wanted(text="␀", tags=(1,))
    assert storable(Stream.OPEN) is Stream.OPEN
