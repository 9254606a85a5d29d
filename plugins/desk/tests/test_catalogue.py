"""What administrators define, and who may."""

import pytest

from channelry_desk.catalogue import CARD, FieldKind, Setting
from channelry_desk.errors import ConflictError, IncompleteError, NotFoundError, NotGrantedError, UnknownError
from channelry_desk.grants import SYSTEM, Access
from channelry_desk.moments import MINUTE
from channelry_desk.policies import Policy
from channelry_desk.service.catalogue import Catalogue
from channelry_desk.values import Named

from .conftest import House

pytestmark = pytest.mark.anyio


def catalogue(house: House) -> Catalogue:
    return house.desk.service.catalogue


@pytest.mark.row("A34")
async def test_only_tags_that_are_defined_and_not_retired_are_offered(house: House) -> None:
    urgent = await catalogue(house).create_tag(by=SYSTEM, name=" urgent ")
    old = await catalogue(house).create_tag(by=SYSTEM, name="old")
    await catalogue(house).retire_tag(by=SYSTEM, tag=old.id)
    assert await catalogue(house).tags(by=SYSTEM) == [Named(urgent.id, "urgent")]
    with pytest.raises(ConflictError, match="already"):
        await catalogue(house).create_tag(by=SYSTEM, name="urgent")
    with pytest.raises(IncompleteError):
        await catalogue(house).create_tag(by=SYSTEM, name=" ")
    with pytest.raises(UnknownError):
        await catalogue(house).retire_tag(by=SYSTEM, tag=old.id)
    assert await catalogue(house).create_tag(by=SYSTEM, name="old") == old


@pytest.mark.row("A35")
@pytest.mark.row("A46")
@pytest.mark.row("D12")
async def test_agents_with_administration_define_in_place_and_others_are_refused(house: House) -> None:
    agent = await house.user("Eve")
    admin = await house.user("Ann", Access.CHAT_CENTER, Access.ADMINISTRATION)
    assert (await catalogue(house).create_tag(by=admin, name="vip")).name == "vip"
    for refused in (
        catalogue(house).create_tag(by=agent, name="mine"),
        catalogue(house).create_skill(by=agent, name="mine"),
        catalogue(house).create_subject(by=agent, name="mine"),
        catalogue(house).create_field(by=agent, name="mine"),
        catalogue(house).save_answer(by=agent, category="a", title="b", text="c"),
        catalogue(house).change_setting(by=agent, name=Setting.CARD, value=["email"]),
    ):
        with pytest.raises(NotGrantedError):
            await refused
    assert [one.name for one in await catalogue(house).tags(by=agent)] == ["vip"]


@pytest.mark.row("A46")
async def test_a_subject_has_three_levels_and_no_fourth(house: House) -> None:
    path = [await catalogue(house).create_subject(by=SYSTEM, name="Orders")]
    for name in ("Delivery", "Late"):
        path.append(await catalogue(house).create_subject(by=SYSTEM, name=name, parent=path[-1].id))
    assert [one.level for one in path] == [1, 2, 3]
    assert await catalogue(house).subjects(by=SYSTEM) == path
    with pytest.raises(IncompleteError, match="nothing below"):
        await catalogue(house).create_subject(by=SYSTEM, name="Very late", parent=path[-1].id)
    with pytest.raises(ConflictError):
        await catalogue(house).create_subject(by=SYSTEM, name="Delivery", parent=path[0].id)
    await catalogue(house).retire_subject(by=SYSTEM, subject=path[1].id)
    assert await catalogue(house).subjects(by=SYSTEM) == path[:1]
    with pytest.raises(UnknownError):
        await catalogue(house).create_subject(by=SYSTEM, name="Lost", parent=path[1].id)


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [(FieldKind.NUMBER, "-1.5", "many"), (FieldKind.NUMBER, "3", "nan"), (FieldKind.DATE, "2026-11-22", "tomorrow"),
     (FieldKind.FLAG, "yes", "perhaps"), (FieldKind.CHOICE, "red", "blue")],
)  # fmt: skip
async def test_a_fields_default_is_of_its_kind(house: House, kind: FieldKind, right: str, wrong: str) -> None:
    choices = ["red", "green"] if kind is FieldKind.CHOICE else []
    made = await catalogue(house).create_field(by=SYSTEM, name="f", kind=kind, choices=choices, initial=right)
    assert await catalogue(house).fields(by=SYSTEM) == [made]
    with pytest.raises(IncompleteError, match=f"is a {kind}"):
        await catalogue(house).create_field(by=SYSTEM, name="g", kind=kind, choices=choices, initial=wrong)
    with pytest.raises(ConflictError):
        await catalogue(house).create_field(by=SYSTEM, name="f", kind=kind, choices=choices)


