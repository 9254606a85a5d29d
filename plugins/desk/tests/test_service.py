"""What programs ask of the desk, and what it refuses."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from channelry.cli import main
from channelry.config import load_configuration
from channelry.errors import ConfigError, PermanentError
from channelry.model import Address
from channelry_desk import tables
from channelry_desk.desk import desk, without_worker
from channelry_desk.errors import ClosedError, ConflictError, IncompleteError, NotFoundError
from channelry_desk.rules import ConversationState
from channelry_desk.sqlite import open_writer
from channelry_server.command import installed_application

from .conftest import START, House, Opening, message

pytestmark = pytest.mark.anyio

EVE = Address("post", "eve")


async def started(house: House, who: str = "eve", text: str = "hello") -> int:
    await house.deliver(message(who, text))
    return await house.conversation()


@pytest.mark.row("A7")
async def test_the_second_who_accepts_is_told_who_was_first(house: House) -> None:
    number = await started(house)
    service = house.desk.service
    outcomes = await asyncio.gather(
        *(service.accept(conversation=number, agent=agent) for agent in ("ann", "bea")), return_exceptions=True
    )
    assert [type(one).__name__ for one in outcomes] == ["Conversation", "ConflictError"]
    assert "ann" in str(outcomes[1])
    assert (await service.accept(conversation=number, agent="ann")).assignee == "ann"


@pytest.mark.row("A5")
async def test_pending_and_active_partition_what_is_open(house: House) -> None:
    service = house.desk.service
    first, second, third = [await started(house, who) for who in ("eve", "bob", "cid")]
    await service.accept(conversation=first, agent="ann")
    await service.close(conversation=third)
    found = {}
    for state in ConversationState:
        found[str(state)] = [one.id for one in (await service.list_conversations(state=state)).rows]
    assert found == {"pending": [second], "active": [first], "closed": [third]}


@pytest.mark.row("A10")
async def test_release_gives_it_back(house: House) -> None:
    service, number = house.desk.service, await started(house)
    await service.accept(conversation=number, agent="ann")
    released = await service.release(conversation=number)
    assert (released.state, released.assignee) == ("pending", "")
    with pytest.raises(ConflictError, match="nobody to release it"):
        await service.release(conversation=number)


@pytest.mark.row("A12")
async def test_what_is_closed_is_closed_for_good(house: House) -> None:
    service, number = house.desk.service, await started(house)
    assert (await service.close(conversation=number, reason="solved")).reason == "solved"
    for again in (
        service.close(conversation=number),
        service.accept(conversation=number, agent="ann"),
        service.release(conversation=number),
        service.reply(conversation=number, agent="ann", text="hi"),
    ):
        with pytest.raises(ClosedError) as refused:
            await again
        assert refused.value.code == "closed"


async def test_an_expired_conversation_is_refused_before_anybody_swept(house: House) -> None:
    number = await started(house)
    await house.clock.advance(24 * 3600 + 1)
    with pytest.raises(ClosedError):
        await house.desk.service.reply(conversation=number, agent="ann", text="hi")
    assert await house.rows("SELECT count(*) FROM calls") == [(0,)]


async def test_a_version_that_is_not_the_last_one_is_a_conflict(house: House) -> None:
    service, number = house.desk.service, await started(house)
    seen = await service.read_conversation(conversation=number)
    await service.accept(conversation=number, agent="ann", version=seen.version)
    with pytest.raises(ConflictError, match=f"version {seen.version + 1}, not {seen.version}"):
        await service.close(conversation=number, version=seen.version)


@pytest.mark.parametrize("code", ["read", "accept", "reply", "messages"])
async def test_what_is_not_there_is_not_found(house: House, code: str) -> None:
    service = house.desk.service
    asked = {
        "read": lambda: service.read_conversation(conversation=9),
        "accept": lambda: service.accept(conversation=9, agent="ann"),
        "reply": lambda: service.reply(conversation=9, agent="ann", text="hi"),
        "messages": lambda: service.relate(profile=9, customer=9),
    }[code]
    with pytest.raises(NotFoundError) as refused:
        await asked()
    assert refused.value.code == "not_found"


@pytest.mark.row("A32")
async def test_a_customer_needs_a_name_and_an_email_or_a_phone(house: House) -> None:
    service = house.desk.service
    with pytest.raises(IncompleteError, match="e-mail address or a phone number"):
        await service.create_customer(first_name="Eve", last_name="Ng", company="ACME")
    with pytest.raises(IncompleteError, match="first name and a last name"):
        await service.create_customer(first_name="Eve", last_name=" ", phone="1")
    made = await service.create_customer(first_name="Eve", last_name="Ng", phone="1", company="ACME")
    assert (made.phone, made.company, made.email) == ("1", "ACME", "")


@pytest.mark.row("A33")
async def test_creating_relates_at_once(house: House) -> None:
    service, number = house.desk.service, await started(house)
    profile = (await service.read_conversation(conversation=number)).profile
    await service.create_customer(first_name="Eve", last_name="Ng", phone="1", profile=profile)
    assert (await service.read_conversation(conversation=number)).recognized


@pytest.mark.row("S9")
async def test_an_agent_starts_a_conversation_which_expires_from_its_creation_until_the_customer_writes(
    house: House,
) -> None:
    service = house.desk.service
    number = await service.start(connection="post", address=EVE, agent="ann", text="hello")
    found = await service.read_conversation(conversation=number)
    assert (found.state, found.assignee, found.last_customer_at) == ("active", "ann", None)
    assert found.expires_at == START + timedelta(hours=24)
    with pytest.raises(ConflictError, match="reply there"):
        await service.start(connection="post", address=EVE, agent="bea", text="hello")
    await house.send()
    assert len(house.provider.taken) == 1
    await house.clock.advance(3600)
    await house.deliver(message("eve", "hi"))
    found = await service.read_conversation(conversation=number)
    assert found.expires_at == START + timedelta(hours=25)
    assert [one.direction for one in (await service.list_messages(conversation=number)).rows] == ["in", "out"]
    await house.clock.advance(25 * 3600)
    other = await service.start(connection="post", address=EVE, agent="ann", text="again")
    assert other != number
    with pytest.raises(PermanentError, match="no connection"):
        await service.start(connection="nowhere", address=EVE, agent="ann", text="hello")


async def test_lists_come_in_pages_newest_first(house: House) -> None:
    service = house.desk.service
    numbers = [await started(house, f"c{n}") for n in range(5)]
    seen, cursor = [], ""
    while True:
        page = await service.list_conversations(limit=2, cursor=cursor)
        seen += [one.id for one in page.rows]
        cursor = page.cursor
        if not cursor:
            break
    assert seen == numbers[::-1]
    with pytest.raises(IncompleteError, match="cursor"):
        await service.list_conversations(cursor="x' OR 1=1")


async def test_a_reply_answers_the_last_message_with_its_context(house: House) -> None:
    await house.deliver(message("eve", "one"), message("eve", "two", key="m2", context={"token": "t"}))
    number = await house.conversation()
    await house.desk.service.reply(conversation=number, agent="ann", text="hi")
    ((payload,),) = await house.rows("SELECT payload FROM messages WHERE direction = 'out'")
    assert '"reply_to":"m2"' in payload
    assert '"context":{"token":"t"}' in payload


def configured(folder: Path, desk: str = "") -> list[str]:
    """Write a configuration whose paths are relative, and make the database beside it."""
    open_writer(folder / "desk.db").close()
    file = folder / "channelry.toml"
    file.write_text(f'[desk]\ndatabase = "desk.db"\nfiles = "files"\n{desk}')
    return ["--config", str(file)]


@pytest.mark.parametrize("command", ["conversations", "dead-letters", "uncertain"])
def test_the_commands_print_tables_and_json(tmp_path: Path, command: str) -> None:
    words = configured(tmp_path)
    shown = CliRunner().invoke(main, ["desk", command, "--json", *words])
    assert (shown.exit_code, shown.output) == (0, "[]\n")
    shown = CliRunner().invoke(main, ["desk", command, *words])
    assert (shown.exit_code, shown.output) == (0, "none\n")
    assert "Examples:" in CliRunner().invoke(main, ["desk", command, "--help"]).output


async def test_a_table_tells_who_wrote_and_how_it_stands(opening: Opening, capsys: pytest.CaptureFixture[str]) -> None:
    async with opening(brain={}) as house:
        await house.deliver(message("eve", "the parcel that I have been waiting for\nis broken", occurred_at=START))
        await house.desk.worker.enrichment.step()
        page = await house.desk.service.list_conversations()
        tables.print_rows(tables.CONVERSATIONS, page.rows)
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == list(tables.CONVERSATIONS)
    assert row.startswith("1   post        Anonymous  Eve   eve ")
    assert "the parcel that I have been waiting for…" in row
    assert "+0.50" in row


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0.5, "+0.50"),
        (-0.254, "-0.25"),
        (START + timedelta(microseconds=123456), "2026-11-22 07:00:00+00:00"),
        ("a\r\nb", "a b"),
        (7, "7"),
    ],
)
def test_a_cell_is_short_and_on_one_line(value: object, shown: str) -> None:
    assert tables.cell(value) == shown


def test_the_commands_make_no_database(tmp_path: Path) -> None:
    words = configured(tmp_path)
    (tmp_path / "desk.db").unlink()
    shown = CliRunner().invoke(main, ["desk", "conversations", *words])
    assert shown.exit_code == 1
    assert shown.output == f"Error: {tmp_path}/desk.db is not there; start channelry serve first\n"
    assert [file.name for file in tmp_path.iterdir()] == ["channelry.toml"]


@pytest.mark.parametrize("words", [["replay", "7"], ["decide", "7", "sent", "--who", "eve"]])
def test_a_command_about_nothing_says_so(tmp_path: Path, words: list[str]) -> None:
    shown = CliRunner().invoke(main, ["desk", *words, *configured(tmp_path)])
    assert shown.exit_code == 1
    assert "there is no" in shown.output


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ('database = "junk.db"', "junk.db: cannot be opened (file is not a database); see database in [desk]"),
        ('database = "desk.db"\nfiles = "junk.db"', "junk.db: cannot be opened (File exists); see files in [desk]"),
    ],
)
@pytest.mark.parametrize("command", [["serve"], ["desk", "conversations"]])
def test_a_store_that_cannot_be_opened_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], table: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("channelry_server.log.configure", lambda level: None)  # the tests' own logging stays
    (tmp_path / "junk.db").write_bytes(b"junk" * 1000)
    open_writer(tmp_path / "desk.db").close()
    (tmp_path / "channelry.toml").write_text(f"[server]\nport = 0\n[desk]\n{table}\n")
    shown = CliRunner().invoke(main, command)
    assert (shown.exit_code, isinstance(shown.exception, SystemExit)) == (1, True)
    assert shown.output.splitlines()[-1] == reason


def test_the_section_is_checked(tmp_path: Path) -> None:
    _, file = configured(tmp_path, "lanes = 0\njournal_day = 3\n")
    with pytest.raises(ConfigError, match="did you mean journal_days"):
        load_configuration(Path(file))
    _, file = configured(tmp_path, "lanes = 0\n")
    with pytest.raises(ConfigError, match=r"desk\.lanes: expected >= 1"):
        load_configuration(Path(file))


def test_serve_runs_the_desk_where_no_application_is_named() -> None:
    assert installed_application(no_worker=False) is desk
    assert installed_application(no_worker=True) is without_worker