async def test_only_a_choice_has_choices(house: House) -> None:
    for kind, choices in ((FieldKind.CHOICE, []), (FieldKind.TEXT, ["a"])):
        with pytest.raises(IncompleteError, match="choices"):
            await catalogue(house).create_field(by=SYSTEM, name="f", kind=kind, choices=choices)


@pytest.mark.row("A38")
async def test_quick_answers_are_grouped_by_category_in_the_language_asked_for(house: House) -> None:
    service = catalogue(house)
    await service.save_answer(by=SYSTEM, category="Greeting", title="Again", text="Hi!", language="en")
    await service.save_answer(by=SYSTEM, category="Greeting", title="Hello", text="Hello!", language="en")
    await service.save_answer(by=SYSTEM, category="Greeting", title="Hello", text="Γεια!", language="el")
    await service.save_answer(by=SYSTEM, category="Goodbye", title="Bye", text="☺")
    assert {name: [one.text for one in those] for name, those in (await service.answers(by=SYSTEM)).items()} == {
        "Goodbye": ["☺"], "Greeting": ["Hi!", "Γεια!", "Hello!"],
    }  # fmt: skip
    found = await service.answers(by=SYSTEM, language="el")
    assert {name: [one.text for one in those] for name, those in found.items()} == {
        "Goodbye": ["☺"],
        "Greeting": ["Γεια!"],
    }
    changed = await service.save_answer(by=SYSTEM, category="Goodbye", title="Bye", text="Bye")
    assert [one.text for one in (await service.answers(by=SYSTEM))["Goodbye"]] == ["Bye"]
    await service.retire_answer(by=SYSTEM, answer=changed.id)
    assert "Goodbye" not in await service.answers(by=SYSTEM)
    with pytest.raises(IncompleteError):
        await service.save_answer(by=SYSTEM, category="Goodbye", title="Bye")
    with pytest.raises(NotFoundError):
        await service.save_answer(by=SYSTEM, category="Goodbye", title="Bye", files=["none"])


@pytest.mark.row("D12")
async def test_the_cards_fields_are_the_administrators_choice(house: House) -> None:
    assert tuple(await catalogue(house).setting(by=SYSTEM, name=Setting.CARD)) == CARD
    await catalogue(house).change_setting(by=SYSTEM, name=Setting.CARD, value=["email", "first_name"])
    assert await catalogue(house).setting(by=SYSTEM, name=Setting.CARD) == ["email", "first_name"]
    for wrong in ([], ["shoe size"]):
        with pytest.raises(IncompleteError):
            await catalogue(house).change_setting(by=SYSTEM, name=Setting.CARD, value=wrong)
    with pytest.raises(IncompleteError):
        await catalogue(house).change_setting(by=SYSTEM, name=Setting.AGENTS_EDIT_SKILLS, value="yes")


async def test_a_quick_answer_and_a_policy_that_another_administrator_changed_are_not_overwritten(house: House) -> None:
    """By those who say which version they saw; who says nothing has the last word."""
    here = catalogue(house)
    first = await here.save_answer(by=SYSTEM, category="a", title="b", text="one", version=0)
    second = await here.save_answer(by=SYSTEM, category="a", title="b", text="two", version=first.version)
    for late in (
        here.save_answer(by=SYSTEM, category="a", title="b", text="three", version=first.version),
        here.save_answer(by=SYSTEM, category="a", title="b", text="three", version=0),
        here.retire_answer(by=SYSTEM, answer=first.id, version=first.version),
    ):
        with pytest.raises(ConflictError, match=f"version {second.version}, not "):
            await late
    assert (await here.answers(by=SYSTEM))["a"] == (second,)
    await here.retire_answer(by=SYSTEM, answer=first.id, version=second.version)
    await here.save_answer(by=SYSTEM, category="a", title="b", text="anew", version=0)  # the retired one nobody sees

    await here.set_policy(by=SYSTEM, policy=Policy(wrap_up=2 * MINUTE), version=0)
    with pytest.raises(ConflictError, match="the policy has changed: version 1, not 0"):
        await here.set_policy(by=SYSTEM, policy=Policy(wrap_up=0), version=0)
    await here.set_policy(by=SYSTEM, policy=Policy(wrap_up=3 * MINUTE))
    assert await here.policies(by=SYSTEM) == [Policy(wrap_up=3 * MINUTE, version=2)]
